"""Draw the state of the process as one page that an operator reads at a glance.

The page is complete as served; `status.js` fetches it anew every two seconds and says so
when no answer comes, so that nobody trusts a frozen picture. Without scripts the browser
reloads it. Every text is escaped, colour never speaks alone, and what a snapshot does not
hold is shown as missing instead of failing.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pricing_proxy.web.status_markup import (
    NUMBER,
    Snapshot,
    badge,
    count_cell,
    fact_list,
    part,
    section,
    table,
    text,
    tile,
)
from pricing_proxy.web.status_words import (
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
    prices_verdict,
    redis_verdict,
    service_verdict,
)

# From the most to the least urgent.
_CLASSES = ("checkout", "interactive", "refresh", "background")
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The page's own Content-Security-Policy."""


def status_page(snapshot: Mapping[str, Any]) -> str:
    """Return the page as HTML; sections that the snapshot lacks are shown as not reported."""
    service = part(snapshot, "service")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<noscript><meta http-equiv="refresh" content="2"></noscript>'
        f"<title>{text(service_verdict(service).words)}: price service</title>"
        '<link rel="stylesheet" href="docs/pages.css">'
        '<link rel="stylesheet" href="docs/status.css">'
        '<script type="module" src="docs/status.js"></script></head><body>'
        '<p id="silence" class="bad" role="alert" hidden></p>'
        f'<main id="state">{_heading(service)}{_tiles(snapshot)}{_sections(snapshot)}</main>'
        "</body></html>\n"
    )


def _heading(service: Snapshot) -> str:
    facts = [
        f"version {text(service.get('version'))}",
        f"up {duration(service.get('uptime_seconds'))}",
        f"since {text(service.get('started_at'))}",
    ]
    demo = badge(Verdict(Tone.WARN, "demo: its key is public")) if service.get("demo") else ""
    return (
        f"<header><h1>Price service {demo}</h1>"
        f'<p class="faint">{" · ".join(facts)} · <a href="docs">API</a> '
        '· <a href="metrics">metrics</a></p></header>'
    )


def _tiles(snapshot: Snapshot) -> str:
    flights = part(snapshot, "flights")
    service = service_verdict(part(snapshot, "service"))
    missing = part(snapshot, "service").get("missing") or []
    tiles = [tile("Service", service, ", ".join(str(each) for each in missing))]
    for name, environment in part(snapshot, "erp").items():
        tiles.append(tile(f"ERP {name}", *erp_verdict(environment)))
    tiles.append(tile("Prices", *prices_verdict(part(snapshot, "markets"))))
    tiles.append(tile("Redis", *redis_verdict(part(snapshot, "redis"))))
    tiles.append(tile("Answered without the ERP", *hit_ratio(_lookups(snapshot))))
    tiles.append(tile("Configuration", *keys_verdict(part(snapshot, "configuration"))))
    count = flights.get("count")
    oldest = duration(flights.get("oldest_age_seconds"))
    words = "not reported" if count is None else f"{count} loads"
    detail = f"oldest {oldest}" if count else ""
    tiles.append(tile("Under way", Verdict(Tone.QUIET, words), detail))
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _sections(snapshot: Snapshot) -> str:
    erp = "".join(_environment(name, each) for name, each in part(snapshot, "erp").items() if each)
    return (
        section("ERP", erp)
        + '<div class="columns">'
        + section("Cache", _cache(snapshot) if snapshot.get("cache") else "")
        + section("Redis", _redis(part(snapshot, "redis")))
        + section("Requests", _requests(part(snapshot, "cache").get("requests") or {}))
        + section("Loads", _flights(part(snapshot, "flights")))
        + "</div>"
        + section("Kept out because the ERP refused it", _kept_out(snapshot.get("kept_out")))
        + section("Markets and their maps", _markets(part(snapshot, "markets")))
        + section("API keys", _keys(part(snapshot, "keys")))
    )


def _environment(name: str, environment: Snapshot) -> str:
    gate = part(environment, "gate")
    facts = (
        f"{_gate('Gate', gate)} · {_gate('token gate', part(environment, 'token_gate'))}"
        f" · in flight {text(environment.get('in_flight'))}"
        f" · of them retries {text(environment.get('retrying'))}"
    )
    return (
        f"<h3>{text(name)}</h3>{_breakers(environment.get('breakers') or [])}"
        f"<p>{facts}</p>{_queues(gate, part(environment, 'bulkhead'))}"
    )


def _gate(label: str, gate: Snapshot) -> str:
    if not gate:
        return f"{label} not reported"
    name = f" <code>{text(gate.get('name'))}</code>" if gate.get("is_closed") else ""
    return f"{label}{name} {badge(gate_verdict(gate))}"


def _breakers(breakers: Iterable[Snapshot]) -> str:
    numbers = ("calls", "failures", "slow", "probes")
    rows = [
        [
            f"<th scope='row'>{text(breaker.get('name'))}</th>",
            f"<td>{badge(breaker_verdict(breaker))}</td>",
            f"<td>{duration(breaker.get('lost_for_seconds'))}</td>",
            f"<td>{_next_probe(breaker.get('next_probe_seconds'))}</td>",
            *(count_cell(breaker.get(member)) for member in numbers),
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
    return table(head, rows, from_number=4)


def _next_probe(seconds: Any) -> str:
    return "now" if seconds == 0 else duration(seconds)


def _queues(gate: Snapshot, bulkhead: Snapshot) -> str:
    running, waiting = part(bulkhead, "running"), part(bulkhead, "waiting")
    at_gate = part(gate, "waiting")
    seen = {*running, *waiting, *at_gate}
    rows = [
        [
            f"<th scope='row'>{text(name)}</th>",
            *(count_cell(counts.get(name, 0)) for counts in (running, waiting, at_gate)),
        ]
        for name in (*_CLASSES, *sorted(seen - {*_CLASSES}))
        if name in seen
    ]
    limit = text(bulkhead.get("limit"))
    head = ("class", f"running (of {limit})", "waiting for a slot", "waiting at the gate")
    return table(head, rows, from_number=1)


def _cache(snapshot: Snapshot) -> str:
    cache = part(snapshot, "cache")
    rows = [
        [
            f"<th scope='row'>{text(level)}</th>",
            count_cell(count),
            f"<td{NUMBER}>{share}</td>",
        ]
        for level, count, share in lookup_shares(_lookups(snapshot))
    ]
    return table(("level", "lines", "share"), rows, from_number=1) + fact_list(
        {
            "prices in memory (L1)": text(cache.get("l1_entries")),
            "memory they take": megabytes(cache.get("l1_bytes")),
        }
    )


def _redis(redis: Snapshot) -> str:
    if not redis:
        return ""
    breaker = part(redis, "breaker")
    return fact_list(
        {
            "kind": text(redis.get("kind")),
            "breaker": badge(breaker_verdict(breaker)),
            "lost for": duration(breaker.get("lost_for_seconds")),
            "failed commands": text(redis.get("failures")),
            "damaged values": text(redis.get("bad_values")),
        }
    )


def _requests(requests: Snapshot) -> str:
    return fact_list({str(mode): text(count) for mode, count in requests.items()})


def _flights(flights: Snapshot) -> str:
    if not flights:
        return ""
    return fact_list(
        {
            "under way": text(flights.get("count")),
            "age of the oldest": duration(flights.get("oldest_age_seconds")),
            "poison SKUs kept out": text(flights.get("poison_skus")),
        }
    )


def _kept_out(rows: Any) -> str:
    if rows == []:
        return '<p class="faint">Nothing.</p>'
    cells = [
        [
            f"<th scope='row'>{text(row.get('sku'))}</th>",
            f"<td>{text(row.get('market'))}</td>",
            f"<td>{text(row.get('reason'))}</td>",
            count_cell(row.get("customers")),
            count_cell(row.get("lines")),
            f"<td{NUMBER}>{duration(row.get('longest_seconds'))}</td>",
            f"<td>{'for everybody' if row.get('is_alone') else 'for those customers'}</td>",
        ]
        for row in rows or ()
    ]
    head = ("SKU", "market", "reason", "customers", "lines now", "for at most", "asked for alone")
    return table(head, cells)


def _markets(markets: Snapshot) -> str:
    rows = []
    for code, market in markets.items():
        is_ready = bool(market.get("is_ready"))
        verdict = Verdict(Tone.GOOD, "ready") if is_ready else Verdict(Tone.BAD, "not ready")
        maps = [_map_text(name, each) for name, each in part(market, "maps").items()]
        cells = [text(market.get(name)) for name in ("environment", "currency", "source")]
        ledger, known = ledger_verdict(part(market, "ledger"))
        rows.append(
            [
                f"<th scope='row'>{text(code)}</th>",
                f"<td>{badge(verdict)}</td>",
                *(f"<td>{cell}</td>" for cell in (*cells, "<br>".join(maps) or "none yet")),
                f"<td>{badge(ledger)}<br>{text(known)}</td>",
            ]
        )
    return table(("market", "state", "environment", "currency", "source", "maps", "ledger"), rows)


def _map_text(name: str, each: Snapshot) -> str:
    clashes = each.get("clashes")
    more = f", {text(clashes)} differ from others in case or blanks alone" if clashes else ""
    age = duration(each.get("age_seconds"))
    return f"{text(name)}: {text(each.get('rows'))} rows, {age} old{more}"


def _keys(keys: Snapshot) -> str:
    rows = [
        [f"<th scope='row'>{text(name)}</th>", f"<td>{text(used or 'not since the start')}</td>"]
        for name, used in keys.items()
    ]
    return table(("key", "last used"), rows)


def _lookups(snapshot: Snapshot) -> Snapshot:
    return part(part(snapshot, "cache"), "lookups")
