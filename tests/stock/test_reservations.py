"""What the shop has reserved for a line, of every kind of product as a real shop showed them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from sync.magento.reserving_models import ReservingOrder
from sync.stock.reservations import Refunds, reservations
from tests.magento.recordings import recordings

SHAPES = "order_shapes"


def order(*rows: Mapping[str, Any], state: str = "processing") -> ReservingOrder:
    return ReservingOrder.model_validate(
        {
            "entity_id": 7,
            "increment_id": "000000007",
            "store_id": 1,
            "state": state,
            "created_at": "2026-11-29 02:29:40",
            "updated_at": "2026-11-29 02:29:40",
            "items": [{"item_id": 70 + n, "sku": "LAMP", **row} for n, row in enumerate(rows)],
        }
    )


def reserved(*rows: Mapping[str, Any], state: str = "processing") -> list[Decimal]:
    return [each.quantity for each in reservations(order(*rows, state=state), {})]


@pytest.mark.parametrize(
    ("row", "left"),
    [
        ({"qty_ordered": 5}, 5),
        ({"qty_ordered": 5, "qty_shipped": 2}, 3),
        ({"qty_ordered": 5, "qty_canceled": 2, "qty_shipped": 3}, 0),
        # Measured: invoiced and refunded before anything left.
        ({"qty_ordered": 3, "qty_invoiced": 3, "qty_refunded": 3}, 0),
        # Measured: of 3 refunded, the 2 that had not left count first.
        ({"qty_ordered": 4, "qty_invoiced": 4, "qty_shipped": 2, "qty_refunded": 3}, 0),
        # What came back after it had left frees nothing.
        ({"qty_ordered": 5, "qty_invoiced": 3, "qty_shipped": 3, "qty_refunded": 2}, 2),
        ({"qty_ordered": 2, "qty_invoiced": 2, "is_virtual": 1}, 0),
        ({"qty_ordered": 2, "is_virtual": 1}, 2),
    ],
)
def test_what_has_left_or_never_will_is_not_reserved(row: Mapping[str, Any], left: int) -> None:
    assert reserved(row) == [left]


def test_nothing_is_reserved_for_a_cancelled_order_whatever_its_lines_say() -> None:
    bundle = {"product_type": "bundle", "qty_ordered": 1}
    part = {"parent_item_id": 70, "qty_ordered": 2}
    assert reserved(bundle, part, state="canceled") == [0]


def test_a_configurables_parent_says_how_much_and_its_variant_of_what() -> None:
    """The variant's own `qty_canceled` stays 0."""
    parent = {"product_type": "configurable", "qty_ordered": 5, "qty_canceled": 2}
    variant = {"sku": "LAMP-RED", "parent_item_id": 70, "qty_ordered": 5}

    [only] = reservations(order(parent, variant), {})

    assert only.row.sku == "LAMP-RED"
    assert [only.quantity, only.cancelled] == [Decimal(3), Decimal(2)]


def test_parts_of_a_bundle_follow_what_was_cancelled_of_it() -> None:
    bundle = {"product_type": "bundle", "qty_ordered": 4, "qty_canceled": 1}
    part = {"parent_item_id": 70, "qty_ordered": 8, "qty_shipped": 4}
    assert reserved(bundle, part) == [2]


def test_refunds_are_followed_as_they_come() -> None:
    """At its end, the line looks like one whose refunded pieces had all left before."""
    line = {"qty_ordered": 5, "qty_invoiced": 3, "qty_refunded": 2}
    [first] = reservations(order(line), {})
    [last] = reservations(order({**line, "qty_shipped": 3}), {70: first.refunds})

    assert first.refunds == Refunds(refunded=Decimal(2), unshipped=Decimal(2))
    assert last.quantity == 0


def test_pieces_that_left_though_they_were_refunded_are_ended_twice() -> None:
    """Tried: 10 ordered and invoiced, 1 shipped, 4 refunded, 8 shipped; the shop frees 13."""
    line = {"qty_ordered": 10, "qty_invoiced": 10, "qty_shipped": 1, "qty_refunded": 4}
    [first] = reservations(order(line), {})
    [last] = reservations(order({**line, "qty_shipped": 9}), {70: first.refunds})

    assert [first.quantity, last.quantity, last.cancelled] == [5, -3, 0]


@pytest.mark.parametrize(
    "kind",
    [
        "dynamic_ship_separately",
        "dynamic_ship_together",
        "fixed_ship_separately",
        "fixed_ship_together",
    ],
)
def test_nothing_is_reserved_of_a_recorded_bundle_once_all_of_it_has_left(kind: str) -> None:
    """Of its parts, more is invoiced than was ordered."""
    half = recordings(SHAPES)[f"documents_bundle_{kind}__5_order"].answer
    end = recordings(SHAPES)[f"documents_bundle_{kind}__11_order_at_the_end"].answer

    before = {each.row.sku: each.quantity for each in _of(half)}
    after = {each.row.sku: each.quantity for each in _of(end)}

    assert before == {"OS-STD": 1, "OS-RED": 2}
    assert after == {"OS-STD": 0, "OS-RED": 0}


def test_nothing_is_left_of_a_recorded_order_that_ended_in_every_way_at_once() -> None:
    recorded = recordings(SHAPES)["documents_excl_tax__15_order_after_cancel"].answer
    assert {each.quantity for each in _of(recorded)} == {Decimal(0)}


def _of(recorded: Any) -> list[Any]:
    return list(reservations(ReservingOrder.model_validate(recorded), {}))
