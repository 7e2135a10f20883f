"""What an operator sees without typing a command."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from fakeredis import FakeAsyncRedis
from pydantic import ValidationError

from pricing_proxy.clock import SystemClock
from pricing_proxy.resilience.errors import UpstreamDeniedError
from pricing_proxy.resilience.gate import Gate
from pricing_proxy.resilience.operation import CallReport
from pricing_proxy.shared_state.redis_watch import RedisTrouble, RedisWatch
from pricing_proxy.supervision import Supervision
from sync.alerts.book import look
from sync.alerts.conditions import held
from sync.alerts.watcher import record_of
from sync.console.operator_pages import OperatorPages
from sync.engine.flow import Work
from sync.engine.metrics import SyncMetrics
from sync.engine.outcomes import Done, HeldError
from sync.engine.wishes import untaken
from sync.mirror.governor import pace_view
from sync.sections import Operators
from sync.serve.mirror_state import MirrorState, Rotation
from sync.serve.stores import Stores, configuration_hash, stores
from sync.settings import load
from sync.store.links import MarketLinks
from sync.store.mirror_records import RunState
from sync.store.mirror_views import WholeRead
from sync.store.order_writes import ORDER_LINK
from sync.store.watched_order_record import OrderLook
from sync.store.wish_record import Place
from sync.store.wishes import MarketWishes
from tests.sync_alerts.mirror_runs import NOW, run
from tests.sync_console.conftest import CommandLine
from tests.sync_engine.engine import Engine

Mirrors = Callable[[datetime], Awaitable[MirrorState | None]]


async def hold(_: Work) -> Done:
    raise HeldError(field="City<b>", text="is too long", advice="shorten it")


async def no_mirrors(_: datetime) -> MirrorState | None:
    return None


@pytest.fixture
async def opened(d365_sync: CommandLine) -> AsyncIterator[Stores]:
    async with stores(load(d365_sync.file)) as found:
        yield found


async def get(
    opened: Stores,
    path: str,
    *gates: Gate,
    host: str = "localhost",
    troubles: Sequence[RedisTrouble] = (),
    metrics: SyncMetrics | None = None,
    supervision: Supervision | None = None,
    method: str = "GET",
    mirrors: Mirrors = no_mirrors,
) -> tuple[int, str]:
    redis = RedisWatch(FakeAsyncRedis())
    redis.troubles = troubles
    metrics = metrics or SyncMetrics(SystemClock())
    metrics.counted(
        await opened.overview.flows(),
        await opened.odd_rows.counts(),
        await opened.alerts.count_open(),
    )
    pages = OperatorPages(
        opened,
        metrics,
        mirrors=mirrors,
        clock=SystemClock(),
        gates=gates,
        redis=redis,
        supervision=supervision or Supervision(),
    )
    client: TestClient[Any, Any]
    async with TestClient(TestServer(pages.application())) as client:
        answer = await client.request(method, path, headers={"Host": host})
        return answer.status, await answer.text()


async def test_the_page_shows_what_waits_for_a_person(engine: Engine, opened: Stores) -> None:
    engine.orders.carry_with = hold
    event = await engine.receive("100000201")
    await engine.carry(event)
    await opened.control.set_paused("orders", is_paused=True, reason="a test", by="anna")
    seen = look([], held(await opened.overview.held(named=5)), now=SystemClock().utc())
    await opened.alerts.keep([record_of(alert) for alert in seen.open_alerts])

    status, page = await get(opened, "/")

    assert status == 200
    for text in (
        "orders 100000201",
        "City&lt;b&gt;",
        "is too long",
        "shorten it",
        f"d365-sync replay {event}",
        "paused",
        "1 order of b2b_de held",
        "1 wrong",
    ):
        assert text in page
    assert "City<b>" not in page


async def test_the_page_names_each_gate_that_throttling_closed_and_what_opens_it(
    opened: Stores,
) -> None:
    shop, erp, tokens = (
        Gate(system="any", name=name, clock=SystemClock(), chance=lambda: 0.0)
        for name in ("shop", "prod:sync", "prod:sync:tokens")
    )
    assert "throttling" not in (await get(opened, "/", shop, erp, tokens))[1]
    shop.throttled(timedelta(minutes=10))
    tokens.throttled(timedelta(minutes=10))

    _, page = await get(opened, "/", shop, erp, tokens)

    assert "<code>d365-sync gate open --shop</code>" in page
    assert "<code>d365-sync gate open prod --token</code>" in page
    assert "<code>d365-sync gate open prod</code>" not in page


async def test_the_page_and_status_show_what_another_system_does_not_keep(
    engine: Engine, opened: Stores, d365_sync: CommandLine
) -> None:
    configuration = configuration_hash(load(d365_sync.file))
    kept = MarketWishes(engine.database, "b2b_de", configuration=configuration)
    place, now = Place("magento", "all customers", "erp_account"), SystemClock().utc()
    await kept.keep(untaken(place, "is <i>dropped</i>", "create it in the shop", now=now))

    status, page = await get(opened, "/")

    assert status == 200
    for text in ("What another system does not keep", "erp_account", "create it in the shop"):
        assert text in page
    assert "<i>" not in page
    [told] = (await d365_sync.json("status"))["state"]["unsettled"]
    assert (told["field"], told["example"]) == ("erp_account", "all customers")
    assert "create it in the shop" in " ".join((await d365_sync("status")).stdout.split())


async def test_the_page_and_status_show_how_well_orders_are_watched(
    engine: Engine, opened: Stores, d365_sync: CommandLine
) -> None:
    await MarketLinks(engine.database, "b2b_de").remember(ORDER_LINK, "7", "SO-7")
    since = await opened.watched.take_in("b2b_de", datetime(1970, 1, 1, tzinfo=UTC))
    [order] = await opened.watched.due("b2b_de", now=since + timedelta(hours=1), most=1)
    late = since - timedelta(minutes=50)
    await opened.watched.note("b2b_de", [OrderLook(order=order, seen=order.seen, due_at=late)])

    _, page = await get(opened, "/")

    assert "Orders that are watched in the ERP" in page
    [told] = (await d365_sync.json("status"))["state"]["watched"]
    assert (told["market"], told["moving"], told["due"]) == ("b2b_de", 1, 1)
    assert "Orders that are watched in the ERP" in (await d365_sync("status")).stdout


async def test_the_page_asks_for_no_login_and_knows_its_names(opened: Stores) -> None:
    for path in ("/", "/metrics"):
        assert (await get(opened, path, host="attacker.example"))[0] == 421
        assert (await get(opened, path, host="127.0.0.1:8091"))[0] == 200
    assert (await get(opened, "/health/live", host="attacker.example"))[0] == 200
    assert await get(opened, "/health/live", method="HEAD") == (200, "")


async def test_the_page_brings_its_own_style(opened: Stores) -> None:
    """Its policy allows no other."""
    _, page = await get(opened, "/")
    status, style = await get(opened, "/pages.css")

    assert 'href="pages.css"' in page
    assert "<style" not in page
    assert (status, ".badge" in style) == (200, True)


async def test_an_empty_store_has_a_page_too(opened: Stores) -> None:
    status, page = await get(opened, "/")

    assert status == 200
    assert "Nothing is wrong." in page


async def test_metrics_tell_counts_and_lag(engine: Engine, opened: Stores) -> None:
    await engine.receive("1")

    status, text = await get(opened, "/metrics")

    assert status == 200
    assert 'd365_sync_events{flow="orders",market="b2b_de",state="received"} 1.0' in text
    assert "d365_sync_lag_seconds" in text
    assert (await get(opened, "/health/live"))[0] == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.7", "sync.example", "::"])  # noqa: S104
def test_others_may_not_look_without_a_login(host: str) -> None:
    with pytest.raises(ValidationError, match="expected a loopback address"):
        Operators(host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_may(host: str) -> None:
    assert Operators(host=host).host == host


async def test_the_page_says_what_redis_breaks(opened: Stores) -> None:
    trouble = RedisTrouble("refuses writes (OOM): much", "Raise maxmemory", refuses="OOM")
    _, page = await get(opened, "/", troubles=[trouble])
    for text in ("refuses writes (OOM): much.", "Raise maxmemory."):
        assert text in page
    _, page = await get(opened, "/")
    assert "Redis" not in page


async def test_the_page_shows_what_fails_in_the_background_and_who_refuses_everything(
    opened: Stores,
) -> None:
    metrics, supervision = SyncMetrics(SystemClock()), Supervision()
    _, page = await get(opened, "/", metrics=metrics, supervision=supervision)
    assert "fails" not in page
    assert "refuse everything" not in page

    supervision.loop("sweep").note(RuntimeError("a defect"))
    denied = UpstreamDeniedError("no", system="fo", status=403)
    for _ in range(10):
        metrics.refused.note(
            CallReport(
                system="fo",
                operation="SalesOrders",
                guard="demf:document_read",
                error=denied,
                wire_us=1000,
            )
        )
    _, page = await get(opened, "/", metrics=metrics, supervision=supervision)
    assert '<span class="badge bad">sweep</span>' in page
    assert "RuntimeError" in page
    assert '<span class="badge bad">demf:document_read</span>' in page
    assert "answered 403" in page


async def test_the_page_shows_what_comes_from_the_erp(opened: Stores) -> None:
    async def mirrors(_: datetime) -> MirrorState:
        waits = run(7, RunState.WAITING, counts={"waiting": 3})
        pace = pace_view(None, NOW, ceiling=2)
        hour = timedelta(hours=1)
        last = WholeRead("stock", "b2b_de", NOW - hour, NOW - hour / 2, NOW - 5 * hour)
        turn = Rotation(flow="stock", market="b2b_de", every=4 * hour, last=last)
        return MirrorState(
            runs=[waits], rows={7: {"waiting": 3}}, wanted=[], pace=pace, rotations=[turn]
        )

    status, page = await get(opened, "/", mirrors=mirrors)
    assert status == 200
    assert "d365-sync runs show 7" in page
    assert "3 waiting" in page
    assert "written to by 2 batches at once" in page
    assert "All stock of b2b_de is read every 4 h; last " in page
    assert " ago, in 30 min, 4 h after the one before." in page
