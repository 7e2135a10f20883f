"""Draw the state of the process as one page that an operator reads at a glance.

The page is complete as served; `status.js` fetches it anew every two seconds and says so
when no answer comes, so that nobody trusts a frozen picture. Without scripts the browser
reloads it. Every text is escaped, colour never speaks alone, and what a snapshot does not
hold is shown as missing instead of failing.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from pricing_proxy.web.status_words import (
    NONE,
    Tone,
    Verdict,
    breaker_verdict,
    duration,
    erp_verdict,
    gate_verdict,
    hit_ratio,
    keys_verdict,
    ledger_verdict,
    lookup_shares,
    megabytes,
    redis_verdict,
    service_verdict,
)

_Snapshot = Mapping[str, Any]
_NUMBER = ' class="number"'
_NOTHING = '<p class="faint">Not reported.</p>'
# From the most to the least urgent.
_CLASSES = ("checkout", "interactive", "refresh", "background")
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'"
)


def status_page(snapshot: Mapping[str, Any]) -> str:
    """Return the page as HTML; sections that the snapshot lacks are shown as not reported."""
    service = _part(snapshot, "service")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<noscript><meta http-equiv="refresh" content="2"></noscript>'
        f"<title>{_text(service_verdict(service).words)}: price service</title>"
        '<link rel="stylesheet" href="docs/pages.css">'
        '<link rel="stylesheet" href="docs/status.css">'
        '<script type="module" src="docs/status.js"></script></head><body>'
        '<p id="silence" class="bad" role="alert" hidden></p>'
        f'<main id="state">{_heading(service)}{_tiles(snapshot)}{_sections(snapshot)}</main>'
        "</body></html>\n"
    )


def _heading(service: _Snapshot) -> str:
    facts = [
        f"version {_text(service.get('version'))}",
        f"up {duration(service.get('uptime_seconds'))}",
        f"since {_text(service.get('started_at'))}",
    ]
    demo = _badge(Verdict(Tone.WARN, "demo: its key is public")) if service.get("demo") else ""
    return (
        f"<header><h1>Price service {demo}</h1>"
        f'<p class="faint">{" · ".join(facts)} · <a href="docs">API</a> '
        '· <a href="metrics">metrics</a></p></header>'
    )


def _tiles(snapshot: _Snapshot) -> str:
    flights = _part(snapshot, "flights")
    service = service_verdict(_part(snapshot, "service"))
    missing = _part(snapshot, "service").get("missing") or []
    tiles = [_tile("Service", service, ", ".join(str(each) for each in missing))]
    for name, environment in _part(snapshot, "erp").items():
        tiles.append(_tile(f"ERP {name}", *erp_verdict(environment)))
    tiles.append(_tile("Redis", *redis_verdict(_part(snapshot, "redis"))))
    tiles.append(_tile("Answered without the ERP", *hit_ratio(_lookups(snapshot))))
    tiles.append(_tile("Configuration", *keys_verdict(_part(snapshot, "configuration"))))
    count = flights.get("count")
    oldest = duration(flights.get("oldest_age_seconds"))
    words = "not reported" if count is None else f"{count} loads"
    detail = f"oldest {oldest}" if count else ""
    tiles.append(_tile("Under way", Verdict(Tone.QUIET, words), detail))
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _tile(title: str, verdict: Verdict, detail: str) -> str:
    return (
        f'<div class="tile {verdict.tone}"><span class="what">{_text(title)}</span>'
        f"<strong>{_text(verdict.words)}</strong>"
        f'<span class="detail">{_text(detail)}</span></div>'
    )


def _sections(snapshot: _Snapshot) -> str:
    erp = "".join(_environment(name, each) for name, each in _part(snapshot, "erp").items() if each)
    return (
        _section("ERP", erp)
        + '<div class="columns">'
        + _section("Cache", _cache(snapshot) if snapshot.get("cache") else "")
        + _section("Redis", _redis(_part(snapshot, "redis")))
        + _section("Requests", _requests(_part(snapshot, "cache").get("requests") or {}))
        + _section("Loads", _flights(_part(snapshot, "flights")))
        + "</div>"
        + _section("Markets and their maps", _markets(_part(snapshot, "markets")))
        + _section("API keys", _keys(_part(snapshot, "keys")))
    )


def _section(title: str, content: str) -> str:
    return f"<section><h2>{_text(title)}</h2>{content or _NOTHING}</section>"


def _environment(name: str, environment: _Snapshot) -> str:
    gate = _part(environment, "gate")
    verdict = _badge(gate_verdict(gate)) if gate else "not reported"
    facts = (
        f"Gate {verdict} · in flight {_text(environment.get('in_flight'))}"
        f" · of them retries {_text(environment.get('retrying'))}"
    )
    return (
        f"<h3>{_text(name)}</h3>{_breakers(environment.get('breakers') or [])}"
        f"<p>{facts}</p>{_queues(gate, _part(environment, 'bulkhead'))}"
    )


def _breakers(breakers: Iterable[_Snapshot]) -> str:
    numbers = ("calls", "failures", "slow", "probes")
    rows = [
        [
            f"<th scope='row'>{_text(breaker.get('name'))}</th>",
            f"<td>{_badge(breaker_verdict(breaker))}</td>",
            f"<td>{duration(breaker.get('lost_for_seconds'))}</td>",
            f"<td>{_next_probe(breaker.get('next_probe_seconds'))}</td>",
            *(_count(breaker.get(member)) for member in numbers),
        ]
        for breaker in breakers
    ]
    head = (
        "breaker",
        "state",
        "lost for",
        "next probe",
        "calls in 10 s",
        "failed",
        "slow",
        "probes",
    )
    return _table(head, rows, from_number=4)


def _next_probe(seconds: Any) -> str:
    return "now" if seconds == 0 else duration(seconds)


def _queues(gate: _Snapshot, bulkhead: _Snapshot) -> str:
    running, waiting = _part(bulkhead, "running"), _part(bulkhead, "waiting")
    at_gate = _part(gate, "waiting")
    seen = {*running, *waiting, *at_gate}
    rows = [
        [
            f"<th scope='row'>{_text(name)}</th>",
            *(_count(counts.get(name, 0)) for counts in (running, waiting, at_gate)),
        ]
        for name in (*_CLASSES, *sorted(seen - {*_CLASSES}))
        if name in seen
    ]
    limit = _text(bulkhead.get("limit"))
    head = ("class", f"running (of {limit})", "waiting for a slot", "waiting at the gate")
    return _table(head, rows, from_number=1)


def _cache(snapshot: _Snapshot) -> str:
    cache = _part(snapshot, "cache")
    rows = [
        [
            f"<th scope='row'>{_text(level)}</th>",
            _count(count),
            f"<td{_NUMBER}>{share}</td>",
        ]
        for level, count, share in lookup_shares(_lookups(snapshot))
    ]
    return _table(("level", "lines", "share"), rows, from_number=1) + _facts(
        {
            "prices in memory (L1)": _text(cache.get("l1_entries")),
            "memory they take": megabytes(cache.get("l1_bytes")),
        }
    )


def _redis(redis: _Snapshot) -> str:
    if not redis:
        return ""
    breaker = _part(redis, "breaker")
    return _facts(
        {
            "kind": _text(redis.get("kind")),
            "breaker": _badge(breaker_verdict(breaker)),
            "lost for": duration(breaker.get("lost_for_seconds")),
            "failed commands": _text(redis.get("failures")),
            "damaged values": _text(redis.get("bad_values")),
        }
    )


def _requests(requests: _Snapshot) -> str:
    return _facts({str(mode): _text(count) for mode, count in requests.items()})


def _flights(flights: _Snapshot) -> str:
    if not flights:
        return ""
    return _facts(
        {
            "under way": _text(flights.get("count")),
            "age of the oldest": duration(flights.get("oldest_age_seconds")),
            "poison SKUs kept out": _text(flights.get("poison_skus")),
        }
    )


def _markets(markets: _Snapshot) -> str:
    rows = []
    for code, market in markets.items():
        is_ready = bool(market.get("is_ready"))
        verdict = Verdict(Tone.GOOD, "ready") if is_ready else Verdict(Tone.BAD, "not ready")
        maps = [_map_text(name, each) for name, each in _part(market, "maps").items()]
        cells = [_text(market.get(name)) for name in ("environment", "currency", "source")]
        ledger, known = ledger_verdict(_part(market, "ledger"))
        rows.append(
            [
                f"<th scope='row'>{_text(code)}</th>",
                f"<td>{_badge(verdict)}</td>",
                *(f"<td>{cell}</td>" for cell in (*cells, "<br>".join(maps) or "none yet")),
                f"<td>{_badge(ledger)}<br>{_text(known)}</td>",
            ]
        )
    return _table(("market", "state", "environment", "currency", "source", "maps", "ledger"), rows)


def _map_text(name: str, each: _Snapshot) -> str:
    return f"{_text(name)}: {_text(each.get('rows'))} rows, {duration(each.get('age_seconds'))} old"


def _keys(keys: _Snapshot) -> str:
    rows = [
        [f"<th scope='row'>{_text(name)}</th>", f"<td>{_text(used or 'not since the start')}</td>"]
        for name, used in keys.items()
    ]
    return _table(("key", "last used"), rows)


def _table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, from_number: int | None = None
) -> str:
    """Return a table; `from_number` is the first column of numbers."""
    if not rows:
        return ""
    start = len(head) if from_number is None else from_number
    titles = "".join(
        f"<th scope='col'{_NUMBER if index >= start else ''}>{_text(title)}</th>"
        for index, title in enumerate(head)
    )
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    table = f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll">{table}</div>'


def _facts(facts: Mapping[str, str]) -> str:
    """Return names and values; the values are HTML."""
    if not facts:
        return ""
    pairs = (f"<dt>{_text(name)}</dt><dd>{value}</dd>" for name, value in facts.items())
    return f"<dl>{''.join(pairs)}</dl>"


def _badge(verdict: Verdict) -> str:
    return f'<span class="badge {verdict.tone}">{_text(verdict.words)}</span>'


def _count(value: Any) -> str:
    return f"<td{_NUMBER}>{_text(value)}</td>"


def _text(value: Any) -> str:
    return NONE if value is None else escape(str(value))


def _part(whole: _Snapshot, name: str) -> _Snapshot:
    part = whole.get(name)
    return part if isinstance(part, Mapping) else {}


def _lookups(snapshot: _Snapshot) -> _Snapshot:
    return _part(_part(snapshot, "cache"), "lookups")
