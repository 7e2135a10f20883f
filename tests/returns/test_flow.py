"""A credit memo on its way: after its order, once, and with each line once."""

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection
from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from pricing_proxy.d365.fo.order_models import SalesOrderHeaderRow, SalesOrderLineRow
from pricing_proxy.d365.fo.return_models import (
    ReturnHeaderBody,
    ReturnHeaderRow,
    ReturnLineBody,
    ReturnLineRow,
)
from pricing_proxy.http_exchange import Guard
from pricing_proxy.money import NumberText
from pricing_proxy.resilience.errors import UpstreamError, UpstreamTimeoutError
from sync.engine.flow import Event
from sync.engine.outcomes import (
    Done,
    HeldError,
    IdentifiedError,
    RetryLaterError,
    SkippedError,
    WaitForError,
)
from sync.engine.reach import Reach
from sync.engine.windows import Window
from sync.magento.credit_memo_models import CreditMemo, CreditMemoHead
from sync.magento.odd_rows import RowPage
from sync.magento.order_models import Order, OrderHead
from sync.returns.flow import ReturnFlow, ReturnMarket
from sync.returns.own_documents import OwnReturns, SoldOrders
from sync.returns.rules import ReturnRules
from sync.returns.source import ReturnSource
from sync.sales.owners import DocumentOwners
from sync.sales.references import RETURN_MARK, References
from tests.cases import case
from tests.fakes.entering import FakeEvents, FakeWatermarks, polling
from tests.fakes.listing import FakeListing
from tests.fakes.order_erp import FakeOrderErp
from tests.fakes.order_shop import FakeLinks, FakeWork
from tests.fakes.references import FakeForms, nothing
from tests.orders import recorded
from tests.returns.test_recorded_memos import memos, order_of, sold
from tests.virtual_time import ManualClock

MEMO = memos()["documents_excl_tax__goods_discount_5_creditmemos#2"]
ORDER = order_of(MEMO)


class FakeReturnErp:
    """Return orders, with faults around the next writes.

    Attributes:
        price_unit: For how many pieces it takes a line's price.
    """

    def __init__(self) -> None:
        self.headers: list[ReturnHeaderRow] = []
        self.rows: dict[str, list[ReturnLineRow]] = {}
        self.answers_lost: set[str] = set()
        self.calls_lost: set[str] = set()
        self.calls: Counter[str] = Counter()
        self.spells: Callable[[str], str] = str
        self.price_unit = 1

    def put(self, reference: str, *, account: str = "C-1001") -> str:
        number = f"RO-{len(self.headers) + 1}"
        fields: dict[str, Any] = dict.fromkeys(ReturnHeaderRow.fields())
        known = {"dataAreaId": "demf", "ReturnOrderNumber": number, "RMANumber": "31"}
        dates = {"ReturnDeadline": "1900-01-01T12:00:00Z", "CustomersOrderReference": reference}
        known["CustomerAccountNumber"] = account
        self.headers.append(ReturnHeaderRow.model_validate(fields | known | dates))
        self.rows[number] = []
        return number

    async def find(self, company: str, reference: str) -> list[ReturnHeaderRow]:
        del company
        return [row for row in self.headers if row.CustomersOrderReference == reference]

    async def lines(self, company: str, number: str) -> list[ReturnLineRow]:
        del company
        return list(self.rows[number])

    async def create_header(
        self,
        company: str,
        body: ReturnHeaderBody,
        *,
        reference: str,
        guard: Guard | None = None,
    ) -> str:
        del company
        await self._begin("create_header", guard)
        number = self.put(reference, account=body.CustomerAccountNumber)
        self._end("create_header")
        return number

    async def add_line(
        self, company: str, number: str, body: ReturnLineBody, *, guard: Guard | None = None
    ) -> str:
        await self._begin("add_line", guard)
        rows = self.rows[number]
        fields: dict[str, Any] = dict.fromkeys(ReturnLineRow.fields())
        price, quantity = body.SalesPrice or Decimal(0), body.ReturnSalesQuantity
        amount = (price * quantity / self.price_unit).quantize(Decimal("0.01"), ROUND_HALF_UP)
        numbers = {
            "SalesPrice": NumberText(str(price)),
            "LineAmount": NumberText(str(amount)),
            "ReturnSalesQuantity": NumberText(str(quantity)),
        }
        known = {
            "dataAreaId": company,
            "ReturnOrderNumber": number,
            "ReturnInventoryLotId": f"R-{len(rows)}",
            "ReturningInventoryLotId": body.ReturningInventoryLotId,
            "ItemNumber": self.spells(body.ItemNumber),
        }
        rows.append(ReturnLineRow.model_validate(fields | numbers | known))
        self._end("add_line")
        return f"R-{len(rows)}"

    async def delete_header(self, company: str, number: str, *, guard: Guard | None = None) -> None:
        del company
        await self._begin("delete_header", guard)
        self.headers = [row for row in self.headers if row.ReturnOrderNumber != number]

    async def _begin(self, name: str, guard: Guard | None) -> None:
        if guard is not None:
            await guard()
        self.calls[name] += 1
        if name in self.calls_lost:
            self.calls_lost.remove(name)
            raise UpstreamTimeoutError("no answer in time", system="fo")

    def _end(self, name: str) -> None:
        if name in self.answers_lost:
            self.answers_lost.remove(name)
            raise UpstreamTimeoutError("no answer in time", system="fo")


class DeliveredOrders:
    """The ERP's order of the memo, delivered.

    Attributes:
        rows: Its lines, by the number of a header; those of the memo's order for all others.
    """

    def __init__(self, erp: FakeOrderErp) -> None:
        self._erp = erp
        self.rows: dict[str, list[SalesOrderLineRow]] = {}

    async def find(self, company: str, reference: str) -> list[SalesOrderHeaderRow]:
        return await self._erp.find(company, reference)

    async def lines(self, company: str, number: str) -> list[SalesOrderLineRow]:
        del company
        return self.rows.get(number, sold(ORDER))


class World:
    """One credit memo, its order in the ERP, and the flow between."""

    def __init__(self, *, is_sold: bool = True) -> None:
        self.clock = ManualClock()
        self.old = ""
        self.memo: CreditMemo | None = MEMO
        self.shop_order: Order | None = ORDER
        orders = FakeOrderErp(self.clock, iter(()))
        if is_sold:
            account = {"OrderingCustomerAccountNumber": "C-1001"}
            orders.put_header(ORDER.increment_id, IsSalesProcessingStopped=False, **account)
        self.erp = FakeReturnErp()
        self.links = FakeLinks()
        self.forms = FakeForms()
        self.other_memos: list[CreditMemo] = []
        self.order_erp = orders
        self.orders = DeliveredOrders(orders)
        self.prefixes = {1: ""}
        references = References(
            "b2b_de",
            prefixes=self.prefixes,
            forms=self.forms,
            find=self.memos_numbered,
            mark=RETURN_MARK,
        )
        self.market = ReturnMarket(
            company="demf",
            store_ids=frozenset({1}),
            rules=ReturnRules(),
            splitting=recorded.rules().splitting,
            returns=self.erp,
            orders=SoldOrders(
                self.orders,
                company="demf",
                references=References(
                    "b2b_de", prefixes=self.prefixes, forms=self.forms, find=nothing
                ),
            ),
            own=OwnReturns(
                self.erp,
                company="demf",
                market="b2b_de",
                references=references,
                owners=DocumentOwners("return", {"b2b_de": self.links}),
            ),
            references=references,
            expects=self.is_expected,
        )
        event = Event(
            id=1,
            flow="returns",
            market="b2b_de",
            business_key=MEMO.increment_id,
            document_id=str(MEMO.entity_id),
            source_key="x",
            payload={"entity_id": MEMO.entity_id},
            attempts=0,
            fence=1,
        )
        self.work = FakeWork(event, self.clock, links=self.links)

    async def is_expected(self, order: OrderHead) -> bool:
        return order.increment_id != self.old

    async def memos_numbered(self, numbers: Collection[str]) -> list[CreditMemo]:
        memos = [*self.other_memos, *([self.memo] if self.memo else [])]
        return [memo for memo in memos if memo.increment_id in numbers]

    async def credit_memo(self, entity_id: int) -> CreditMemo | None:
        return self.memo if entity_id == MEMO.entity_id else None

    async def order(self, entity_id: int) -> Order | None:
        return self.shop_order if entity_id == ORDER.entity_id else None

    async def carry(self) -> Done:
        flow = ReturnFlow(
            self,
            orders=self,
            markets={"b2b_de": self.market},
        )
        return await flow.carry(self.work)

    async def carry_until_done(self) -> Done:
        for _ in range(20):
            try:
                return await self.carry()
            except RetryLaterError as error:
                self.clock.advance(error.after or timedelta(seconds=1))
            except UpstreamError:
                self.clock.advance(timedelta(seconds=1))
        raise AssertionError("stuck")


async def test_a_memo_becomes_a_return_linked_to_the_lots_sold() -> None:
    world = World()

    done = await world.carry()
    await world.carry()

    assert "RO-1" in done.note
    lots = [row.ReturningInventoryLotId for row in world.erp.rows["RO-1"]]
    assert len(lots) == len(set(lots)) == 3
    assert world.erp.calls == {"create_header": 1, "add_line": 3}
    assert world.work.links.keys["return", str(MEMO.entity_id)] == "RO-1"


@pytest.mark.parametrize("name", ["create_header", "add_line"])
@pytest.mark.parametrize("fault", ["answers_lost", "calls_lost"])
async def test_a_lost_call_or_answer_doubles_nothing(name: str, fault: str) -> None:
    world = World()
    getattr(world.erp, fault).add(name)

    await world.carry_until_done()

    assert len(world.erp.headers) == 1
    lots = [row.ReturningInventoryLotId for row in world.erp.rows["RO-1"]]
    assert len(lots) == len(set(lots)) == 3
    repeated = 1 if fault == "calls_lost" else 0
    assert world.erp.calls[name] == {"create_header": 1, "add_line": 3}[name] + repeated


async def test_an_erp_that_spells_in_its_own_way_takes_each_line_back_once() -> None:
    world = World()
    world.orders.rows["SO-000001"] = [
        row.model_copy(update={"OrderLineReference": row.OrderLineReference.upper()})
        for row in sold(ORDER)
    ]
    world.erp.spells = str.lower
    world.erp.answers_lost.add("add_line")

    await world.carry_until_done()
    await world.carry()

    lots = [row.ReturningInventoryLotId for row in world.erp.rows["RO-1"]]
    assert len(lots) == len(set(lots)) == 3


async def test_a_doubled_return_is_removed() -> None:
    world = World()
    for _ in range(2):
        world.erp.put(f"CM-{MEMO.increment_id}")

    await world.carry()

    assert [row.ReturnOrderNumber for row in world.erp.headers] == ["RO-1"]


async def test_a_doubled_line_is_a_persons_business() -> None:
    world = World()
    await world.carry()
    world.erp.rows["RO-1"].append(world.erp.rows["RO-1"][0])

    with pytest.raises(HeldError, match="twice"):
        await world.carry()


async def test_a_return_waits_for_its_order() -> None:
    with pytest.raises(WaitForError) as caught:
        await World(is_sold=False).carry()

    assert (caught.value.flow, caught.value.business_key) == ("orders", ORDER.increment_id)


async def test_a_return_of_an_order_refunded_before_it_was_sent_is_skipped() -> None:
    world = World(is_sold=False)
    rows = [row.model_copy(update={"qty_refunded": row.qty_ordered}) for row in ORDER.items]
    world.shop_order = ORDER.model_copy(update={"state": "closed", "items": tuple(rows)})

    with pytest.raises(SkippedError, match="before it was sent"):
        await world.carry()


async def test_a_return_of_an_order_that_is_closed_and_not_refunded_waits_for_it() -> None:
    """The shop closes free orders, and the ERP is still to get them."""
    world = World(is_sold=False)
    rows = [row.model_copy(update={"qty_refunded": Decimal(0)}) for row in ORDER.items]
    world.shop_order = ORDER.model_copy(update={"state": "closed", "items": tuple(rows)})

    with pytest.raises(WaitForError):
        await world.carry()


async def test_a_return_of_an_order_that_is_never_sent_is_not_waited_for() -> None:
    """It would wait for ever: each wait ends with the order skipped again."""
    world = World(is_sold=False)
    world.old = ORDER.increment_id

    with pytest.raises(SkippedError, match="before the start"):
        await world.carry()


async def test_a_return_of_an_order_that_somebody_else_sent_is_held() -> None:
    world = World(is_sold=False)
    world.shop_order = ORDER.model_copy(update={"ext_order_id": "OLD-7"})

    with pytest.raises(HeldError, match="OLD-7"):
        await world.carry()


async def test_what_the_shop_has_deleted_is_skipped() -> None:
    world = World()
    world.shop_order = None
    with pytest.raises(SkippedError, match="no order"):
        await world.carry()
    world.memo = None
    with pytest.raises(SkippedError, match="no such credit memo"):
        await world.carry()


class FakeMemos:
    """The shop's credit memos."""

    def __init__(self) -> None:
        self.memos: list[CreditMemo] = []
        self.heads: FakeListing[CreditMemoHead] = FakeListing(lambda: dict(enumerate(self.memos)))

    async def credit_memos_changed(
        self, window: Window, *, without: Collection[int]
    ) -> AsyncGenerator[RowPage[CreditMemoHead], None]:
        found = [memo for memo in self.memos if window.takes(memo.entity_id, memo.updated_at)]
        yield self.heads.page(found, without=without)


async def test_each_refunded_memo_of_a_market_is_entered_once() -> None:
    clock, shop, events = ManualClock(), FakeMemos(), FakeEvents()
    source = ReturnSource(
        shop,
        polling(events, clock),
        market_of_store={1: "b2b_de"},
    )
    now = {"updated_at": clock.utc()}
    shop.memos = [
        MEMO.model_copy(update={**now, "increment_id": "1"}),
        MEMO.model_copy(update={**now, "increment_id": "2", "state": 1}),
        MEMO.model_copy(update={**now, "increment_id": "3", "store_id": 9}),
        MEMO.model_copy(
            update={"updated_at": clock.utc() - timedelta(days=9), "increment_id": "4"}
        ),
    ]

    assert [await source.poll(), await source.poll()] == [1, 0]
    assert events.keys == ["1"]


async def test_a_memo_dated_ahead_hides_neither_later_memos_nor_itself() -> None:
    """The mark stood two hours ahead, and what came meanwhile was never seen."""
    told = case("orders/future_updated_at")["credit_memo"]
    clock, shop, events, marks = ManualClock(), FakeMemos(), FakeEvents(), FakeWatermarks()
    source = ReturnSource(
        shop, polling(events, clock, watermarks=marks), market_of_store={1: "b2b_de"}
    )
    number = told["increment_id"]
    dates = {number: timedelta(hours=2), "later": timedelta(0), "and later": timedelta(0)}
    for entity_id, (increment_id, ahead) in enumerate(dates.items(), start=1):
        members = {"entity_id": entity_id, "increment_id": increment_id, "state": told["state"]}
        clock.advance(timedelta(seconds=5))
        at = clock.utc() + ahead
        shop.memos.append(MEMO.model_copy(update={**members, "updated_at": at}))
        assert await source.poll() == 1

    assert events.keys == [*dates]
    reach = Reach.model_validate_json(marks.kept["returns.updated_at"])
    assert reach.settled <= clock.utc() - timedelta(seconds=30)
    assert reach.fresh <= clock.utc()


async def test_the_first_poll_begins_where_the_orders_do_and_export_takes_any() -> None:
    """A refund between `start_at` and the first start is of an order that was brought over."""
    clock, shop, events = ManualClock(), FakeMemos(), FakeEvents()
    source = ReturnSource(
        shop,
        polling(events, clock),
        market_of_store={1: "b2b_de"},
        first=clock.utc() - timedelta(days=3),
    )
    ages = {"1": 2, "2": 4}
    shop.memos = [
        MEMO.model_copy(
            update={
                "entity_id": int(number),
                "increment_id": number,
                "updated_at": clock.utc() - timedelta(days=days),
            }
        )
        for number, days in ages.items()
    ]

    assert await source.poll() == 1
    assert events.keys == ["1"]
    assert await source.export(shop.memos[1])
    assert not await source.export(shop.memos[1])
    assert await source.export(shop.memos[1], what="after/1")


async def test_a_memo_that_became_visible_late_is_found_by_the_sweep() -> None:
    clock, shop, events = ManualClock(), FakeMemos(), FakeEvents()
    source = ReturnSource(shop, polling(events, clock), market_of_store={1: "b2b_de"})
    assert await source.sweep() + await source.poll() == 0
    clock.advance(timedelta(hours=3))
    seen, late = {"increment_id": "1"}, {"entity_id": 9000, "increment_id": "2"}
    shop.memos = [MEMO.model_copy(update={**seen, "updated_at": clock.utc()})]
    assert await source.poll() == 1

    an_hour_ago = clock.utc() - timedelta(hours=1)
    shop.memos.append(MEMO.model_copy(update={**late, "updated_at": an_hour_ago}))

    assert await source.poll() == 0
    assert await source.sweep() == 1
    assert events.keys == ["1", "2"]


async def test_equal_numbers_of_two_store_views_are_two_credit_memos() -> None:
    """The first has the reference until one store view has a prefix; then both are sent."""
    world = World()
    world.prefixes[2] = ""
    first = MEMO.model_copy(update={"entity_id": MEMO.entity_id - 1, "store_id": 2})
    world.other_memos = [first]

    with pytest.raises(HeldError) as caught:
        await world.carry()

    assert f"#{MEMO.entity_id}," in caught.value.text
    assert f"#{first.entity_id}," in caught.value.text
    assert not world.erp.headers
    world.prefixes[1] = "B-"
    await world.carry()
    assert world.erp.headers[0].CustomersOrderReference == f"CM-B-{MEMO.increment_id}"


async def test_a_return_under_an_earlier_form_of_its_reference_is_found() -> None:
    world = World()
    await world.carry()

    world.prefixes[1] = "B-"
    await world.carry()

    assert world.erp.calls["create_header"] == 1


async def test_a_return_of_which_nobody_can_tell_is_left_alone_until_it_has_lines() -> None:
    """It is mostly the other's, which is being written just now."""
    world = World()
    world.prefixes |= {1: "B-", 2: ""}
    world.forms.prefixes = {"", "B-"}
    other = MEMO.model_copy(update={"entity_id": MEMO.entity_id - 1, "store_id": 2})
    world.other_memos = [other]
    number = world.erp.put(f"CM-{MEMO.increment_id}")

    with pytest.raises(RetryLaterError, match=f"#{other.entity_id},"):
        await world.carry()
    assert not world.erp.calls
    await world.links.remember("return", str(other.entity_id), number)
    await world.carry()

    assert world.erp.headers[1].CustomersOrderReference == f"CM-B-{MEMO.increment_id}"


@pytest.mark.parametrize("whose", ["lots", "link", "account"])
async def test_a_return_of_another_is_never_touched(whose: str) -> None:
    world = World()
    reference = f"CM-{MEMO.increment_id}"
    account = "C-9" if whose == "account" else "C-1001"
    number = world.erp.put(reference, account=account)
    if whose == "lots":
        lot = ReturnLineBody(
            ItemNumber="X", ReturnSalesQuantity=Decimal(-1), ReturningInventoryLotId="OTHER"
        )
        await world.erp.add_line("demf", number, lot)
    if whose == "link":
        await world.links.remember("return", "999", number)
    before = dict(world.erp.calls)

    with pytest.raises(HeldError) as caught:
        await world.carry()

    assert number in caught.value.text
    assert f"#{MEMO.entity_id}," in caught.value.text
    assert world.erp.calls == before


async def test_a_memo_returns_its_own_order_where_another_has_the_number() -> None:
    """Two released orders of one reference: the lines say which one was sold."""
    world = World()
    other = sold(ORDER)
    for row in other:
        row_of_another = {"OrderLineReference": f"{ORDER.increment_id}-99"}
        world.orders.rows.setdefault("SO-000001", []).append(row.model_copy(update=row_of_another))
    world.order_erp.put_header(
        ORDER.increment_id,
        IsSalesProcessingStopped=False,
        OrderingCustomerAccountNumber="C-1002",
    )

    await world.carry()

    assert world.erp.headers[0].CustomerAccountNumber == "C-1002"


@pytest.mark.parametrize("change", [{"increment_id": "000000099"}, {"store_id": 9}])
async def test_a_memo_that_is_not_what_it_was_is_held(change: dict[str, Any]) -> None:
    world = World()
    world.memo = MEMO.model_copy(update=change)

    with pytest.raises(HeldError, match=f"#{MEMO.entity_id} was"):
        await world.carry()


async def test_an_event_of_an_older_version_is_given_its_memo_before_anything_is_done() -> None:
    world = World()
    world.work.event = replace(world.work.event, document_id=None)

    with pytest.raises(IdentifiedError) as caught:
        await world.carry()

    assert caught.value.document_id == str(MEMO.entity_id)
    assert not world.erp.calls


@pytest.mark.parametrize("payload", [{}, {"entity_id": "seven"}, {"entity_id": None}])
async def test_a_payload_that_names_no_memo_is_a_persons_business(payload: dict[str, Any]) -> None:
    """It was edited to something else; read as it was, the program broke at each attempt."""
    world = World()
    world.work.event = replace(world.work.event, document_id=None, payload=payload)

    with pytest.raises(HeldError) as caught:
        await world.carry()

    assert caught.value.field == "entity_id"
    assert "d365-sync edit" in caught.value.advice


async def test_a_return_that_gives_something_else_back_is_held() -> None:
    """A return's price has no field for its unit: whatever the ERP takes, the amounts tell."""
    world = World()
    world.erp.price_unit = 100

    with pytest.raises(HeldError, match="differs from what was sent") as caught:
        await world.carry()

    assert caught.value.field.endswith("LineAmount")
    assert caught.value.diff
    assert "returns.price_unit" in caught.value.advice
