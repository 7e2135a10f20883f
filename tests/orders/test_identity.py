"""Whose a document is: equal numbers of two store views, markets or kinds never meet."""

from dataclasses import replace
from typing import Any

import pytest

from sync.engine.outcomes import Done, HeldError, IdentifiedError, RetryLaterError
from tests.fakes.order_erp import FakeOrderErp, Fault, ProcessDiedError
from tests.fakes.order_flow import order_flow
from tests.fakes.order_shop import FakeLinks, FakeShop, FakeWork, event_of
from tests.fakes.references import FakeForms, own_headers
from tests.orders import recorded
from tests.virtual_time import ManualClock

SAMPLE = recorded.orders()["tax_excl_row__mixed_rates"]
NUMBER = "4000006164"
# The ids are those of the case that was reported, the number too.
STORES = {37: 3, 38: 2}


class TwoStores:
    """Two orders of one number, placed in two store views whose orders go to one company."""

    def __init__(self, **prefixes: str) -> None:
        self.clock = ManualClock()
        self.erp = FakeOrderErp(self.clock, iter(()))
        self.erp.tax = SAMPLE.tax_amount
        self.shop = FakeShop()
        self.links = FakeLinks()
        self.forms = FakeForms({""})
        self.prefixes = {key.removeprefix("store_"): value for key, value in prefixes.items()}
        for entity_id, store in STORES.items():
            self.shop.put(recorded.numbered(SAMPLE, entity_id, NUMBER, store))

    async def carry(self, entity_id: int, **payload: Any) -> Done:
        rules = recorded.rules(guest_account="WEB", reference_prefix=self.prefixes)
        self.forms.prefixes |= {*self.prefixes.values()}
        stores = frozenset(STORES.values())
        own = own_headers(
            self.erp,
            self.shop,
            rules,
            links={"b2b_de": self.links},
            stores=stores,
            forms=self.forms,
        )
        work = FakeWork(
            event_of(self.shop.orders[entity_id], **payload), self.clock, links=self.links
        )
        return await order_flow(self.shop, self.erp, own, rules, stores=stores).carry(work)

    def references(self) -> dict[str, str]:
        """Return each ERP order's reference."""
        return {
            number: header["CustomersOrderReference"] for number, header in self.erp.headers.items()
        }


async def test_with_a_prefix_both_are_sent() -> None:
    world = TwoStores(store_2="B-")

    await world.carry(37)
    await world.carry(38)

    assert world.references() == {"SO-000001": NUMBER, "SO-000002": f"B-{NUMBER}"}
    assert not any(each["IsSalesProcessingStopped"] for each in world.erp.headers.values())
    assert world.shop.written == [(37, "SO-000001"), (38, "SO-000002")]


@pytest.mark.parametrize("order", [(37, 38), (38, 37)])
async def test_without_a_prefix_one_is_sent_and_the_other_is_held_naming_both(
    order: tuple[int, int],
) -> None:
    world = TwoStores()
    held = []
    for entity_id in order:
        try:
            await world.carry(entity_id)
        except HeldError as error:
            held.append(error)

    (told,) = held
    assert "#37" in told.text
    assert "#38" in told.text
    assert "reference_prefix" in told.advice
    assert world.references() == {"SO-000001": NUMBER}
    assert world.shop.written == [(37, "SO-000001")]


async def test_a_held_one_goes_on_when_a_prefix_is_given_to_its_store_view() -> None:
    """The look-up under the earlier form finds the other's document, and passes it over."""
    world = TwoStores()
    await world.carry(37)
    with pytest.raises(HeldError):
        await world.carry(38)

    world.prefixes = {"2": "B-"}
    await world.carry(38)

    assert world.references() == {"SO-000001": NUMBER, "SO-000002": f"B-{NUMBER}"}


async def test_what_was_written_without_a_prefix_is_found_after_one_was_given() -> None:
    """An order that was under way when the configuration changed is not sent a second time."""
    world = TwoStores()
    del world.shop.orders[37]
    await world.carry(38)
    order = world.shop.orders[38]
    world.shop.put(order.model_copy(update={"ext_order_id": ""}))
    world.links.keys.clear()

    world.prefixes = {"2": "B-"}
    await world.carry(38)

    assert world.references() == {"SO-000001": NUMBER}


async def test_prefixes_of_which_one_goes_on_as_the_other_are_told_apart() -> None:
    """Store view 1 that has filled its digits and store view 10 write one number (33457)."""
    world = TwoStores(store_3="A", store_2="A1")
    for entity_id, number in ((37, "1000000001"), (38, "000000001")):
        world.shop.put(recorded.numbered(SAMPLE, entity_id, number, STORES[entity_id]))

    with pytest.raises(HeldError, match=r"#38.*#37.*both be A1000000001"):
        await world.carry(38)
    await world.carry(37)
    with pytest.raises(HeldError, match="it is order #37 of b2b_de"):
        await world.carry(38)
    world.prefixes = {"3": "A", "2": "A2"}
    await world.carry(38)

    assert world.references() == {"SO-000001": "A1000000001", "SO-000002": "A2000000001"}


@pytest.mark.parametrize("calls", range(3, 9))
async def test_prefixes_that_were_swapped_lose_and_double_nothing(calls: int) -> None:
    """The first order is half sent under the prefix that the second one's store view has now."""
    world = TwoStores(store_3="A-", store_2="B-")
    world.erp.faults = iter([Fault.NONE] * calls + [Fault.DIES_AFTER])
    with pytest.raises(ProcessDiedError):
        await world.carry(37)

    world.prefixes = {"3": "B-", "2": "A-"}
    told = ""
    for entity_id in (38, 37, 38):
        try:
            await world.carry(entity_id)
        except HeldError as error:
            told = error.text

    sent = dict(world.shop.written)
    assert 37 in sent
    assert (38 in sent) is not bool(told)
    assert len(world.erp.headers) == len(sent)
    for entity_id, number in sent.items():
        rows = {f"{NUMBER}-{row.item_id}" for row in world.shop.orders[entity_id].items}
        lines = {line["OrderLineReference"] for line in world.erp.order_lines[number]}
        assert lines <= {*rows, f"{NUMBER}-shipping"}


@pytest.mark.parametrize("is_stopped", [True, False])
async def test_a_document_with_lines_of_another_is_never_touched(*, is_stopped: bool) -> None:
    world = TwoStores()
    del world.shop.orders[37]
    number = world.erp.put_header(NUMBER, IsSalesProcessingStopped=is_stopped)
    world.erp.order_lines[number] = [foreign_line(number)]

    with pytest.raises(HeldError) as caught:
        await world.carry(38)

    assert number in caught.value.text
    assert world.erp.calls.keys() == {"find", "lines"}


async def test_lines_alone_do_not_make_a_document_ours_where_the_account_is_anothers() -> None:
    """Another shop that sends to the same company counts its rows from 1 as well."""
    world = TwoStores()
    await world.carry(37)
    world.links.keys.clear()
    world.shop.put(world.shop.orders[37].model_copy(update={"ext_order_id": ""}))
    world.erp.headers["SO-000001"] |= {
        "OrderingCustomerAccountNumber": "C-1001",
        "IsSalesProcessingStopped": True,
    }
    world.erp.calls.clear()

    with pytest.raises(HeldError, match="C-1001"):
        await world.carry(37)

    assert world.erp.calls.keys() == {"find", "lines"}


@pytest.mark.parametrize("is_stopped", [True, False])
@pytest.mark.parametrize("prefix", ["", "B-"], ids=["present form", "earlier form"])
async def test_an_order_whose_account_changed_while_it_was_sent_is_not_sent_again(
    prefix: str, *, is_stopped: bool
) -> None:
    """A guest who registers on the success page has the order moved to the new customer."""
    world = TwoStores()
    del world.shop.orders[37]
    await world.carry(38)
    sent = world.shop.orders[38].model_copy(update={"ext_order_id": "", "customer_id": 7})
    world.shop.put(sent)
    world.erp.headers["SO-000001"]["IsSalesProcessingStopped"] = is_stopped
    world.links.keys.clear()
    await world.links.remember("customer", "7", "C-1001")
    world.prefixes = {"2": prefix}

    with pytest.raises(HeldError, match="its account is WEB") as caught:
        await world.carry(38)

    assert caught.value.field == "OrderingCustomerAccountNumber"
    assert "reference_prefix" not in caught.value.advice
    assert list(world.erp.headers) == ["SO-000001"]
    await world.carry(38, account="WEB")
    assert world.shop.orders[38].ext_order_id == "SO-000001"
    assert list(world.erp.headers) == ["SO-000001"]


async def test_who_finds_an_empty_document_of_the_order_before_it_leaves_it_alone() -> None:
    """The first one's process died after the header, which is what the other would send too."""
    world = TwoStores()
    # It looks, creates the header, and dies over the first line.
    world.erp.faults = iter([Fault.NONE, Fault.NONE, Fault.DIES_BEFORE])
    with pytest.raises(ProcessDiedError):
        await world.carry(37)
    before = dict(world.erp.headers["SO-000001"])

    with pytest.raises(RetryLaterError, match="#37"):
        await world.carry(38)

    assert world.erp.headers == {"SO-000001": before}
    assert not world.erp.order_lines["SO-000001"]


async def test_an_empty_document_of_another_account_is_never_touched() -> None:
    world = TwoStores()
    del world.shop.orders[37]
    world.erp.put_header(NUMBER, OrderingCustomerAccountNumber="C-1001")

    with pytest.raises(HeldError, match="C-1001") as caught:
        await world.carry(38)

    assert '"account": "C-1001"' in caught.value.advice

    assert world.erp.calls.keys() == {"find", "lines"}


async def test_an_empty_document_of_the_account_of_before_is_left_behind_by_a_new_prefix() -> None:
    """It is stopped, so the hourly sweep takes it away once the order is released."""
    world = TwoStores(store_2="B-")
    del world.shop.orders[37]
    left = world.erp.put_header(NUMBER, OrderingCustomerAccountNumber="C-1001")

    await world.carry(38)
    await world.carry(38, task="tidy")

    assert world.references() == {"SO-000002": f"B-{NUMBER}"}
    assert left not in world.erp.headers


async def test_an_empty_document_linked_to_another_order_is_never_touched() -> None:
    world = TwoStores()
    await world.links.remember("order", "37", world.erp.put_header(NUMBER))

    with pytest.raises(HeldError, match="order #37 of b2b_de"):
        await world.carry(38)

    assert world.erp.calls.keys() == {"find", "lines"}


async def test_an_empty_document_that_may_be_either_ones_is_left_alone() -> None:
    """The engine looks again, and asks a person in the end."""
    world = TwoStores()
    world.erp.put_header(NUMBER)

    for entity_id in STORES:
        with pytest.raises(RetryLaterError, match="may be that of"):
            await world.carry(entity_id)

    assert world.erp.calls.keys() == {"find", "lines"}


async def test_a_document_that_is_being_written_for_another_holds_nobody_up_for_long() -> None:
    """Its reference is an earlier form of this one's, from before there were prefixes."""
    world = TwoStores(store_2="B-")
    number = world.erp.put_header(NUMBER)
    with pytest.raises(RetryLaterError):
        await world.carry(38)

    world.erp.order_lines[number] = [foreign_line(number)]
    await world.carry(38)

    assert world.references() == {number: NUMBER, "SO-000002": f"B-{NUMBER}"}


async def test_a_cancellation_stops_only_its_own_document() -> None:
    world = TwoStores(store_2="B-")
    await world.carry(37)
    await world.carry(38)
    world.shop.put(world.shop.orders[38].model_copy(update={"state": "canceled"}))

    with pytest.raises(HeldError, match="SO-000002 is stopped"):
        await world.carry(38, task="cancel")

    stopped = {n: header["IsSalesProcessingStopped"] for n, header in world.erp.headers.items()}
    assert stopped == {"SO-000001": False, "SO-000002": True}


async def test_a_cancellation_never_stops_the_document_of_an_equal_number() -> None:
    world = TwoStores()
    await world.carry(37)
    world.shop.put(world.shop.orders[38].model_copy(update={"state": "canceled"}))

    with pytest.raises(HeldError, match="not touched"):
        await world.carry(38, task="cancel")

    assert not world.erp.headers["SO-000001"]["IsSalesProcessingStopped"]


async def test_tidying_up_deletes_no_double_of_an_equal_number() -> None:
    world = TwoStores(store_2="B-")
    await world.carry(37)
    other = world.erp.put_header(NUMBER)
    world.erp.order_lines[other] = [foreign_line(other)]

    with pytest.raises(HeldError, match=other):
        await world.carry(37, task="tidy")

    assert other in world.erp.headers


async def test_a_foreign_number_on_an_order_is_held_and_not_taken_for_ours() -> None:
    world = TwoStores()
    order = world.shop.orders[38]
    world.shop.put(order.model_copy(update={"ext_order_id": "AMZ-302-1234567"}))

    with pytest.raises(HeldError) as caught:
        await world.carry(38)

    assert caught.value.field == "ext_order_id"
    assert "AMZ-302-1234567" in caught.value.text
    assert not world.erp.headers


async def test_a_number_of_another_order_on_an_order_is_held() -> None:
    world = TwoStores()
    await world.carry(37)
    world.shop.put(world.shop.orders[38].model_copy(update={"ext_order_id": "SO-000001"}))

    with pytest.raises(HeldError, match="SO-000001"):
        await world.carry(38)


async def test_a_number_that_was_written_before_links_were_kept_is_ours_by_its_lines() -> None:
    world = TwoStores()
    await world.carry(37)
    world.links.keys.clear()

    done = await world.carry(37)

    assert done.note == "is in the ERP as SO-000001"
    assert world.links.keys["order", "37"] == "SO-000001"


async def test_an_event_of_a_number_is_given_its_order_before_anything_is_done() -> None:
    world = TwoStores()
    del world.shop.orders[37]
    work = world_work(world, 38, payload={})

    with pytest.raises(IdentifiedError) as caught:
        await carry(world, work)

    assert caught.value.document_id == "38"
    assert not world.erp.calls


async def test_an_event_of_a_number_that_several_have_is_held_until_somebody_says_which() -> None:
    world = TwoStores()

    with pytest.raises(HeldError, match=r"#37.*#38"):
        await carry(world, world_work(world, 38, payload={}))
    with pytest.raises(IdentifiedError) as caught:
        await carry(world, world_work(world, 38, payload={"entity_id": 38}))

    assert caught.value.document_id == "38"


async def test_an_id_that_the_shop_has_given_to_another_order_is_held() -> None:
    world = TwoStores()
    work = world_work(world, 38, payload={})
    work.event = replace(work.event, document_id="38", business_key="000000001")

    with pytest.raises(HeldError, match="is 4000006164 now"):
        await carry(world, work)


def foreign_line(number: str) -> dict[str, Any]:
    """Return a line that names a row of no order here."""
    return {
        "dataAreaId": "demf",
        "SalesOrderNumber": number,
        "InventoryLotId": "X",
        "LineNumber": 1,
        "OrderLineReference": f"{NUMBER}-99",
        "LineAmount": 1,
    }


def world_work(world: TwoStores, entity_id: int, *, payload: dict[str, Any]) -> FakeWork:
    event = event_of(world.shop.orders[entity_id])
    return FakeWork(replace(event, document_id=None, payload=payload), world.clock)


async def carry(world: TwoStores, work: FakeWork) -> Done:
    rules = recorded.rules()
    own = own_headers(world.erp, world.shop, rules)
    flow = order_flow(world.shop, world.erp, own, rules, stores=STORES.values())
    return await flow.carry(work)
