"""Events of documents that are known by their number only, until somebody has looked them up."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.engine.flow import Work
from sync.engine.outcomes import Done, IdentifiedError, WaitForError
from sync.store.reference_forms import ReferenceForms
from sync.store.states import EventState
from tests.sync_engine.engine import MARKET, Engine


async def identify(work: Work) -> Done:
    """Say that whatever is known by its number is document 37."""
    if work.event.document_id is None:
        raise IdentifiedError("37")
    return Done("done")


async def receive(engine: Engine, document_id: str, number: str, task: str = "export") -> int:
    """Enter an event of a document; return its id."""
    key = f"orders/{MARKET}/#{document_id}"
    await engine.events.receive(
        flow="orders",
        market=MARKET,
        document_id=document_id,
        business_key=number,
        source_key=f"{key}/{task}",
        payload={},
        lock_key=key,
    )
    return (await engine.overview.by_document("orders", document_id))[-1].id


async def test_an_event_is_put_in_line_again_under_the_lock_of_its_document(
    engine: Engine,
) -> None:
    engine.orders.carry_with = identify
    event = await engine.receive("1000")

    await engine.carry(event)

    known = await engine.event(event)
    assert (known.state, known.document_id) == (EventState.RECEIVED, "37")
    assert known.lock_key == f"orders/{MARKET}/#37"
    assert known.source_key == f"orders/{MARKET}/#37/export"
    assert known.name == "1000 (#37)"
    await engine.carry(event)
    assert await engine.state(event) is EventState.DONE


async def test_a_source_enters_it_no_second_time_afterwards(engine: Engine) -> None:
    engine.orders.carry_with = identify
    event = await engine.receive("1000")
    await engine.carry(event)

    assert await receive(engine, "37", "1000") == event


async def test_one_that_was_entered_meanwhile_waits_behind_it(engine: Engine) -> None:
    engine.orders.carry_with = identify
    event = await engine.receive("1000")
    later = await receive(engine, "37", "1000")

    await engine.carry(later)
    assert await engine.state(later) is EventState.WAITING
    await engine.carry(event)
    # Both stay, since the source key is the later one's already.
    assert (await engine.event(event)).source_key == f"orders/{MARKET}/1000/export"
    await engine.carry(event)
    await engine.carry(later)

    assert await engine.state(event) is EventState.DONE
    assert await engine.state(later) is EventState.DONE


async def test_equal_numbers_of_two_documents_are_carried_side_by_side(engine: Engine) -> None:
    first, second = await receive(engine, "37", "1000"), await receive(engine, "38", "1000")

    await engine.carry(second)
    assert await engine.state(second) is EventState.DONE
    assert await engine.state(first) is EventState.RECEIVED


async def test_who_waits_for_a_document_waits_for_its_own_event_and_no_namesakes(
    engine: Engine,
) -> None:
    async def wait(work: Work) -> Done:
        if work.event.document_id == "37":
            raise WaitForError(
                flow="customers", document_id="7", business_key="7", payload={"customer_id": 7}
            )
        return Done()

    engine.orders.carry_with = wait
    waiting, other = await receive(engine, "37", "1000"), await receive(engine, "38", "1000")

    await engine.carry(waiting)
    await engine.carry(other)

    (customer,) = await engine.overview.by_document("customers", "7")
    assert customer.lock_key == f"customers/{MARKET}/#7"
    assert (await engine.event(waiting)).depends_on == customer.id
    assert await engine.state(other) is EventState.DONE


@pytest.mark.parametrize("is_known", [True, False])
async def test_what_may_be_waited_for_is_waited_for(engine: Engine, *, is_known: bool) -> None:
    """A return finds its order's event also where that is known by its number only."""

    async def wait(work: Work) -> Done:
        del work
        raise WaitForError(flow="orders", document_id="37", business_key="1000", payload={})

    order = await (receive(engine, "37", "1000") if is_known else engine.receive("1000"))
    engine.customers.carry_with = wait
    key = f"customers/{MARKET}/#5"
    await engine.events.receive(
        flow="customers",
        market=MARKET,
        document_id="5",
        business_key="5",
        source_key=key,
        payload={},
        lock_key=key,
    )
    (waiting,) = await engine.overview.by_document("customers", "5")

    await engine.carry(waiting.id)

    assert (await engine.event(waiting.id)).depends_on == order


async def test_every_form_that_references_ever_had_is_kept(store: AsyncEngine) -> None:
    forms = ReferenceForms(store)
    await forms.note(MARKET, {3: "", 4: "B-"})
    await forms.note(MARKET, {3: "A-", 4: "B-"})
    await forms.note("b2c", {6: "C-"})

    assert await forms.of(MARKET, 3) == ["", "A-"]
    assert await forms.of(MARKET, 4) == ["B-"]
    assert await forms.of(MARKET, 5) == []


async def test_equal_ids_of_documents_of_different_kinds_never_meet(engine: Engine) -> None:
    """An order, a credit memo and a customer may all be number 37 of the shop."""
    await receive(engine, "37", "37")
    for flow in ("returns", "customers"):
        key = f"{flow}/{MARKET}/#37"
        await engine.events.receive(
            flow=flow,
            market=MARKET,
            document_id="37",
            business_key="37",
            source_key=key,
            payload={},
            lock_key=key,
        )
    (customer,) = await engine.overview.by_document("customers", "37")

    await engine.carry(customer.id)

    assert await engine.state(customer.id) is EventState.DONE
    (order,) = await engine.overview.by_key("37", flow="orders")
    assert order.state is EventState.RECEIVED


async def test_a_store_view_takes_its_forms_along_to_another_market(store: AsyncEngine) -> None:
    """What was sent of its orders a moment before would not be found, and be sent again."""
    forms = ReferenceForms(store)
    await forms.note("b2b_de", {3: "A-", 4: "B-"})
    await forms.note("b2c", {4: "", 5: "C-"})

    assert await forms.of("b2c", 4) == ["B-", ""]
    assert await forms.of("b2c", 5) == ["C-"]
