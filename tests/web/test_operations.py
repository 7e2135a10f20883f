"""What operators and load balancers call: health, invalidations, breakers, logins."""

from datetime import timedelta
from typing import Any

import pytest

from pricing_proxy.domain.freshness import Level
from pricing_proxy.names import ByName
from tests.fakes.master_data import make_customer
from tests.fakes.price_world import context_of, key_of
from tests.web.shop import FORGETTING_KEY, KEY, READER_KEY, Shop


def invalidation(scope: dict[str, Any], level: str = "soft", **more: Any) -> dict[str, Any]:
    return {"market": "b2b_de", "scope": scope, "level": level, "reason": "new prices", **more}


async def test_a_live_process_says_so(shop: Shop) -> None:
    answer = await shop.public.get("/health/live")

    assert (answer.status, await answer.json()) == (200, {"status": "live"})


async def test_a_process_is_ready_once_nothing_is_missing(shop: Shop) -> None:
    shop.obstacles.append("maps of market b2b_de")
    starting = await shop.public.get("/health/ready")
    shop.obstacles.clear()
    ready = await shop.public.get("/health/ready")

    assert starting.status == 503
    assert await starting.json() == {"status": "starting", "missing": ["maps of market b2b_de"]}
    assert (ready.status, await ready.json()) == (200, {"status": "ready", "missing": []})


async def test_load_balancers_may_ask_with_head(shop: Shop) -> None:
    """Some know nothing else; the answer has the head of the other and no body."""
    for client in (shop.public, shop.admin):
        shop.obstacles.append("maps of market b2b_de")
        for path, expected in (("/health/live", 200), ("/health/ready", 503)):
            got, headed = await client.get(path), await client.head(path)
            assert (headed.status, await headed.read()) == (expected, b"")
            assert headed.headers["Content-Length"] == got.headers["Content-Length"]
        shop.obstacles.clear()
        assert (await client.head("/health/ready")).status == 200


@pytest.mark.parametrize(
    ("scope", "concerned", "unconcerned"),
    [
        ({"customer": "C-1"}, ("C-1", "S-1"), ("C-2", "S-1")),
        ({"sku": "S-1"}, ("C-2", "S-1"), ("C-1", "S-2")),
        ({"price_group": "G"}, ("C-1", "S-2"), None),
        ({"all": True}, ("C-2", "S-2"), None),
        ({"price_group": "other"}, None, ("C-1", "S-1")),
        ({"sku": "S-3"}, None, ("C-1", "S-1")),
    ],
)
@pytest.mark.parametrize("level", ["soft", "hard"])
async def test_an_invalidation_concerns_its_scope_and_nothing_else(
    shop: Shop,
    scope: dict[str, Any],
    concerned: tuple[str, str] | None,
    unconcerned: tuple[str, str] | None,
    level: str,
) -> None:
    master = shop.world.master
    other = make_customer("C-3", price_group="other")
    master.everybody = ByName({**master.everybody, "C-3": other})
    for account in ("C-1", "C-2"):
        await shop.ask("S-1", "S-2", customer=account)

    answer = await shop.post_admin(invalidation(scope, level), key=FORGETTING_KEY)

    assert answer.status == 202
    told = await answer.json()
    assert told["market"] == "b2b_de"
    assert int(told["position"]) > 0
    assert answer.headers["Cache-Control"] == "private, no-store"
    if concerned is not None:
        assert _level(shop, *concerned) is Level(level)
    if unconcerned is not None:
        assert _level(shop, *unconcerned) is None


def _level(shop: Shop, account: str, sku: str) -> Level | None:
    marks = shop.world.invalidations.of_context("b2b_de", account, "G")
    return None if marks is None else marks.level(sku, 0, 0)


async def test_a_changed_price_is_shown_after_its_invalidation(shop: Shop) -> None:
    await shop.ask("S-1")
    shop.world.erp.set_price("C-1", "S-1", "7.7777")

    before = await shop.ask("S-1")
    await shop.post_admin(invalidation({"sku": "S-1"}))
    after = await shop.ask("S-1")

    assert before["lines"][0]["price"] == "1.0001"
    assert after["lines"][0]["price"] == "7.7777"


async def test_an_invalidation_that_redis_does_not_take_is_to_be_sent_again(shop: Shop) -> None:
    """This process obeys all the same; forgetting everything may be tried again at once."""
    await shop.ask("S-1")
    shop.world.erp.set_price("C-1", "S-1", "7.7777")
    shop.world.ledger.is_cut = True

    refused = await shop.post_admin(invalidation({"all": True}, "hard"), key=FORGETTING_KEY)
    after = await shop.ask("S-1")
    shop.world.ledger.is_cut = False
    again = await shop.post_admin(invalidation({"all": True}, "hard"), key=FORGETTING_KEY)

    assert (refused.status, again.status) == (503, 202)
    assert (await refused.json())["type"] == "/problems/ledger_unavailable"
    assert refused.headers["Retry-After"] == "2"
    assert after["lines"][0]["price"] == "7.7777"


async def test_positions_only_rise(shop: Shop) -> None:
    positions = [
        int((await (await shop.post_admin(invalidation({"sku": "S-1"}))).json())["position"])
        for _ in range(5)
    ]

    assert positions == sorted(set(positions))


async def test_forgetting_everything_at_once_needs_a_scope_of_its_own(shop: Shop) -> None:
    answer = await shop.post_admin(invalidation({"all": True}, "hard"))

    problem = await answer.json()
    assert (answer.status, problem["type"]) == (403, "/problems/missing_scope")
    assert "invalidate_all_hard" in problem["detail"]


async def test_everything_is_forgotten_at_once_a_minute_at_most(shop: Shop) -> None:
    """A slip of the hand, repeated, would keep every customer cold."""
    everything = invalidation({"all": True}, "hard")

    first = await shop.post_admin(everything, key=FORGETTING_KEY)
    shop.operator_clock.advance(timedelta(seconds=20.5))
    second = await shop.post_admin(everything, key=FORGETTING_KEY)
    softly = await shop.post_admin(invalidation({"all": True}), key=FORGETTING_KEY)
    shop.operator_clock.advance(timedelta(seconds=39.5))
    third = await shop.post_admin(everything, key=FORGETTING_KEY)

    assert [each.status for each in (first, second, softly, third)] == [202, 429, 202, 202]
    assert second.headers["Retry-After"] == "40"
    assert (await second.json())["type"] == "/problems/too_often"


async def test_an_invalidation_tells_no_log_whom_it_concerns(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="pricing_proxy")

    await shop.post_admin(invalidation({"customer": "C-1"}, reason="Frau Meier called"))

    assert "invalidated customer of market b2b_de (soft)" in caplog.text
    assert "C-1" not in caplog.text
    assert "Meier" not in caplog.text


@pytest.mark.parametrize(
    ("content", "status", "pointers"),
    [
        (invalidation({}), 422, {"/scope/customer"}),
        (invalidation({"sku": ""}), 422, {"/scope/sku"}),
        *((invalidation({"all": no}), 422, {"/scope/all"}) for no in (False, 1, 1.0, "true", None)),
        (invalidation({"price_group": 7}), 422, {"/scope/price_group"}),
        (invalidation({"sku": "S-1", "customer": "C-1"}), 400, {"/scope/sku"}),
        (invalidation({"sku": "S-1"}, "medium"), 422, {"/level"}),
        (invalidation({"sku": "S-1"}, reason=""), 422, {"/reason"}),
        (invalidation({"sku": "S-1"}, reason="x" * 201), 422, {"/reason"}),
        (invalidation({"sku": "S-1"}, market="nowhere"), 400, {"/market"}),
        (invalidation({"sku": "S-1"}, urgent=True), 400, {"/urgent"}),
        ({"market": "b2b_de"}, 422, {"/scope", "/level", "/reason"}),
    ],
)
async def test_a_wrong_invalidation_changes_nothing_and_says_why(
    shop: Shop, content: Any, status: int, pointers: set[str]
) -> None:
    answer = await shop.post_admin(content)

    problem = await answer.json()
    assert answer.status == status
    assert {flaw["pointer"] for flaw in problem["errors"]} == pointers
    assert shop.world.invalidations.of_context("b2b_de", "C-1", "G") is None


async def test_a_breaker_obeys_operators(shop: Shop) -> None:
    path = "/v1/breakers/erp:price_read"

    for order in ("isolate", "close"):
        answer = await shop.post_admin({"order": order}, path=path)
        assert answer.status == 200

    assert shop.breaker.orders == ["isolate", "close"]


@pytest.mark.parametrize(
    ("path", "content", "key", "status"),
    [
        ("/v1/breakers/nothing", {"order": "close"}, KEY, 404),
        ("/v1/breakers/erp:price_read", {"order": "explode"}, KEY, 422),
        ("/v1/breakers/erp:price_read", {}, KEY, 422),
        ("/v1/breakers/erp:price_read", {"order": "close"}, READER_KEY, 403),
    ],
)
async def test_a_breaker_obeys_no_wrong_order(
    shop: Shop, path: str, content: Any, key: str, status: int
) -> None:
    answer = await shop.post_admin(content, path=path, key=key)

    assert answer.status == status
    assert shop.breaker.orders == []


async def test_a_gate_is_opened_and_by_no_wrong_order(shop: Shop) -> None:
    opened = await shop.post_admin({"order": "open"}, path="/v1/gates/erp:pricing")
    assert (opened.status, shop.gate.opened) == (200, 1)
    assert "service" in await opened.json()

    for path, content, status, pointer in (
        ("erp:pricing", {"order": "close"}, 422, "/order"),
        ("erp:pricing", {}, 422, "/order"),
        ("erp:sync", {"order": "open"}, 404, ""),
    ):
        answer = await shop.post_admin(content, path=f"/v1/gates/{path}")
        problem = await answer.json()
        assert (answer.status, shop.gate.opened) == (status, 1)
        assert [flaw["pointer"] for flaw in problem["errors"]] == [pointer]


async def test_a_gate_that_redis_does_not_know_open_is_said_to_be_open_here_alone(
    shop: Shop,
) -> None:
    shop.gate.is_redis_away = True
    answer = await shop.post_admin({"order": "open"}, path="/v1/gates/erp:pricing")
    problem = await answer.json()
    assert (answer.status, problem["type"]) == (503, "/problems/gate_not_shared")
    assert (answer.headers["Retry-After"], shop.gate.opened) == ("2", 1)


async def test_a_login_warms_behind_its_answer(shop: Shop) -> None:
    answer = await shop.post(
        {"market": "b2b_de", "skus": ["S-1", "S-2", "nowhere"]}, path="/v1/customers/C-1/login"
    )
    told = await answer.json()
    await shop.world.settle()
    page = await shop.post({"market": "b2b_de", "customer": "C-1", "lines": [{"sku": "S-2"}]})

    assert (answer.status, told) == (202, {"warming": 2})
    assert page.headers["Cache-Status"] == "pricing-proxy; hit; detail=l1"
    assert shop.world.erp.lines == 2


@pytest.mark.parametrize(
    ("account", "content", "status", "pointer"),
    [
        ("C-9", {"market": "b2b_de"}, 404, "/customer"),
        ("C" * 33, {"market": "b2b_de"}, 422, "/customer"),
        ("C%00", {"market": "b2b_de"}, 422, "/customer"),
        ("C-1", {"market": "nowhere"}, 400, "/market"),
        ("C-1", {}, 422, "/market"),
        ("C-1", {"market": "b2b_de", "skus": [""]}, 422, "/skus/0"),
        ("C-1", {"market": "b2b_de", "skus": ["S-1"] * 201}, 422, "/skus"),
        ("C-1", {"market": "b2b_de", "sku": "S-1"}, 400, "/sku"),
    ],
)
async def test_a_wrong_login_warms_nothing_and_says_why(
    shop: Shop, account: str, content: Any, status: int, pointer: str
) -> None:
    answer = await shop.post(content, path=f"/v1/customers/{account}/login")

    problem = await answer.json()
    assert answer.status == status
    assert [flaw["pointer"] for flaw in problem["errors"]] == [pointer]
    assert shop.world.erp.batches == []


async def test_metrics_are_prometheus_text(shop: Shop) -> None:
    await shop.ask("S-1")

    answer = await shop.admin.get("/metrics")

    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "# TYPE pricing_proxy_requests_total counter" in await answer.text()


async def test_what_is_kept_out_is_cleared_as_named(shop: Shop) -> None:
    """After somebody mended an agreement in the ERP, nobody wants to wait for ten minutes."""
    world, path = shop.world, "/v1/kept-out/clear"
    refusals = world.loader.failures.refusals
    for sku in ("S-1", "S-2"):
        for _ in range(2):
            refusals.note(context_of(), key_of(sku), began_us=world.now_us)
            refusals.note_accepted("b2b_de")
    before = await shop.ask("S-1", "S-2")
    one = await shop.post_admin({"market": "b2b_de", "sku": "s-1"}, path=path)
    after = await shop.ask("S-1", "S-2")
    rest = await shop.post_admin({}, path=path)
    none = await shop.post_admin({}, path=path)

    assert [line["state"] for line in before["lines"]] == ["unavailable", "unavailable"]
    assert [line["state"] for line in after["lines"]] == ["fresh", "unavailable"]
    assert [await each.json() for each in (one, rest, none)] == [
        {"cleared": 1},
        {"cleared": 1},
        {"cleared": 0},
    ]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ({"market": "nowhere"}, 400),
        ({"customer": "C-1"}, 400),
        ({"sku": ""}, 422),
        ([], 422),
    ],
)
async def test_a_wrong_clearing_names_what_is_wrong(shop: Shop, content: Any, status: int) -> None:
    answer = await shop.post_admin(content, path="/v1/kept-out/clear")

    assert answer.status == status
