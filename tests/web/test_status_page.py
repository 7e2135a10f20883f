"""The status page shows what fails in words, whatever the snapshot holds."""

import copy
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from hypothesis import given, settings
from hypothesis import strategies as st

from pricing_proxy.pages.drawing import set_up
from pricing_proxy.web import status_page as drawn
from pricing_proxy.web.docs import DocsRoutes
from pricing_proxy.web.status_words import duration
from tests.web.shop import KEY, Shop

_VOID = {"meta", "link", "br"}
_MARKUP = "<script>alert('&')</script>\""


def breaker(name: str, phase: str = "closed", **members: Any) -> dict[str, Any]:
    return {
        "name": name,
        "phase": phase,
        "lost_for_seconds": None,
        "next_probe_seconds": None,
        "calls": 42,
        "failures": 1,
        "slow": 0,
        "probes": 0,
        **members,
    }


def snapshot() -> dict[str, Any]:
    """Return the state of a process whose parts are all well."""
    return {
        "service": {
            "version": "0.1.0",
            "started_at": "2026-11-23T07:30:11Z",
            "uptime_seconds": 7450,
            "is_ready": True,
            "missing": [],
            "demo": False,
        },
        "markets": {
            "b2b_de": {
                "environment": "sandbox",
                "currency": "EUR",
                "source": "fo_service",
                "is_ready": True,
                "failing": None,
                "maps": {
                    "items": {"rows": 20_000, "age_seconds": 320, "clashes": 0},
                    "customers": {"rows": 500, "age_seconds": 320},
                },
                "ledger": {
                    "position": "1849569472380928000",
                    "is_verified": True,
                    "lease_left_seconds": 4.2,
                    "scopes_known": 3,
                },
            }
        },
        "erp": {
            "sandbox": {
                "breakers": [breaker("sandbox:price_read"), breaker("sandbox:master_read")],
                "gate": {
                    "name": "sandbox:pricing",
                    "is_closed": False,
                    "opens_in_seconds": 0.0,
                    "is_ramping": False,
                    "waiting": {"checkout": 0},
                },
                "token_gate": {
                    "name": "sandbox:pricing:tokens",
                    "is_closed": False,
                    "opens_in_seconds": 0.0,
                    "is_ramping": False,
                    "waiting": {"checkout": 0},
                },
                "bulkhead": {
                    "name": "sandbox:pricing",
                    "limit": 16,
                    "running": {"checkout": 1, "interactive": 3},
                    "waiting": {"interactive": 7},
                },
                "in_flight": 4,
                "retrying": 1,
            }
        },
        "redis": {
            "kind": "redis",
            "is_verified": True,
            "breaker": breaker("redis"),
            "failures": 0,
            "bad_values": 0,
        },
        "cache": {
            "l1_bytes": 12_345_678,
            "l1_entries": 40_211,
            "lookups": {"l1": 900, "l2": 65, "source": 35},
            "requests": {"browse": 41},
        },
        "flights": {"count": 2, "oldest_age_seconds": 1.25, "poison_skus": 3},
        "kept_out": [
            {
                "market": "b2b_de",
                "sku": "LAMP-04",
                "reason": "refused_by_erp",
                "customers": 2,
                "lines": 1,
                "is_alone": True,
                "longest_seconds": 60.0,
            }
        ],
        "keys": {"magento": "2026-11-23T09:34:01Z", "operations": None},
        "configuration": {
            "keys_loaded_at": "2026-11-23T07:30:00Z",
            "mistakes": [],
            "needs_restart": False,
        },
    }


def status_page(snapshot: dict[str, Any]) -> str:
    """Return the page as an operator's browser gets it."""
    app = web.Application()
    set_up(app, "pricing_proxy.web")
    page = drawn.status_page(make_mocked_request("GET", "/status", app=app), snapshot)
    assert page.text is not None
    return page.text


class Reader(HTMLParser):
    """Collects texts and tones, and fails on tags that do not match."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.toned: list[tuple[str, str]] = []
        self._tone = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        classes = (dict(attrs).get("class") or "").split()
        if {"badge", "tile"} & set(classes):
            self._tone = classes[-1]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        self.toned.append((self._tone, data))


def tile(page: str, title: str) -> tuple[str, str, str]:
    """Return a tile's tone, words and detail."""
    toned = Reader(page).toned
    at = next(index for index, (_, text) in enumerate(toned) if text == title)
    tone, words = toned[at + 1]
    return tone, words, toned[at + 2][1]


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every member at any depth."""
    for name, member in value.items() if isinstance(value, dict) else ():
        yield (*path, name)
        yield from paths(member, (*path, name))
    for index, member in enumerate(value) if isinstance(value, list) else ():
        yield from paths(member, (*path, index))


def with_markup(value: Any) -> Any:
    """Return the value with markup in every name that is data, and in every text."""
    if isinstance(value, dict):
        is_named_freely = set(value) & {"b2b_de", "sandbox", "magento", "browse", "interactive"}
        return {
            f"{name}{_MARKUP}" if is_named_freely else name: with_markup(member)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [with_markup(member) for member in value]
    return _MARKUP if isinstance(value, str) else value


def test_one_glance_says_that_all_is_well() -> None:
    page = status_page(snapshot())

    assert tile(page, "Service")[:2] == ("good", "ready")
    assert tile(page, "ERP sandbox")[:2] == ("good", "up")
    assert tile(page, "Redis")[:2] == ("good", "up")
    assert tile(page, "Answered without the ERP") == (
        "good",
        "96.5 %",
        "l1 90.0 %, l2 6.5 %, source 3.5 %",
    )
    assert tile(page, "Under way") == ("quiet", "2 loads", "oldest 1.25 s")


@pytest.mark.parametrize(
    ("phase", "tone", "on_tile", "in_table"),
    [
        ("open", "bad", "down", "open"),
        ("half_open", "warn", "probing", "half-open, probing"),
        ("isolated", "bad", "isolated", "isolated by an operator"),
    ],
)
def test_one_lost_breaker_decides_the_tile_of_its_environment(
    phase: str, tone: str, on_tile: str, in_table: str
) -> None:
    state = snapshot()
    lost = breaker("sandbox:master_read", phase, lost_for_seconds=200.4, next_probe_seconds=0)
    state["erp"]["sandbox"]["breakers"][1] = lost

    page = status_page(state)

    assert tile(page, "ERP sandbox") == (tone, on_tile, "sandbox:master_read for 3 min 20 s")
    toned = Reader(page).toned
    assert (tone, in_table) in toned
    assert ("good", "closed") in toned
    assert "now" in Reader(page).texts


def test_a_closed_gate_is_throttling_and_says_until_when() -> None:
    state = snapshot()
    state["erp"]["sandbox"]["gate"] |= {"is_closed": True, "opens_in_seconds": 6.5}

    page = status_page(state)

    assert tile(page, "ERP sandbox") == ("bad", "throttled", "closed, opens in 6.5 s")


def test_a_closed_token_gate_is_shown_with_the_name_that_opens_it() -> None:
    """The ERP is well, and the token at hand serves on."""
    state = snapshot()
    closed = {"is_closed": True, "opens_in_seconds": 6.5}
    state["erp"]["sandbox"]["token_gate"] |= closed

    page = status_page(state)

    detail = "Entra throttles: closed, opens in 6.5 s"
    assert tile(page, "ERP sandbox") == ("warn", "no new token", detail)
    assert "<code>sandbox:pricing:tokens</code>" in page
    assert "<code>sandbox:pricing</code>" not in page


def test_a_ramp_is_neither_up_nor_down() -> None:
    state = snapshot()
    state["erp"]["sandbox"]["gate"]["is_ramping"] = True

    assert tile(status_page(state), "ERP sandbox")[:2] == ("warn", "ramping up")


@pytest.mark.parametrize(
    ("trouble", "judged"),
    [
        ({"refuses": "OOM", "is_bad": True}, ("bad", "refuses writes")),
        ({"refuses": "", "is_bad": True}, ("bad", "may forget")),
        ({"refuses": "", "is_bad": False}, ("warn", "may forget")),
    ],
)
def test_redis_that_does_not_keep_what_is_written_says_what_that_breaks(
    trouble: dict[str, Any], judged: tuple[str, str]
) -> None:
    state = snapshot()
    told = {"told": "loses much", "next_step": "Raise maxmemory"}
    state["redis"]["troubles"] = [trouble | told]
    page = status_page(state)
    assert tile(page, "Redis") == (*judged, "loses much")
    assert "It loses much. Raise maxmemory." in page


@pytest.mark.parametrize("members", [{"is_verified": False}, {"breaker": breaker("redis", "open")}])
def test_redis_away_says_what_that_means_for_prices(members: dict[str, Any]) -> None:
    state = snapshot()
    state["redis"] |= members

    assert tile(status_page(state), "Redis") == ("bad", "away", "prices are flagged unverified")


def test_a_map_that_the_erp_lists_too_little_of_is_red() -> None:
    state = snapshot()
    assert tile(status_page(state), "Maps")[:2] == ("good", "as the ERP lists")
    told = "the ERP lists 60 of 168 items, less than 90 %"
    state["markets"]["b2b_de"]["maps"]["items"]["refused"] = told
    page = status_page(state)
    assert tile(page, "Maps") == ("bad", "ERP lists too little", f"b2b_de: {told}")
    assert "not believed" in Reader(page).texts


def test_shop_ids_that_redis_has_lost_are_red() -> None:
    state = snapshot()
    state["markets"]["b2b_de"]["shop_ids"] = {"count": 5, "is_lost": True}
    page = status_page(state)
    assert tile(page, "Maps") == ("bad", "shop ids lost in Redis", "b2b_de: from memory")


def test_a_process_that_is_not_ready_names_what_it_lacks() -> None:
    state = snapshot()
    state["service"] |= {"is_ready": False, "missing": ["maps of market b2b_de", "stopping"]}

    assert tile(status_page(state), "Service") == (
        "bad",
        "not ready",
        "maps of market b2b_de, stopping",
    )


def test_a_cold_cache_is_not_a_bad_one() -> None:
    state = snapshot()
    state["cache"]["lookups"] = {}

    assert tile(status_page(state), "Answered without the ERP") == (
        "quiet",
        "-",
        "no line asked for yet",
    )


def test_what_is_kept_out_is_shown_by_sku_and_reason() -> None:
    """And how many customers it concerns, but never who they are."""
    state = snapshot()
    texts = Reader(status_page(state)).texts
    start = texts.index("LAMP-04")
    assert texts[start : start + 7] == [
        "LAMP-04",
        "b2b_de",
        "refused_by_erp",
        "2",
        "1",
        "1 min 0 s",
        "for everybody",
    ]
    state["kept_out"][0]["is_alone"] = False
    assert "for those customers" in Reader(status_page(state)).texts
    assert "Nothing." in Reader(status_page({**state, "kept_out": []})).texts


def test_a_source_that_refuses_everything_is_red() -> None:
    """Beside an ERP that is up, nothing else would say so."""
    state = snapshot()
    assert tile(status_page(state), "Prices")[:2] == ("good", "answered")
    failing = {
        "reason": "erp_denied (403)",
        "path": "/api/prices",
        "next_step": "give it the role",
        "for_seconds": 40.0,
        "loads": 9,
    }
    state["markets"]["b2b_de"]["failing"] = failing
    red = tile(status_page(state), "Prices")
    told = "b2b_de: erp_denied (403) at /api/prices for 40 s; give it the role"
    assert red == ("bad", "all refused", told)
    assert tile(status_page({**state, "markets": {}}), "Prices")[:2] == ("quiet", "not reported")


def test_rows_that_differ_in_case_alone_are_counted() -> None:
    state = snapshot()
    state["markets"]["b2b_de"]["maps"]["items"]["clashes"] = 2
    told = " ".join(Reader(status_page(state)).texts)
    assert "2 differ from others in case or blanks alone" in told


def test_rows_that_could_not_be_read_are_told() -> None:
    state = snapshot()
    told = "ReleasedProductsV2: 1 row is not as agreed, the first is 'LAMP-04', in SalesPrice"
    state["markets"]["b2b_de"]["maps"]["items"]["odd"] = told
    page = status_page(state)
    assert tile(page, "Maps") == ("warn", "some rows odd", f"b2b_de: {told}")
    assert told in " ".join(Reader(page).texts)


def test_maps_keys_queues_and_poison_are_shown() -> None:
    texts = Reader(status_page(snapshot())).texts

    assert "items: 20000 rows, 5 min 20 s old" in texts
    assert "2026-11-23T09:34:01Z" in texts
    assert "not since the start" in texts
    assert "running (of 16)" in texts
    assert "7" in texts
    assert texts[texts.index("poison SKUs kept out") + 1] == "3"


@pytest.mark.parametrize(("is_verified", "words"), [(True, "lease 4.2 s"), (False, "not read")])
def test_what_is_known_of_invalidations_is_shown(*, is_verified: bool, words: str) -> None:
    state = snapshot()
    state["markets"]["b2b_de"]["ledger"]["is_verified"] = is_verified
    texts = Reader(status_page(state)).texts

    assert words in texts
    assert "3 scopes known, position 1849569472380928000" in texts


@pytest.mark.parametrize(
    ("changed", "tone", "words"),
    [
        ({}, "good", "current"),
        ({"needs_restart": True}, "warn", "restart needed"),
        ({"mistakes": ["api_keys.0.sha256: expected"]}, "bad", "change not taken"),
    ],
)
def test_a_configuration_that_was_not_taken_is_seen_at_a_glance(
    changed: dict[str, Any], tone: str, words: str
) -> None:
    state = snapshot()
    state["configuration"].update(changed)

    assert tile(status_page(state), "Configuration")[:2] == (tone, words)
    for mistake in changed.get("mistakes", ()):
        assert mistake in tile(status_page(state), "Configuration")[2]


def test_markup_in_any_text_or_name_stays_text() -> None:
    page = status_page(with_markup(snapshot()))

    assert "<script>" not in page
    assert "alert('&" not in page
    assert any(_MARKUP in text for text in Reader(page).texts)


@settings(max_examples=30)
@given(st.data())
def test_a_snapshot_that_lacks_anything_is_shown_all_the_same(data: st.DataObject) -> None:
    """A page that breaks with the part it should report helps nobody."""
    state = snapshot()
    gone = data.draw(st.lists(st.sampled_from(sorted(paths(state), key=str)), unique=True))
    for path in gone:
        owner: Any = state
        for name in path[:-1]:
            owner = owner.get(name, {}) if isinstance(owner, dict) else owner[name]
        owner.pop(path[-1], None)
    before = copy.deepcopy(state)

    page = Reader(status_page(state))

    assert "ERP" in page.texts
    assert state == before


def test_an_empty_snapshot_claims_nothing() -> None:
    toned = Reader(status_page({})).toned

    assert "good" not in {tone for tone, _ in toned}
    assert sum(text.lower().startswith("not reported") for _, text in toned) > 5


async def test_the_page_keeps_itself_current_with_a_script_that_is_served(shop: Shop) -> None:
    page = await shop.admin.get(
        "/status", headers={"Accept": "text/html,application/xhtml+xml", "X-API-Key": KEY}
    )
    script = await shop.admin.get("/docs/status.js")

    text = await page.text()
    assert page.content_type == "text/html"
    assert 'src="docs/status.js"' in text
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in text
    assert script.status == 200
    for element in ("silence", "state"):
        assert f'id="{element}"' in text
        assert f'"{element}"' in await script.text()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "-"),
        (0, "0 s"),
        (0.062, "0.062 s"),
        (59.94, "59.9 s"),
        (60, "1 min 0 s"),
        (200.4, "3 min 20 s"),
        (7500, "2 h 5 min"),
        (3 * 86_400 + 7300, "3 d 2 h"),
    ],
)
def test_durations_read_as_people_say_them(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


def test_every_style_sheet_and_script_of_the_page_is_packaged() -> None:
    routes = DocsRoutes({})

    named = {name for name in ("pages.css", "status.css") if f"docs/{name}" in status_page({})}

    assert named <= set(routes._files)
    assert len(named) == 2


def test_lines_that_are_answered_oddly_are_told_of_for_ten_minutes() -> None:
    state = snapshot()
    odd = {"lines": 12, "reason": "customer_blocked", "sku": "LAMP-04", "seconds_ago": 599.0}
    state["markets"]["b2b_de"]["odd_lines"] = {"code": odd}
    told = "b2b_de: customer_blocked for LAMP-04 (12 lines)"
    assert tile(status_page(state), "Prices") == ("warn", "some lines odd", told)

    state["markets"]["b2b_de"]["odd_lines"] = {"code": {**odd, "seconds_ago": 600.0}}
    assert tile(status_page(state), "Prices")[0] == "good"


def test_workers_are_told_beside_each_other() -> None:
    state = snapshot()
    told = [
        {"number": 1, "state": "ready", "restarts": 0},
        {"number": 2, "state": "silent", "restarts": 3},
    ]
    state["service"] |= {"worker": 1, "workers": told}

    text = "".join(Reader(status_page(state)).texts)

    assert "worker 1 · worker 2: silent (3 restarts) · up" in text
