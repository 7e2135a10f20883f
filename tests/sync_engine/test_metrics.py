from datetime import UTC, datetime

from pricing_proxy.telemetry.traces import Traces
from sync.engine.flow import Work
from sync.engine.metrics import Counting, SyncMetrics
from sync.engine.outcomes import Done, HeldError
from sync.engine.runner import Runner
from sync.store.alert_record import AlertRecord
from sync.store.alerts import AlertStore
from sync.store.odd_rows import OddRowStore
from tests.sync_engine.engine import MARKET, Engine
from tests.sync_engine.test_odd_rows import record
from tests.unit.test_traces import Collector
from tests.virtual_time import ManualClock


async def hold(_: Work) -> Done:
    raise HeldError(field="Payment", text="unknown code", advice="map it")


async def test_attempts_events_and_lag_are_shown(engine: Engine) -> None:
    """A held event keeps its flow's lag growing: it is not ended."""
    metrics = SyncMetrics(ManualClock())
    runner = Runner(
        database=engine.database,
        events=engine.events,
        journal=engine.journal,
        flows={"orders": engine.orders},
        clock=ManualClock(),
        give_up_after=20,
        metrics=metrics,
    )
    await runner.carry(await engine.receive("1"))
    engine.orders.carry_with = hold
    held = await engine.receive("2")
    await runner.carry(held)
    await engine.execute("UPDATE sync_event SET created_at = created_at - interval '1 hour'")

    metrics.counted(await engine.overview.flows(), {}, {})

    labels = {"flow": "orders", "market": MARKET}
    sample = metrics.registry.get_sample_value
    for outcome in ("done", "held"):
        assert sample("d365_sync_attempts_total", {**labels, "outcome": outcome}) == 1
        assert sample("d365_sync_events", {**labels, "state": outcome}) == 1
    assert sample("d365_sync_events", {**labels, "state": "working"}) == 0
    # Without it the first leases that are lost would be no increase.
    assert sample("d365_sync_attempts_total", {**labels, "outcome": "fence_lost"}) == 0
    lag = sample("d365_sync_lag_seconds", labels)
    assert lag is not None
    assert 3600 <= lag < 3700


async def test_the_age_of_the_counts_is_shown(engine: Engine) -> None:
    """Numbers of a database that is away are old, and say so."""
    clock = ManualClock()
    metrics = SyncMetrics(clock)
    age = "d365_sync_counted_seconds"
    assert metrics.registry.get_sample_value(age) == -1

    metrics.counted([], {}, {})
    assert metrics.registry.get_sample_value(age) == 0
    assert b"d365_sync_attempts" in metrics.text()

    rows, alerts = OddRowStore(engine.database), AlertStore(engine.database)
    async with Counting(engine.overview, rows, alerts, metrics):
        pass


async def test_rows_that_cannot_be_read_are_counted_until_they_are_in_order(
    engine: Engine,
) -> None:
    rows, metrics = OddRowStore(engine.database), SyncMetrics(ManualClock())
    await rows.keep([record(51), record(52), record(53, source="returns")])
    await rows.set_aside("orders", row_id=52, member="", reason="a draft", by="ann")

    def shown(flow: str) -> float | None:
        return metrics.registry.get_sample_value("d365_sync_odd_rows", {"flow": flow})

    metrics.counted([], await rows.counts(), {})
    assert (shown("orders"), shown("returns")) == (1, 1)
    await rows.end("orders", [51])
    metrics.counted([], await rows.counts(), {})
    assert (shown("orders"), shown("returns")) == (None, 1)


async def test_open_alerts_are_counted_by_their_kind_until_they_are_over(engine: Engine) -> None:
    alerts, metrics = AlertStore(engine.database), SyncMetrics(ManualClock())
    keys = ("held/orders/b2b_de/refused/City", "held/returns/b2b_de/refused/Item", "pace")
    drift = "notice/stock/b2b_de/drift"
    at = datetime(2026, 11, 29, tzinfo=UTC)
    await alerts.keep(
        AlertRecord(key, "Wrong", "Look", 1, at, None, 0, 0) for key in (*keys, drift)
    )

    def shown(kind: str) -> float | None:
        return metrics.registry.get_sample_value("d365_sync_open_alerts", {"kind": kind})

    metrics.counted([], {}, await alerts.count_open())
    assert [shown(kind) for kind in ("held", "pace", "drift", "late")] == [2, 1, 1, None]
    await alerts.end(["pace"])
    metrics.counted([], {}, await alerts.count_open())
    assert [shown(kind) for kind in ("held", "pace", "drift")] == [2, None, 1]


def test_a_gate_shows_how_long_it_stays_closed_whenever_somebody_looks() -> None:
    metrics, left = SyncMetrics(ManualClock()), [540.0]
    metrics.show_gate("shop", lambda: left[0])

    def shown() -> float | None:
        return metrics.registry.get_sample_value("d365_sync_gate_closed_seconds", {"gate": "shop"})

    assert shown() == 540
    left[0] = 0
    assert shown() == 0
    assert b'd365_sync_gate_closed_seconds{gate="shop"} 0.0' in metrics.text()


async def test_calls_are_traced_within_their_attempt(engine: Engine) -> None:
    """A call that took long is of no use without the attempt that it held up."""
    collector = Collector()
    with Traces(service="tests", exporter=collector, sample_ratio=1.0) as traces:

        async def call(_: Work) -> Done:
            with traces.span("fo order_header_create"):
                return Done()

        engine.orders.carry_with = call
        runner = Runner(
            database=engine.database,
            events=engine.events,
            journal=engine.journal,
            flows={"orders": engine.orders},
            clock=ManualClock(),
            give_up_after=20,
            span=traces.span,
        )
        await runner.carry(await engine.receive("1"))

    called, attempt = collector.spans
    assert (called.name, attempt.name) == ("fo order_header_create", "carry orders")
    assert called.parent == attempt.context
    assert attempt.parent is None
