"""Item and customer maps out of F&O's rows."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from pricing_proxy.d365.fo.models import (
    CustomerRow,
    OrderSettingsRow,
    ReleasedProductRow,
    ReleasedProductVariantRow,
    Row,
)
from pricing_proxy.d365.fo.row_reading import UnreadableRows
from pricing_proxy.money import NumberText
from pricing_proxy.prices.sources.fo_master_data import FoMasterData
from pricing_proxy.resilience.call_class import OURSELVES, CallClass, Caller, Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.shared_state.customer_map import Customer
from pricing_proxy.shared_state.item_map import Item
from tests.virtual_time import LoopClock

R = TypeVar("R", bound=Row)


@dataclass
class FakeMasterCalls:
    """Yields its rows in pages of two."""

    products: list[ReleasedProductRow] = field(default_factory=list)
    variant_rows: list[ReleasedProductVariantRow] = field(default_factory=list)
    settings: list[OrderSettingsRow] = field(default_factory=list)
    customer_rows: list[CustomerRow] = field(default_factory=list)
    odd_product: dict[str, Any] = field(default_factory=dict)
    asked_for: list[tuple[str, CallClass, int]] = field(default_factory=list)
    callers: list[tuple[Caller, ...]] = field(default_factory=list)

    def all_rows(
        self, row: type[Any], company: str, odd: UnreadableRows
    ) -> AsyncGenerator[list[Any], None]:
        if row is ReleasedProductRow and self.odd_product:
            odd.note(row, self.odd_product, ["SalesUnitSymbol"])
        every = (*self.products, *self.variant_rows, *self.settings, *self.customer_rows)
        return _pages([one for one in every if type(one) is row], company)

    async def customer(
        self, company: str, account: str, *, ticket: Ticket, deadline: Deadline
    ) -> CustomerRow | None:
        self.asked_for.append((company, ticket.klass, deadline.at_us))
        self.callers.append(ticket.callers)
        return next((r for r in self.customer_rows if r.CustomerAccount == account), None)


async def _pages(rows: Sequence[R], company: str) -> AsyncGenerator[list[R], None]:
    assert company == "demf"
    for start in range(0, len(rows), 2):
        yield list(rows[start : start + 2])


def row(model: type[R], **fields: Any) -> R:
    """Return a row as it is read from the wire, all other fields null."""
    return model.model_validate(dict.fromkeys(model.model_fields) | {"dataAreaId": "demf"} | fields)


def product(number: str, **fields: Any) -> ReleasedProductRow:
    zero = NumberText("0")  # numbers and dates have no null
    defaults = {
        "ItemNumber": number,
        "SalesUnitSymbol": "PCS",
        "SalesPrice": NumberText("19.90"),
        "SalesPriceQuantity": zero,
        "SalesPriceDate": "1900-01-01T12:00:00Z",
        "FixedSalesPriceCharges": zero,
        "SalesChargesQuantity": zero,
    }
    return row(ReleasedProductRow, **(defaults | fields))


def reader(calls: FakeMasterCalls) -> FoMasterData:
    return FoMasterData(calls, company="demf", clock=LoopClock(asyncio.get_running_loop()))


async def test_a_distinct_product_is_sold_under_its_item_number() -> None:
    calls = FakeMasterCalls(products=[product(f"LAMP-{n}") for n in "123"])
    items = (await reader(calls).items({})).rows
    assert list(items) == ["LAMP-1", "LAMP-2", "LAMP-3"]
    assert items["LAMP-1"] == Item(
        "LAMP-1", "LAMP-1", "", "", "", "", "", "PCS", "19.90", is_sold=True
    )


async def test_a_master_is_sold_as_its_variants_only() -> None:
    calls = FakeMasterCalls(
        products=[product("SHIRT", ProductSubType="ProductMaster")],
        variant_rows=[
            row(
                ReleasedProductVariantRow,
                ItemNumber="SHIRT",
                ProductMasterNumber="P-9",
                ProductVariantNumber="SHIRT-RED-L",
                ProductColorId="Red",
                ProductSizeId="L",
                ProductStyleId="Slim",
                ProductConfigurationId="K",
                ProductVersionId="V1",
            ),
            # Without an item number of its own the product's master number names the item.
            row(
                ReleasedProductVariantRow,
                ProductMasterNumber="SHIRT",
                ProductVariantNumber="SHIRT-BLUE",
                ProductColorId="Blue",
            ),
            row(ReleasedProductVariantRow, ProductMasterNumber="SHIRT"),
            row(
                ReleasedProductVariantRow,
                ProductMasterNumber="GONE",
                ProductVariantNumber="GONE-RED",
            ),
        ],
    )
    items = (await reader(calls).items({})).rows
    assert list(items) == ["SHIRT-RED-L", "SHIRT-BLUE"]
    assert items["SHIRT-RED-L"] == Item(
        "SHIRT-RED-L", "SHIRT", "Red", "L", "Slim", "K", "V1", "PCS", "19.90", is_sold=True
    )


async def test_the_erps_sets_may_spell_a_number_each_in_its_own_way() -> None:
    """To its database they are equal, so a key typed in other letters joins there."""
    calls = FakeMasterCalls(
        products=[
            product("LAMP"),
            product("SHIRT", ProductSubType="ProductMaster"),
            product("Shirt", ProductSubType="ProductMaster", SalesUnitSymbol="BOX"),
        ],
        variant_rows=[
            row(
                ReleasedProductVariantRow,
                ItemNumber=number,
                ProductMasterNumber="",
                ProductVariantNumber=f"V-{number}",
            )
            for number in ("shirt ", "Shirt", "SHIRT")
        ],
        settings=[row(OrderSettingsRow, ItemNumber="lamp", IsSalesProcessingStopped="Yes")],
    )
    items = (await reader(calls).items({})).rows
    assert not items["LAMP"].is_sold
    units = {sku: (item.item_number, item.sales_unit) for sku, item in items.items()}
    assert units["V-shirt "] == units["V-SHIRT"] == ("SHIRT", "PCS")
    assert units["V-Shirt"] == ("Shirt", "BOX")


async def test_what_is_stopped_for_sales_is_known_but_not_sold() -> None:
    calls = FakeMasterCalls(
        products=[product("A"), product("B"), product("M", ProductSubType="ProductMaster")],
        variant_rows=[
            row(ReleasedProductVariantRow, ProductMasterNumber="M", ProductVariantNumber="M-1")
        ],
        settings=[
            row(OrderSettingsRow, ItemNumber="A", IsSalesProcessingStopped="Yes"),
            row(OrderSettingsRow, ItemNumber="B", IsSalesProcessingStopped="No"),
            row(OrderSettingsRow, ItemNumber="M", IsSalesProcessingStopped="Yes"),
        ],
    )
    items = (await reader(calls).items({})).rows
    assert {sku: item.is_sold for sku, item in items.items()} == {
        "A": False,
        "B": True,
        "M-1": False,
    }


@pytest.mark.parametrize(
    ("price", "price_unit", "list_price", "list_price_unit"),
    [
        ("19.90", "1", "19.90", "1"),
        ("19.90", "0", "19.90", "1"),
        ("19.90", "1.00", "19.90", "1"),
        ("19.90", "100", "19.90", "100"),
        ("10", "3.0", "10", "3.0"),
        ("0", "1", None, "1"),
        ("0.00", "100", None, "1"),
        ("-1", "1", None, "1"),
    ],
)
async def test_a_list_price_is_the_erps_own_text_and_zero_is_not_set(
    price: str, price_unit: str, list_price: str | None, list_price_unit: str
) -> None:
    """Divided where it is shown: a map outlives a change of the market's decimals."""
    calls = FakeMasterCalls(
        products=[
            product("A", SalesPrice=NumberText(price), SalesPriceQuantity=NumberText(price_unit))
        ]
    )
    item = (await reader(calls).items({})).rows["A"]
    assert (item.list_price, item.list_price_unit) == (list_price, list_price_unit)


async def test_rows_that_cannot_be_read_are_told_beside_those_that_can() -> None:
    calls = FakeMasterCalls(products=[product("A")], odd_product={"ItemNumber": "B"})
    listing = await reader(calls).items({})
    assert list(listing.rows) == ["A"]
    assert listing.odd == (
        "ReleasedProductsV2: 1 row is not as agreed, the first is 'B', in SalesUnitSymbol"
    )
    assert (listing.odd_count, listing.sizes) == (1, {"ReleasedProductsV2": 1})


async def test_customers_carry_what_decides_their_prices() -> None:
    calls = FakeMasterCalls(
        customer_rows=[
            row(
                CustomerRow,
                CustomerAccount=account,
                SalesCurrencyCode="EUR",
                DiscountPriceGroupId="G",
                LineDiscountCode="L",
                MultiLineDiscountCode="M",
                TotalDiscountCode="T",
            )
            for account in ("C-1", "C-2", "C-3")
        ]
    )
    customers = (await reader(calls).customers({})).rows
    assert list(customers) == ["C-1", "C-2", "C-3"]
    assert customers["C-1"] == Customer("C-1", "EUR", "G", "L", "M", "T")
    assert await reader(calls).customer("C-2", caller=OURSELVES) == customers["C-2"]


async def test_a_single_customer_is_asked_for_while_somebody_waits() -> None:
    calls = FakeMasterCalls()
    now_us = LoopClock(asyncio.get_running_loop()).monotonic_us()
    assert await reader(calls).customer("C-9", caller=Caller("shop", "C-9")) is None
    assert calls.asked_for == [("demf", CallClass.INTERACTIVE, now_us + 3_000_000)]
    assert calls.callers == [(Caller("shop", "C-9"),)]
