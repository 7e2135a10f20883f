"""What was written of a field is kept for one market and configuration, and nobody's data."""

from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from pricing_proxy.http_exchange import Guard
from sync.engine.flow import Work
from sync.engine.outcomes import Done
from sync.engine.wishes import HOUR, MOST_WRITES, Objection, Wish, fulfil, untaken
from sync.store.rewrites import Rewrites
from sync.store.wish_record import Place
from sync.store.wishes import MarketWishes, UnsettledWishes
from tests.sync_engine.engine import MARKET, Engine

AT = datetime(2026, 11, 29, 5, 0, tzinfo=UTC)
PLACE = Place("fo", "account C-1", "master data")
WISH = Wish(place=PLACE, value="Müller GmbH", seen="MUELLER GMBH", advice="look at the ERP")


def wishes(store: AsyncEngine, market: str = MARKET, configuration: str = "c0ffee") -> MarketWishes:
    return MarketWishes(store, market, configuration=configuration)


class Dropping:
    """Carries a customer into a system that answers nothing and keeps nothing."""

    def __init__(self) -> None:
        self.sendings = 0

    async def carry(self, work: Work) -> Done:
        notes = await fulfil(
            work, WISH, operation="customer update", request={"n": 1}, send=self._send
        )
        return Done("; ".join(notes))

    async def _send(self, *, guard: Guard) -> None:
        await guard()
        self.sendings += 1


async def test_a_write_is_remembered_from_one_event_to_the_next(
    engine: Engine, store: AsyncEngine
) -> None:
    flow = Dropping()
    engine.orders.carry_with = flow.carry
    notes = []
    for number in range(4):
        event = await engine.receive(str(number))
        await engine.carry(event)
        notes.append((await engine.event(event)).note)

    assert flow.sendings == 1
    assert [note for note in notes if note] == [
        "master data does not keep what is written: look at the ERP"
    ]
    [unsettled] = await UnsettledWishes(store, configuration="c0ffee").read()
    assert (unsettled.field, unsettled.documents) == ("master data", 1)
    assert unsettled.text == Objection.NOT_TAKEN


async def test_another_market_or_configuration_begins_anew(store: AsyncEngine) -> None:
    await wishes(store).keep(untaken(PLACE, "is dropped", "create it", now=AT))

    assert await wishes(store).last(PLACE) is not None
    assert await wishes(store, "b2c").last(PLACE) is None
    assert await wishes(store, configuration="beef").last(PLACE) is None
    assert await UnsettledWishes(store, configuration="beef").read() == []


async def test_what_is_as_it_should_be_is_no_trouble_any_more(store: AsyncEngine) -> None:
    kept = wishes(store)
    await kept.settle(PLACE)
    assert await kept.last(PLACE) is None
    await kept.keep(untaken(PLACE, "is dropped", "create it", now=AT))

    await kept.settle(PLACE)
    found = await kept.last(PLACE)
    assert found is not None
    assert (found.is_taken, found.text) == (True, "")
    assert await UnsettledWishes(store, configuration="c0ffee").read() == []
    await kept.forget(PLACE)
    assert await kept.last(PLACE) is None


async def test_nothing_of_a_value_is_kept(engine: Engine, store: AsyncEngine) -> None:
    engine.orders.carry_with = Dropping().carry
    await engine.carry(await engine.receive("1"))

    async with store.connect() as connection:
        rows = str((await connection.execute(text("SELECT * FROM sync_wish"))).all())
    assert "account C-1" in rows
    assert "ller" not in rows.lower()


class Journalling:
    """Writes as often as told, each time the same or each time something else."""

    def __init__(self, times: int, *, same: bool) -> None:
        self.times, self.same = times, same

    async def carry(self, work: Work) -> Done:
        for number in range(self.times):
            call = work.call("fo", "order line create", {"line": 1 if self.same else number})
            await call.sent()
            await call.acked(200, {})
        return Done()


async def test_a_document_written_by_more_than_five_events_is_found(
    engine: Engine, store: AsyncEngine
) -> None:
    engine.orders.carry_with = Journalling(1, same=False).carry
    for number in range(MOST_WRITES):
        await engine.carry(await engine.receive("100", task=str(number)))
    assert await Rewrites(store).more_than(MOST_WRITES, within=HOUR) == []
    await engine.carry(await engine.receive("100", task="one more"))

    [found] = await Rewrites(store).more_than(MOST_WRITES, within=HOUR)
    assert (found.business_key, found.times) == ("100", MOST_WRITES + 1)
    await engine.execute("UPDATE sync_attempt SET sent_at = sent_at - interval '61 minutes'")
    assert await Rewrites(store).more_than(MOST_WRITES, within=HOUR) == []


async def test_equal_numbers_of_two_stores_are_two_documents(
    engine: Engine, store: AsyncEngine
) -> None:
    engine.orders.carry_with = Journalling(1, same=False).carry
    for number in range(MOST_WRITES + 1):
        event = await engine.receive("100", task=str(number))
        document_id = str(number % 2)
        statement = "UPDATE sync_event SET document_id = :document_id WHERE id = :id"
        await engine.execute(statement, id=event, document_id=document_id)
        await engine.carry(event)

    assert await Rewrites(store).more_than(MOST_WRITES, within=HOUR) == []
    [first, second] = await Rewrites(store).more_than(2, within=HOUR)
    assert {first.name, second.name} == {"100 (#0)", "100 (#1)"}


async def test_many_lines_of_one_order_are_no_loop_and_one_line_again_and_again_is(
    engine: Engine, store: AsyncEngine
) -> None:
    engine.orders.carry_with = Journalling(20, same=False).carry
    await engine.carry(await engine.receive("100"))
    assert await Rewrites(store).more_than(MOST_WRITES, within=HOUR) == []

    engine.orders.carry_with = Journalling(6, same=True).carry
    await engine.carry(await engine.receive("101"))
    [found] = await Rewrites(store).more_than(MOST_WRITES, within=HOUR)
    assert found.business_key == "101"
