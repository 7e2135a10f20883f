"""What orders do to stock, as a real shop was seen to do it, and as it adds up in any order."""

from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from tests.shop.conftest import Wire
from tests.shop.stock import act, clear, hold, lies, salable, told

GERMANY, BERLIN = 3, {"arguments": {"extension_attributes": {"source_code": "berlin"}}}
SKU = "LAMP-06"


async def order(wire: Wire, quantity: int, sku: str = SKU) -> int:
    [placed] = await wire.place(guest=True, lines=[{"sku": sku, "quantity": quantity}])
    number: int = placed["entity_id"]
    return number


async def ship(wire: Wire, number: int, quantity: int) -> None:
    await act(wire, number, "ship", {"items": [line_of(wire, number, quantity)], **BERLIN})


async def refund(wire: Wire, number: int, quantity: int, *, returned: bool) -> None:
    row = line_of(wire, number, quantity)
    back = {"return_to_stock_items": [row["order_item_id"]]} if returned else {}
    arguments = {"shipping_amount": 0, "extension_attributes": back}
    await act(wire, number, "refund", {"items": [row], "arguments": arguments})


def line_of(wire: Wire, number: int, quantity: int) -> dict[str, Any]:
    [line] = wire.sandbox.shop.orders[number]["items"]
    return {"order_item_id": line["item_id"], "qty": quantity}


async def seen(wire: Wire, sku: str = SKU) -> tuple[int, int]:
    return int(await lies(wire, sku, "berlin")), int(await salable(wire, sku, GERMANY))


@pytest.fixture
async def stock(wire: Wire) -> Wire:
    await clear(wire, SKU, "SERVICE-01")
    return wire


async def test_what_is_reserved_beyond_the_stock_leaves_nothing_and_no_less(stock: Wire) -> None:
    await hold(stock, SKU, berlin=10)
    await order(stock, 5)
    assert await seen(stock) == (10, 5)
    await hold(stock, SKU, berlin=3)
    assert await seen(stock) == (3, 0)
    asked = await stock.send("GET", f"/rest/V1/inventory/is-product-salable/{SKU}/{GERMANY}")
    assert asked.body is False
    # Of every stock by itself: another website's orders are not in it.
    [germany, *others] = [one for one in (await told(stock, SKU))["stocks"] if one["reserved"]]
    assert (germany["stock_id"], germany["reserved"], others) == (GERMANY, 5, [])


@pytest.mark.parametrize(("returned", "after"), [(True, (95, 95)), (False, (92, 92))])
async def test_pieces_refunded_before_they_were_shipped(
    stock: Wire, *, returned: bool, after: tuple[int, int]
) -> None:
    await hold(stock, SKU, berlin=95)
    number = await order(stock, 3)
    await act(stock, number, "invoice", {"capture": True})
    assert await seen(stock) == (95, 92)
    await refund(stock, number, 3, returned=returned)
    assert await seen(stock) == after


@pytest.mark.parametrize(("returned", "after"), [(True, (99, 99)), (False, (96, 96))])
async def test_of_pieces_refunded_those_not_shipped_come_first(
    stock: Wire, *, returned: bool, after: tuple[int, int]
) -> None:
    await hold(stock, SKU, berlin=100)
    number = await order(stock, 4)
    await ship(stock, number, 2)
    await act(stock, number, "invoice", {"capture": True})
    assert await seen(stock) == (98, 96)
    await refund(stock, number, 3, returned=returned)
    assert await seen(stock) == after


@pytest.mark.parametrize(
    ("is_refunded_first", "after", "at_the_end"),
    [(False, (98, 96), (96, 96)), (True, (96, 96), (94, 96))],
)
async def test_the_same_order_ends_otherwise_when_the_refund_comes_first(
    stock: Wire, *, is_refunded_first: bool, after: tuple[int, int], at_the_end: tuple[int, int]
) -> None:
    """Both end in 4 ordered, 2 invoiced, 2 refunded, 2 shipped; and then all is shipped.

    Refunded first, two pieces are sold twice: Magento ships what it has taken off already.
    """
    await hold(stock, SKU, berlin=100)
    number = await order(stock, 4)
    await act(stock, number, "invoice", {"items": [line_of(stock, number, 2)]})
    for is_refund in (is_refunded_first, not is_refunded_first):
        if is_refund:
            await refund(stock, number, 2, returned=False)
        else:
            await ship(stock, number, 2)
    assert await seen(stock) == after
    await act(stock, number, "ship", BERLIN)
    assert await seen(stock) == at_the_end


async def test_a_cancellation_ends_what_was_neither_shipped_nor_invoiced(stock: Wire) -> None:
    await hold(stock, SKU, berlin=100)
    number = await order(stock, 4)
    await ship(stock, number, 3)
    assert await act(stock, number, "cancel") is True
    assert await seen(stock) == (97, 97)
    shown = (await stock.send("GET", f"/rest/V1/orders/{number}")).body
    assert (shown["state"], shown["items"][0]["qty_canceled"]) == ("canceled", 1)
    # What was shipped can never be invoiced after that.
    refused = await stock.send("POST", f"/rest/V1/order/{number}/invoice", {"capture": True})
    assert refused.status == 400
    assert "status of canceled" in refused.body["message"]


async def test_services_leave_when_they_are_invoiced(stock: Wire) -> None:
    await hold(stock, "SERVICE-01", berlin=50)
    for returned, after in ((False, (48, 48)), (True, (48, 48))):
        number = await order(stock, 2, "SERVICE-01")
        before = await seen(stock, "SERVICE-01")
        assert before[0] - before[1] == 2
        await act(stock, number, "invoice", {"capture": True})
        assert await seen(stock, "SERVICE-01") == (before[1], before[1])
        await refund(stock, number, 2, returned=returned)
        assert await seen(stock, "SERVICE-01") == after


async def test_a_shipment_that_a_source_cannot_fill_changes_nothing(stock: Wire) -> None:
    await hold(stock, SKU, berlin=2)
    number = await order(stock, 5)
    body = {"items": [line_of(stock, number, 3)], **BERLIN}
    answer = await stock.send("POST", f"/rest/V1/order/{number}/ship", body)
    assert (answer.status, answer.body["message"]) == (
        400,
        "Could not save a shipment, see error log for details",
    )
    assert await seen(stock) == (2, 0)
    assert stock.sandbox.shop.shipments == {}
    # Raised to the slip's quantity it ships, and then nothing is left there.
    await hold(stock, SKU, berlin=3)
    await ship(stock, number, 3)
    assert await seen(stock) == (0, 0)
    [row] = (await told(stock, SKU))["source_items"]
    assert row["status"] == 0


async def test_a_line_reserves_what_is_sent_and_not_what_it_is_called(wire: Wire) -> None:
    """A variant, a product with options, and the parts of a bundle; each goes out as it came."""
    shop = wire.sandbox.shop
    variant = shop.catalog.by_id(next(iter(shop.catalog.named("SHADE-0001").variants))).sku
    lines = [
        {"sku": variant, "quantity": 2},
        {"sku": "LAMP-03", "quantity": 3, "text": "Zoë", "choice": 2},
        {"sku": "LAMP-SET", "quantity": 2},
    ]
    [placed] = await wire.place(guest=True, lines=lines)
    number = placed["entity_id"]
    meant = {variant: 2, "LAMP-03": 3, "LAMP-02": 4, "LAMP-04": 2, "LAMP-05": 2}
    assert {sku: await reserved(wire, sku) for sku in meant} == meant
    top = [one for one in shop.orders[number]["items"] if "parent_item_id" not in one]
    for line in top:
        row = {"order_item_id": line["item_id"], "qty": 1}
        await act(wire, number, "ship", {"items": [row], **BERLIN})
    left = {variant: 1, "LAMP-03": 2, "LAMP-02": 2, "LAMP-04": 1, "LAMP-05": 1}
    assert {sku: await reserved(wire, sku) for sku in meant} == left
    assert int(await lies(wire, "LAMP-02", "berlin")) == 998
    await act(wire, number, "cancel")
    assert {sku: await reserved(wire, sku) for sku in meant} == dict.fromkeys(meant, 0)


async def reserved(wire: Wire, sku: str) -> int:
    stocks = (await told(wire, sku))["stocks"]
    return int(sum(one["reserved"] for one in stocks))


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_only_what_is_still_to_leave_is_reserved(
    stock: Wire, seed: int
) -> None:
    """Against bookkeeping of its own: ordered, cancelled, shipped, and refunded unshipped."""
    random = Random(seed)
    await hold(stock, SKU, berlin=1000)
    ledgers: dict[int, Ledger] = {}
    for _ in range(25):
        if not ledgers or random.random() < 0.2:
            quantity = random.randint(1, 6)
            ledgers[await order(stock, quantity)] = Ledger(quantity)
        number = random.choice(list(ledgers))
        await happen(stock, number, ledgers[number], random)
        left = sum(one.left for one in ledgers.values())
        gone = sum(one.gone for one in ledgers.values())
        assert await reserved(stock, SKU) == left
        assert await seen(stock) == (1000 - gone, max(0, 1000 - gone - left))


class Ledger:
    """What became of one line, counted as it happens."""

    def __init__(self, ordered: int) -> None:
        self.ordered, self.shipped, self.invoiced = ordered, 0, 0
        self.refunded, self.unshipped, self.canceled, self.back = 0, 0, 0, 0
        self.dropped = 0

    @property
    def left(self) -> int:
        return self.ordered - self.canceled - self.shipped - self.unshipped

    @property
    def gone(self) -> int:
        return self.shipped + self.dropped - self.back


async def happen(wire: Wire, number: int, ledger: Ledger, random: Random) -> None:
    """Let one thing happen to an order, if the shop lets it, and count it."""
    what, quantity = random.choice(("ship", "invoice", "refund", "cancel")), random.randint(1, 3)
    returned = random.random() < 0.5
    row = line_of(wire, number, quantity)
    body: dict[str, Any] = {"items": [row]}
    if what == "refund":
        extension = {"return_to_stock_items": [row["order_item_id"]]} if returned else {}
        body["arguments"] = {"shipping_amount": 0, "extension_attributes": extension}
    if what == "ship":
        body |= BERLIN
    kind = "orders" if what == "cancel" else "order"
    answer = await wire.send("POST", f"/rest/V1/{kind}/{number}/{what}", body)
    if answer.status == 200 and answer.body is not False:
        count(what, ledger, quantity, returned=returned)


def count(what: str, ledger: Ledger, quantity: int, *, returned: bool) -> None:
    if what == "ship":
        # More than is left is cut without a word.
        most = ledger.ordered - max(ledger.shipped, ledger.refunded) - ledger.canceled
        ledger.shipped += min(quantity, most)
    elif what == "invoice":
        ledger.invoiced += quantity
    elif what == "cancel":
        done = max(ledger.shipped, ledger.invoiced, ledger.refunded)
        ledger.canceled += ledger.ordered - done - ledger.canceled
    else:
        never_left = ledger.invoiced - ledger.refunded - ledger.shipped
        unshipped = min(quantity, max(0, never_left))
        ledger.refunded += quantity
        ledger.unshipped += unshipped
        if returned:
            ledger.back += min(quantity - unshipped, ledger.shipped)
        else:
            ledger.dropped += unshipped


async def test_stock_may_be_indexed_late_while_reservations_never_are(stock: Wire) -> None:
    await hold(stock, SKU, berlin=10)
    await stock.turn(stock_index_seconds=3600)
    await hold(stock, SKU, berlin=4)
    assert await seen(stock) == (4, 10)
    await order(stock, 3)
    assert await seen(stock) == (4, 7)


async def test_deleted_and_made_again_a_product_has_nothing_at_the_default_source_alone(
    stock: Wire,
) -> None:
    await hold(stock, SKU, default=7, berlin=5)
    assert (await stock.send("DELETE", f"/rest/all/V1/products/{SKU}")).status == 200
    assert await held(stock, SKU) == {"default": 7, "berlin": 5}
    product = {"sku": SKU, "name": "n", "attribute_set_id": 4, "price": 1}
    made = await stock.send("POST", "/rest/all/V1/products", {"product": product})
    assert made.status == 200
    assert await held(stock, SKU) == {"default": 0, "berlin": 5}


async def test_saving_a_product_puts_an_empty_default_row_out_of_stock(stock: Wire) -> None:
    await hold(stock, SKU, default=0, berlin=0)
    await stock.send("PUT", f"/rest/all/V1/products/{SKU}", {"product": {"name": "n"}})
    rows = (await told(stock, SKU))["source_items"]
    assert {row["source_code"]: row["status"] for row in rows} == {"default": 0, "berlin": 1}


async def test_a_renamed_product_takes_its_stock_along_and_leaves_it_too(stock: Wire) -> None:
    await hold(stock, SKU, default=7, berlin=5)
    address = f"{stock.sandbox.control_url}/systems/magento/products/{SKU}"
    async with stock.session.patch(address, json={"sku": "LAMP-NEW"}) as answer:
        assert answer.status == 200
    assert await held(stock, SKU) == {"default": 7, "berlin": 5}
    assert await held(stock, "LAMP-NEW") == {"berlin": 5}
    assert await salable(stock, "LAMP-NEW", GERMANY) == 5


async def test_a_configurable_made_without_a_stock_item_sells_nothing_until_told(
    stock: Wire,
) -> None:
    """Whatever its variants have; it is what a mirror meets that forgets it."""
    shop = stock.sandbox.shop
    parent = shop.catalog.named("SHADE-0001")
    made = {"sku": "SHADE-NEW", "name": "n", "attribute_set_id": 4, "type_id": "configurable"}
    await stock.send("POST", "/rest/all/V1/products", {"product": made})
    variants = shop.catalog.named("SHADE-NEW")
    shop.catalog.put(replace(variants, variants=parent.variants))
    path = f"/rest/V1/inventory/is-product-salable/SHADE-NEW/{GERMANY}"
    assert (await stock.send("GET", path)).body is False
    told_so = {"extension_attributes": {"stock_item": {"is_in_stock": True}}}
    await stock.send("PUT", "/rest/all/V1/products/SHADE-NEW", {"product": told_so})
    assert (await stock.send("GET", path)).body is True


async def held(wire: Wire, sku: str) -> dict[str, int]:
    rows = (await told(wire, sku))["source_items"]
    return {row["source_code"]: int(Decimal(str(row["quantity"]))) for row in rows}
