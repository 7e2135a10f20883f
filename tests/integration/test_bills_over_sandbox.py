"""Invoices and credit notes through everything: simulated ERP, events, simulated shop, and back."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from pricing_proxy.sandbox.shop.refunds import refund
from sync.given import Given
from sync.invoices.building import invoice_sources
from sync.invoices.told_back import came_back
from sync.magento.credit_memo_models import CreditMemo
from sync.magento.order_models import Order
from sync.sales.references import RETURN_MARK
from sync.store.states import EventState
from tests.integration.sync_running import (
    MARKET,
    ORDER_RULES,
    STORE,
    WEBSITE,
    World,
    followed,
    posted,
)

RULES: dict[str, Any] = {
    "website_id": WEBSITE,
    "store_ids": [STORE],
    "flows": ["orders", "customers", "returns", "invoices"],
    "orders": ORDER_RULES,
    "returns": {"undelivered": "send", "disposition": "Credit"},
}
SYNC: dict[str, Any] = {"markets": {MARKET: RULES}}


def memos(world: World) -> list[CreditMemo]:
    return [CreditMemo.model_validate(row) for row in world.sandbox.shop.credit_memos.values()]


def returns(world: World) -> list[Any]:
    return world.sandbox.documents.returns.told()


async def followed_until(
    world: World, given: Given, number: str, is_so: Callable[[], Awaitable[bool]]
) -> None:
    """Look for bills until something is so; else say what became of the order's events."""

    async def looked() -> bool:
        await invoice_sources(given)[MARKET].look()
        return await is_so()

    try:
        await world.until(looked)
    except TimeoutError:
        events = await world.running.stores.overview.by_key(number)
        raise AssertionError([(each.flow, each.state, each.trouble) for each in events]) from None


async def test_bills_arrive_once_each_and_no_refund_comes_back_as_another(
    tmp_path: Path, database_url: str
) -> None:
    async with followed(tmp_path, database_url, **SYNC) as (world, given):
        await invoice_sources(given)[MARKET].look()
        lines = [{"sku": "LAMP-01", "quantity": 3}, {"sku": "LAMP-06", "quantity": 2}]
        [number] = await world.place(lines=lines, customer=1)
        await world.arrived(number)
        [order] = [
            each for each in world.sandbox.shop.orders.values() if each["increment_id"] == number
        ]

        await posted(world, number, "invoice", lines={"1": 2})
        await posted(world, number, "invoice", lines={"1": 1, "2": 2, "3": None})

        async def is_paid() -> bool:
            return bool(order["total_due"] == 0)

        await followed_until(world, given, number, is_paid)
        invoices = [*world.sandbox.shop.invoices.values()]
        assert [each["comments"][0]["comment"].split("/")[0] for each in invoices] == ["demf"] * 2

        # The ERP's own credit note becomes a memo, and that memo no return.
        await posted(world, number, "credit", lines={"1": 1})

        async def is_refunded() -> bool:
            return len(memos(world)) == 1

        await followed_until(world, given, number, is_refunded)
        [memo] = memos(world)
        assert [line.qty for line in memo.items if line.qty] == [Decimal(1)]

        # A memo of the shop becomes a return, and its credit note no memo.
        item = order["items"][1]["item_id"]
        body = {
            "items": [{"order_item_id": item, "qty": 1}],
            "arguments": {"shipping_amount": 0},
        }
        by_hand = int(refund(world.sandbox.shop, order["entity_id"], body))

        async def is_returned() -> bool:
            link = await given.links.of_market(MARKET).erp_key("return", str(by_hand))
            return link is not None

        await followed_until(world, given, number, is_returned)
        [own] = [
            each
            for each in returns(world)
            if each["header"]["CustomersOrderReference"].startswith(RETURN_MARK)
        ]
        await posted(world, own["header"]["ReturnOrderNumber"], "credit")

        async def is_linked() -> bool:
            link = await given.links.of_market(MARKET).erp_key("credit_memo", str(by_hand))
            return link is not None

        await followed_until(world, given, number, is_linked)

        # Money alone, and nothing of all that came twice.
        await posted(world, number, "credit", amount=5, tax_group="VAT19")

        async def is_given() -> bool:
            return len(memos(world)) == 3

        await followed_until(world, given, number, is_given)
        assert memos(world)[-1].adjustment_positive == Decimal("5.95")
        await invoice_sources(given)[MARKET].look()
        assert len(memos(world)) == 3
        assert len(returns(world)) == 2
        skipped = [
            each.note
            for each in await world.running.stores.overview.by_key(memo.increment_id)
            if each.flow == "returns"
        ]
        assert len(skipped) == 1
        # Both systems come to the same amounts, by line and at the end.
        events = await world.running.stores.overview.by_key(number)
        bills = [(each.state, each.trouble) for each in events if each.flow == "invoices"]
        assert bills == [(EventState.DONE, None)] * 5
        told = [
            (each.what, each.text)
            for each in await came_back(given.shop, Order.model_validate(order))
        ]
        assert [what for what, _ in told] == ["invoice"] * 2 + ["credit memo"] * 3
        assert told[0][1].startswith("2 x LAMP-01; of demf/CIV-")
        assert told[3][1] == "1 x LAMP-06; by hand"
        assert told[4][1].startswith("no goods; of demf/CIV-")
        assert "was made of the ERP's credit note" in skipped[0]

        await _look_without_lots(world, given)


async def _look_without_lots(world: World, given: Given) -> None:
    """Where the ERP has no set with lots, packing slips tell whose lines an invoice bills."""
    await world.dial("fo", absent_sets=["CustInvoiceTransBiEntities"])
    lines = [{"sku": "LAMP-01", "quantity": 2}]
    numbers = [*await world.place(lines=lines, customer=1)]
    numbers += await world.place(lines=lines, customer=1)
    await world.arrived(*numbers)
    for number in numbers:
        await posted(world, number, "ship")
    before = len(world.sandbox.shop.invoices)
    await posted(world, numbers[0], "invoice", also=numbers[1:])

    async def are_there() -> bool:
        return len(world.sandbox.shop.invoices) == before + 2

    await followed_until(world, given, numbers[1], are_there)
    made = [*world.sandbox.shop.invoices.values()][before:]
    assert [[line["qty"] for line in each["items"]] for each in made] == [[2], [2]]
    assert len({each["order_id"] for each in made}) == 2
