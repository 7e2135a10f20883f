"""What the schedule for alerts finds in the store, whatever flow it is of."""

from collections.abc import AsyncIterator

import pytest

from sync.engine.flow import Work
from sync.engine.outcomes import Caution, Done
from sync.engine.schedules import FailingSchedules
from sync.serve.stores import Stores, stores
from sync.serve.watching import watching
from sync.settings import load
from tests.sync_console.conftest import CommandLine
from tests.sync_engine.engine import Engine
from tests.virtual_time import ManualClock


@pytest.fixture
async def opened(d365_sync: CommandLine) -> AsyncIterator[Stores]:
    async with stores(load(d365_sync.file)) as found:
        yield found


@pytest.mark.parametrize("system", ["fo", "magento"])
async def test_the_sixth_write_of_one_document_in_an_hour_raises_an_alert(
    engine: Engine, opened: Stores, d365_sync: CommandLine, system: str
) -> None:
    async def write(work: Work) -> Done:
        call = work.call(system, "order stop", {"SalesOrderNumber": "SO-1"})
        await call.sent()
        await call.acked(200, {})
        return Done()

    engine.orders.carry_with = write
    alerts = load(d365_sync.file).sync.alerts

    async def keys() -> list[str]:
        watch = watching(alerts, opened, [], FailingSchedules(), clock=ManualClock())
        await watch.run()
        return [alert.key for alert in await opened.alerts.open_alerts()]

    for number in range(5):
        await engine.carry(await engine.receive("100", task=str(number)))
    assert await keys() == []

    await engine.carry(await engine.receive("100", task="one more"))
    assert await keys() == [f"rewritten/orders/b2b_de/{system}/order stop"]

    await engine.execute("UPDATE sync_attempt SET sent_at = sent_at - interval '61 minutes'")
    assert await keys() == []


async def test_what_was_sent_with_a_difference_raises_an_alert_for_a_day(
    engine: Engine, opened: Stores, d365_sync: CommandLine
) -> None:
    """`tax_difference = "warn"` warned nobody: the note of a done event was all that knew."""
    told = Caution(field="OrderTotalTaxAmount", text="tax: 1 and 2", advice="compare both")

    async def carry(work: Work) -> Done:
        return Done("is in the ERP", told if work.event.business_key == "100" else None)

    engine.orders.carry_with = carry
    alerts = load(d365_sync.file).sync.alerts

    async def keys() -> list[str]:
        await watching(alerts, opened, [], FailingSchedules(), clock=ManualClock()).run()
        return [alert.key for alert in await opened.alerts.open_alerts()]

    for number in ("100", "101"):
        event = await engine.receive(number)
        await engine.carry(event)
    assert await keys() == ["caution/orders/b2b_de/OrderTotalTaxAmount"]
    (alert,) = await opened.alerts.open_alerts()
    assert alert.count == 1

    await engine.execute("UPDATE sync_event SET ended_at = ended_at - interval '25 hours'")
    assert await keys() == []
