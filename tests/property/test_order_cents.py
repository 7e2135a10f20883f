"""Whatever shop and ERP round, and how: an order comes out to the cent, or somebody hears of it.

Orders are drawn with the three ways in which the shop rounds tax, and sent to an ERP that rounds
it in one of two, whichever the market believes. What the ERP then comes to is judged by its own
total alone.
"""

import asyncio
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import hypothesis.strategies as st
from hypothesis import example, given, settings

from sync.magento.order_models import Order
from tests.magento.recordings import recordings
from tests.orders import recorded
from tests.orders.selling_one import OneSale

CENT, LIMIT = Decimal("0.01"), Decimal("0.05")
SAMPLE = recordings("order_shapes")["tax_excl_row__mixed_rates"].answer
CODES = {19: "DE-19", 7: "DE-7"}


@dataclass(frozen=True)
class Sold:
    """A line: so many at a unit price in cents, taxed at a rate."""

    cents: int
    quantity: int
    rate: int

    @property
    def net(self) -> Decimal:
        return Decimal(self.cents * self.quantity).scaleb(-2)


LINES = st.lists(
    st.builds(Sold, st.integers(1, 99_999), st.integers(1, 9), st.sampled_from([19, 7, 0])),
    min_size=1,
    max_size=7,
)


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def taxes(lines: list[Sold], rounds: str) -> list[Decimal]:
    """Return the shop's tax of each line."""
    if rounds == "unit":
        return [cents(Decimal(one.cents * one.rate).scaleb(-4)) * one.quantity for one in lines]
    if rounds == "row":
        return [cents(one.net * one.rate / 100) for one in lines]
    # Once for each rate: what one line was rounded by is put on the next.
    left: dict[int, Decimal] = {}
    found = []
    for one in lines:
        exact = one.net * one.rate / 100 + left.get(one.rate, Decimal(0))
        found.append(cents(exact))
        left[one.rate] = exact - found[-1]
    return found


def placed(lines: list[Sold], rounds: str, *, is_itemized: bool) -> Order:
    """Return the order as the shop answers it, the last line for its shipping."""
    charged = taxes(lines, rounds)
    net, tax = sum((one.net for one in lines), Decimal(0)), sum(charged, Decimal(0))
    shipping, extra = lines[-1], dict(SAMPLE["extension_attributes"])
    extra["item_applied_taxes"] = [
        {"type": kind, "applied_taxes": [{"code": CODES[one.rate], "percent": one.rate}]}
        for one, kind in [(shipping, "shipping"), *((one, "product") for one in lines[:-1])]
        if one.rate and (kind == "shipping" or not is_itemized)
    ]
    extra |= {"applied_taxes": [], "additional_itemized_taxes": []}
    items = [
        _item(place, one, tax_of, is_itemized=is_itemized)
        for place, (one, tax_of) in enumerate(zip(lines, charged, strict=True))
    ]
    members = {
        "extension_attributes": extra,
        "items": items[:-1] or [_item(99, Sold(0, 1, 0), Decimal(0), is_itemized=True)],
        "shipping_amount": shipping.net,
        "shipping_tax_amount": charged[-1],
        "shipping_discount_amount": 0,
        "shipping_discount_tax_compensation_amount": 0,
        "tax_amount": tax,
        "grand_total": net + tax,
        "customer_id": None,
        "customer_is_guest": 1,
    }
    return Order.model_validate({**SAMPLE, **members})


def _item(place: int, one: Sold, tax: Decimal, *, is_itemized: bool) -> dict[str, Any]:
    first = SAMPLE["items"][0]
    itemized = [{"tax_code": CODES[one.rate], "tax_percent": one.rate}] if one.rate else []
    return {
        "item_id": 1000 + place,
        "product_id": first["product_id"],
        "sku": first["sku"],
        "qty_ordered": one.quantity,
        "price": Decimal(one.cents).scaleb(-2),
        "row_total": one.net,
        "row_total_incl_tax": one.net + tax,
        "tax_amount": tax,
        "tax_percent": one.rate,
        "extension_attributes": {"itemized_taxes": itemized if is_itemized else []},
    }


@dataclass(frozen=True)
class Roundings:
    """How tax is rounded by the shop, by the ERP, and by what the market says of the ERP."""

    shop: str
    erp: str
    believed: str


_ERPS = st.sampled_from(["line", "total"])
ROUNDINGS = st.builds(Roundings, st.sampled_from(["unit", "row", "total"]), _ERPS, _ERPS)
SHIPPED = [Sold(3634, 1, 19), Sold(595, 1, 19)]
MIXED = [Sold(3634, 1, 19), Sold(595, 1, 7)]


@settings(max_examples=120, deadline=None)
@given(lines=LINES, rounds=ROUNDINGS, is_itemized=st.booleans())
@example(lines=SHIPPED, rounds=Roundings("total", "total", "line"), is_itemized=True)
@example(lines=SHIPPED, rounds=Roundings("total", "line", "total"), is_itemized=True)
@example(lines=MIXED, rounds=Roundings("row", "line", "line"), is_itemized=False)
@example(lines=[Sold(55, 9, 7)] * 7, rounds=Roundings("unit", "total", "total"), is_itemized=True)
def test_the_erps_total_is_the_shops_or_a_line_of_exactly_the_difference_exists(
    lines: list[Sold], rounds: Roundings, *, is_itemized: bool
) -> None:
    order = placed(lines, rounds.shop, is_itemized=is_itemized)
    sale = OneSale(
        order,
        {
            "guest_account": "WEB",
            "rounding": {"item": "ROUNDING", "limit": str(LIMIT)},
            "tax_rounding": rounds.believed,
            "tax_difference": "warn",
        },
    )
    sale.erp.tax, sale.erp.rates, sale.erp.tax_rounding = None, recorded.RATES, rounds.erp

    done = asyncio.run(sale.carry())

    (number,) = sale.erp.headers
    row = asyncio.run(sale.erp.totals("demf", number))
    assert row is not None
    added = [
        line["LineAmount"]
        for line in sale.erp.order_lines[number]
        if line["ItemNumber"] == "ROUNDING"
    ]
    off = order.grand_total - (row.OrderTotalAmount.value - sum(added, Decimal(0)))
    assert added == ([off] if CENT <= abs(off) <= LIMIT else [])
    is_told = done.caution is not None and "total" in done.caution.text
    assert is_told == (abs(off) > LIMIT)
    assert not sale.header["IsSalesProcessingStopped"]
