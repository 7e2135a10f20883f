"""Judge the parts of a status snapshot: a tone for the eye, and the words that go with it.

Pure: a snapshot's member in, a glance or a text out. A member that is missing is judged
as not reported, never as good.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from pricing_proxy.pages.drawing import NONE

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_MEGABYTE = 1_000_000
# How much of the lines the cache should answer; below, customers wait for the ERP a lot.
_GOOD_RATIO = 0.8
# How long a line that was answered oddly is told of: as often as it is said in the log.
_ODD_SECONDS = 600
# From the most to the least urgent.
_CLASSES = ("checkout", "interactive", "refresh", "background")
_LEVELS = ("l1", "l2", "source")


class Tone(StrEnum):
    """What the eye is told; the values are CSS classes."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    QUIET = "quiet"


class Glance(NamedTuple):
    """A judgement, for the eye and in words."""

    tone: Tone
    words: str


_NOT_REPORTED = Glance(Tone.QUIET, "not reported")
_PHASES = {
    "closed": Glance(Tone.GOOD, "closed"),
    "half_open": Glance(Tone.WARN, "half-open, probing"),
    "open": Glance(Tone.BAD, "open"),
    "isolated": Glance(Tone.BAD, "isolated by an operator"),
}


def service_verdict(service: Mapping[str, Any]) -> Glance:
    """Return whether the process wants requests."""
    if "is_ready" not in service:
        return _NOT_REPORTED
    return Glance(Tone.GOOD, "ready") if service["is_ready"] else Glance(Tone.BAD, "not ready")


def breaker_verdict(breaker: Mapping[str, Any]) -> Glance:
    """Return where a breaker stands; a phase that is new to this page is shown as it is."""
    phase = breaker.get("phase")
    if phase is None:
        return _NOT_REPORTED
    return _PHASES.get(phase, Glance(Tone.WARN, str(phase)))


def gate_verdict(gate: Mapping[str, Any]) -> Glance:
    """Return whether the ERP lets calls through."""
    if gate.get("is_closed"):
        return Glance(Tone.BAD, f"closed, opens in {duration(gate.get('opens_in_seconds'))}")
    if gate.get("is_ramping"):
        return Glance(Tone.WARN, "open, ramping up")
    return Glance(Tone.GOOD, "open")


def erp_verdict(environment: Mapping[str, Any]) -> tuple[Glance, str]:
    """Return how an environment is, judged by what is worst in it, and the detail."""
    breakers = environment.get("breakers") or []
    gate = environment.get("gate") or {}
    for phase, words in (
        ("isolated", "isolated"),
        ("open", "down"),
        ("half_open", "probing"),
    ):
        hit = [breaker for breaker in breakers if breaker.get("phase") == phase]
        if hit:
            names = ", ".join(str(breaker.get("name")) for breaker in hit)
            return Glance(_PHASES[phase].tone, words), _lost(names, hit)
    refusal = _refusal(environment)
    if refusal is not None:
        return refusal
    if not breakers:
        return _NOT_REPORTED, ""
    if gate.get("is_ramping"):
        return Glance(Tone.WARN, "ramping up"), "after a pause"
    return Glance(Tone.GOOD, "up"), f"in flight {environment.get('in_flight', 0)}"


def _refusal(environment: Mapping[str, Any]) -> tuple[Glance, str] | None:
    """Return how an environment that is up lets no call in; None when it does."""
    if environment.get("refused"):
        return Glance(Tone.BAD, "refuses all"), "; ".join(environment["refused"])
    gate, tokens = environment.get("gate") or {}, environment.get("token_gate") or {}
    if gate.get("is_closed"):
        return Glance(Tone.BAD, "throttled"), gate_verdict(gate).words
    if tokens.get("is_closed"):
        return Glance(Tone.WARN, "no new token"), f"Entra throttles: {gate_verdict(tokens).words}"
    return None


def prices_verdict(markets: Mapping[str, Any]) -> tuple[Glance, str]:
    """Return whether every market's source takes anything at all, and which does not."""
    if not markets:
        return _NOT_REPORTED, ""
    failing = {code: each["failing"] for code, each in markets.items() if each.get("failing")}
    if failing:
        told = [
            f"{code}: {each.get('reason')} at {each.get('path') or 'the ERP'} for "
            f"{duration(each.get('for_seconds'))}; {each.get('next_step')}"
            for code, each in failing.items()
        ]
        return Glance(Tone.BAD, "all refused"), "; ".join(told)
    odd = [
        f"{code}: {each.get('reason')} for {each.get('sku')} ({each.get('lines')} lines)"
        for code, market in markets.items()
        for each in (market.get("odd_lines") or {}).values()
        if each.get("seconds_ago", _HOUR) < _ODD_SECONDS
    ]
    if odd:
        return Glance(Tone.WARN, "some lines odd"), "; ".join(odd)
    return Glance(Tone.GOOD, "answered"), ""


def maps_verdict(markets: Mapping[str, Any]) -> tuple[Glance, str]:
    """Return whether every map is what the ERP lists, and which is not."""
    if not markets:
        return _NOT_REPORTED, ""
    refused = [
        f"{code}: {view['refused']}"
        for code, each in markets.items()
        for view in (each.get("maps") or {}).values()
        if view.get("refused")
    ]
    if refused:
        return Glance(Tone.BAD, "ERP lists too little"), "; ".join(refused)
    odd = [
        f"{code}: {view['odd']}"
        for code, each in markets.items()
        for view in (each.get("maps") or {}).values()
        if view.get("odd")
    ]
    lost = [code for code, each in markets.items() if (each.get("shop_ids") or {}).get("is_lost")]
    if lost:
        return Glance(Tone.BAD, "shop ids lost in Redis"), f"{', '.join(lost)}: from memory"
    if odd:
        return Glance(Tone.WARN, "some rows odd"), "; ".join(odd)
    return Glance(Tone.GOOD, "as the ERP lists"), ""


def redis_verdict(redis: Mapping[str, Any]) -> tuple[Glance, str]:
    """Return whether Redis answers, and what that means for prices."""
    if not redis:
        return _NOT_REPORTED, ""
    kind = str(redis.get("kind", ""))
    breaker = breaker_verdict(redis.get("breaker") or {})
    if breaker.tone is Tone.BAD or not redis.get("is_verified"):
        return Glance(Tone.BAD, "away"), "prices are flagged unverified"
    if breaker.tone is Tone.WARN:
        return Glance(Tone.WARN, "probing"), kind
    troubles = redis.get("troubles") or ()
    if troubles:
        told = "; ".join(str(trouble.get("told")) for trouble in troubles)
        if any(trouble.get("refuses") for trouble in troubles):
            return Glance(Tone.BAD, "refuses writes"), told
        is_bad = any(trouble.get("is_bad") for trouble in troubles)
        return Glance(Tone.BAD if is_bad else Tone.WARN, "may forget"), told
    words = "embedded: gone with this process" if kind == "embedded" else "prices are verified"
    return Glance(Tone.GOOD, "up"), words


def ledger_verdict(ledger: Mapping[str, Any]) -> tuple[Glance, str]:
    """Return whether word of a market's invalidations is recent, and how much there is."""
    if not ledger:
        return _NOT_REPORTED, ""
    detail = f"{ledger.get('scopes_known')} scopes known, position {ledger.get('position')}"
    if not ledger.get("is_verified"):
        return Glance(Tone.BAD, "not read"), detail
    return Glance(Tone.GOOD, f"lease {ledger.get('lease_left_seconds')} s"), detail


def keys_verdict(configuration: Mapping[str, Any]) -> tuple[Glance, str]:
    """Return whether the keys are those of the configuration's files, and why not."""
    if not configuration:
        return _NOT_REPORTED, ""
    since = f"as of {configuration.get('keys_loaded_at', NONE)}"
    mistakes = configuration.get("mistakes")
    if mistakes:
        return Glance(Tone.BAD, "change not taken"), f"{since}: {'; '.join(map(str, mistakes))}"
    if configuration.get("needs_restart"):
        return Glance(Tone.WARN, "restart needed"), "more than keys was changed"
    return Glance(Tone.GOOD, "current"), since


def background_verdict(works: Sequence[Mapping[str, Any]] | None) -> tuple[Glance, str]:
    """Return whether all background work goes on, and what does not."""
    if works is None:
        return _NOT_REPORTED, ""
    failing = [f"{each.get('name')} ({each.get('error')})" for each in works if each["is_failing"]]
    if failing:
        return Glance(Tone.BAD, "failing"), f"{', '.join(failing)}; see the log"
    return Glance(Tone.GOOD, "goes on"), f"{len(works)} pieces"


def hit_ratio(lookups: Mapping[str, int]) -> tuple[Glance, str]:
    """Return the share of lines that needed no load, and its parts."""
    total = sum(lookups.values())
    if total == 0:
        return Glance(Tone.QUIET, NONE), "no line asked for yet"
    ratio = 1 - lookups.get("source", 0) / total
    tone = Tone.GOOD if ratio >= _GOOD_RATIO else Tone.WARN
    parts = ", ".join(f"{level} {share}" for level, _, share in lookup_shares(lookups))
    return Glance(tone, _percent(total - lookups.get("source", 0), total)), parts


def lookup_shares(lookups: Mapping[str, int]) -> Sequence[tuple[str, int, str]]:
    """Return each level's name, lines and share in percent."""
    total = sum(lookups.values())
    others = sorted(set(lookups) - set(_LEVELS))
    return [
        (level, lookups.get(level, 0), _percent(lookups.get(level, 0), total))
        for level in (*_LEVELS, *others)
    ]


def loads_verdict(flights: Mapping[str, Any]) -> tuple[Glance, str]:
    """Return how many loads are under way, which is neither good nor bad, and since when."""
    count = flights.get("count")
    if count is None:
        return _NOT_REPORTED, ""
    oldest = f"oldest {duration(flights.get('oldest_age_seconds'))}" if count else ""
    return Glance(Tone.QUIET, f"{count} loads"), oldest


def queues(environment: Mapping[str, Any]) -> Sequence[tuple[str, int, int, int]]:
    """Return each class of calls: running, waiting for a slot, waiting at the gate."""
    bulkhead = environment.get("bulkhead") or {}
    places = [
        bulkhead.get("running") or {},
        bulkhead.get("waiting") or {},
        (environment.get("gate") or {}).get("waiting") or {},
    ]
    seen = set().union(*places)
    names = [*(name for name in _CLASSES if name in seen), *sorted(seen.difference(_CLASSES))]
    return [(name, *(counts.get(name, 0) for counts in places)) for name in names]


def duration(seconds: Any) -> str:
    """Return a duration as people say it: "4.2 s", "3 min 20 s", "2 h 5 min"."""
    if not isinstance(seconds, int | float):
        return NONE
    if seconds < _MINUTE:
        return f"{seconds:.3g} s"
    whole = int(seconds)
    for unit, smaller, name, smaller_name in (
        (_DAY, _HOUR, "d", "h"),
        (_HOUR, _MINUTE, "h", "min"),
        (_MINUTE, 1, "min", "s"),
    ):
        if whole >= unit:
            rest = whole % unit // smaller
            return f"{whole // unit} {name} {rest} {smaller_name}"
    return f"{whole} s"


def megabytes(count: Any) -> str:
    """Return bytes as megabytes."""
    return f"{count / _MEGABYTE:.1f} MB" if isinstance(count, int) else NONE


def _percent(part: int, total: int) -> str:
    return f"{100 * part / total:.1f} %" if total else NONE


def _lost(names: str, breakers: Sequence[Mapping[str, Any]]) -> str:
    lost = [
        each["lost_for_seconds"] for each in breakers if each.get("lost_for_seconds") is not None
    ]
    return f"{names} for {duration(max(lost))}" if lost else names
