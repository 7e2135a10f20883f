"""Every shape of order, shipped, invoiced and credited once, whole and in parts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from pricing_proxy.sandbox.shop.order_request import LineRequest
from tests.fakes.fulfilment_world import VARIANT
from tests.fakes.order_life import OrderLife, Row
from tests.fakes.order_life_world import OrderLifeWorld

D = Decimal
CABLE, ENGRAVED = "CABLE-0001", "LAMP-03"


def as_sold(rows: list[Row]) -> None:
    """Leave rows as the simulated shop sells them."""
    del rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A shape of order.

    Attributes:
        cart: What is ordered.
        is_apart: Whether the parts of its bundles are shipped by themselves.
        first: What of a row the first of two papers has; half of it where nothing is said.
        dress: Makes rows those of a kind that the simulated shop does not sell.
    """

    cart: tuple[tuple[str, int] | LineRequest, ...]
    is_apart: bool = False
    first: Decimal | None = None
    dress: Callable[[list[Row]], None] = as_sold


def engraved(quantity: str, **members: Any) -> LineRequest:
    return LineRequest(
        sku=ENGRAVED, quantity=D(quantity), text="Zoë & Co\nline 2", choice=2, **members
    )


def metres(quantity: str, price: str | None = None) -> LineRequest:
    given = None if price is None else D(price)
    return LineRequest(sku=CABLE, quantity=D(quantity), price=given)


def grouped(rows: list[Row]) -> None:
    """Have members of a group: each by itself, with its own SKU and without options."""
    for row in rows:
        row["product_type"] = "grouped"


def downloadable(rows: list[Row]) -> None:
    """Have what was a service downloaded."""
    for row in rows:
        if row["is_virtual"]:
            row["product_type"] = "downloadable"


def with_suffixes(rows: list[Row]) -> None:
    """Have options on a configurable: its row's SKU alone gets their suffixes."""
    rows[0]["sku"] += "-NAM--CARE"
    rows[0]["product_option"]["extension_attributes"]["custom_options"] = [
        {"option_id": "8", "option_value": "Zoë & Co"},
        {"option_id": "9", "option_value": "9,10"},
    ]


SHAPES = {
    "simple": Shape(cart=(("LAMP-01", 3), ("LAMP-02", 7))),
    "one product twice": Shape(cart=(("LAMP-01", 2), ("LAMP-01", 3))),
    "grouped": Shape(cart=(("LAMP-01", 3), ("LAMP-05", 2)), dress=grouped),
    "configurable": Shape(cart=((VARIANT, 3), ("LAMP-01", 1))),
    "configurable with options": Shape(cart=((VARIANT, 3),), dress=with_suffixes),
    "custom options": Shape(cart=(engraved("3"), LineRequest(sku=ENGRAVED, quantity=D(2)))),
    "custom options twice": Shape(cart=(engraved("2"), engraved("3", price=D("33.33")))),
    "bundle of parts": Shape(cart=(("LAMP-SET", 2),)),
    "bundle of parts, apart": Shape(cart=(("LAMP-SET-SEPARATE", 2),), is_apart=True),
    "bundle with a price": Shape(cart=(("LAMP-KIT", 2), ("LAMP-01", 2))),
    "bundle with a price, apart": Shape(cart=(("LAMP-KIT-SEPARATE", 2),), is_apart=True),
    "virtual": Shape(cart=(("SERVICE-01", 3),)),
    "virtual among others": Shape(cart=(("SERVICE-01", 2), ("LAMP-01", 2))),
    "downloadable": Shape(cart=(("SERVICE-01", 2), ("LAMP-01", 2)), dress=downloadable),
    "decimals": Shape(cart=(metres("2.5"), ("LAMP-01", 2))),
    "thirds": Shape(cart=(metres("1", "3.37"), metres("2", "9.99")), first=D("0.3333")),
    "four decimals": Shape(cart=(metres("1.2346", "3.37"),), first=D("0.0001")),
    "price of four decimals": Shape(cart=(metres("0.333", "3.3733"), ("LAMP-01", 2))),
}
KINDS: dict[str, dict[str, Any]] = {
    "net": {},
    "gross": {"includes_tax": True},
    "discounted": {"discount_percent": D(15)},
    "gross, discounted": {"discount_percent": D(15), "includes_tax": True},
    "shipping discounted": {"discount_percent": D(10), "discounts_shipping": True},
    "dollars": {"currency": "USD"},
    "dollars, discounted": {
        "currency": "USD",
        "discount_percent": D(10),
        "discounts_shipping": True,
        "includes_tax": True,
    },
}


def cases() -> Iterator[Any]:
    for name, shape in SHAPES.items():
        has_price = any("LAMP-KIT" in each[0] for each in shape.cart if isinstance(each, tuple))
        for bundle in ("parent", "parts") if has_price else ("parent",):
            for kind in KINDS:
                for division in ("whole", "parts"):
                    marks = (name, kind, bundle, division)
                    yield pytest.param(*marks, id=", ".join(marks))


@pytest.mark.parametrize(("shape", "kind", "bundle", "division"), [*cases()])
async def test_every_shape_is_shipped_invoiced_and_credited_once(
    shape: str, kind: str, bundle: str, division: str
) -> None:
    world = OrderLifeWorld(bundle=bundle)
    its = SHAPES[shape]
    order = world.place(*its.cart, **KINDS[kind])
    its.dress(world.shop.order(order)["items"])
    billed = world.enter(order)
    await world.step()
    life = OrderLife(world, billed, first=its.first, is_apart=its.is_apart)
    papers = life.papers(is_whole=division == "whole")

    for number, paper in enumerate(papers, start=1):
        world.erp.post(f"PS-{number}", dict(paper))
        await life.shipped(paper, number)
        freight = {billed.freight: D(1)} if billed.freight and number == len(papers) else {}
        world.bills.invoice(f"CIV-{number}", {**paper, **freight})
        await life.invoiced(paper, number)
    life.all_invoiced(len(papers))
    for number, paper in enumerate(papers, start=1):
        freight = {billed.freight: D(1)} if billed.freight and number == len(papers) else {}
        world.bills.enter_return(f"RET-{number}", {**paper, **freight})
        world.bills.credit(f"CN-{number}", f"RET-{number}")
        await life.credited(paper, number)
    world.new_process()
    await world.carry(billed)
    life.all_credited(len(papers))
