"""The judge finds every planted fault, and nothing in a good run."""

from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console

from tests.chaos.judge import FAULTS, judge, show


def order(number: str = "3000000001") -> dict[str, Any]:
    return {
        "increment_id": number,
        "ext_order_id": f"SO-{number}",
        "currency": "EUR",
        "shipping_net": Decimal(25),
        "lines": [
            {"sku": "LAMP-04", "quantity": 1, "net": Decimal("49.9")},
            {"sku": "SHADE-0015 : : S : Black :", "quantity": 2, "net": Decimal("4779.80")},
            {"sku": "LAMP-01", "quantity": 3, "net": Decimal("33.45")},
        ],
    }


def line(position: int, item: str, quantity: int, amount: str, **more: str) -> dict[str, Any]:
    return {
        "LineCreationSequenceNumber": position,
        "ItemNumber": item,
        "OrderedSalesQuantity": Decimal(quantity),
        "LineAmount": Decimal(amount),
        **more,
    }


def document(number: str = "3000000001") -> dict[str, Any]:
    return {
        "number": f"SO-{number}",
        "reference": number,
        "is_stopped": False,
        "header": {"CurrencyCode": "EUR"},
        "lines": [
            line(1, "LAMP-04", 1, "49.90"),
            line(2, "SHADE-0015", 2, "4779.8", ProductSizeId="S", ProductColorId="Black"),
            line(3, "LAMP-01", 3, "33.45"),
            line(4, "FREIGHT", 1, "25.00"),
            line(5, "ROUNDING", -1, "-0.01"),
        ],
    }


def faults(placed: list[dict[str, Any]], documents: list[dict[str, Any]]) -> dict[str, int]:
    found = judge(placed, documents).found
    return {name: len(texts) for name, texts in found.items() if texts}


def test_a_good_run_has_no_fault() -> None:
    verdict = judge([order(), order("2")], [document("2"), document()])

    assert verdict.is_good
    assert (verdict.placed, verdict.released, verdict.lines) == (2, 2, 8)


def test_lost_and_doubled_orders_are_found() -> None:
    assert faults([order(), order("2")], [document()]) == {"lost": 1}
    assert faults([order()], [document(), {**document(), "number": "SO-9"}]) == {"doubled": 1}


def test_stuck_orders_are_found() -> None:
    stopped = {**document(), "is_stopped": True}
    assert faults([order()], [stopped]) == {"stuck": 1}
    assert faults([{**order(), "ext_order_id": None}], [document()]) == {"stuck": 1}
    assert faults([{**order(), "ext_order_id": "SO-9"}], [document()]) == {"stuck": 1}


def test_unexplained_documents_are_found() -> None:
    double = {**document(), "number": "SO-9", "is_stopped": True}
    assert faults([order()], [document(), double]) == {"unexplained": 1}
    assert faults([order()], [document(), document("7")]) == {"unexplained": 1}


def test_reordered_lines_are_found() -> None:
    reordered = document()
    first, second = reordered["lines"][0], reordered["lines"][2]
    first["LineCreationSequenceNumber"], second["LineCreationSequenceNumber"] = 3, 1
    assert faults([order()], [reordered]) == {"out of order": 1}


@pytest.mark.parametrize(
    ("position", "changes"),
    [
        (0, {"ItemNumber": "LAMP-05"}),
        (0, {"OrderedSalesQuantity": Decimal(2)}),
        (0, {"LineAmount": Decimal("49.89")}),
        (1, {"ProductColorId": "White"}),
        (3, {"LineAmount": Decimal(24)}),
        (4, {"LineAmount": Decimal("-0.06")}),
    ],
    ids=["item", "quantity", "amount", "variant", "shipping", "rounding"],
)
def test_a_wrong_line_is_found(position: int, changes: dict[str, Any]) -> None:
    wrong = deepcopy(document())
    wrong["lines"][position].update(changes)
    assert faults([order()], [wrong]) == {"wrong": 1}


def test_missing_and_surplus_lines_and_a_wrong_currency_are_found() -> None:
    for lines in (document()["lines"][1:], [*document()["lines"], document()["lines"][0]]):
        assert faults([order()], [{**document(), "lines": lines}]) == {"wrong": 1}
    dollars = {**document(), "header": {"CurrencyCode": "USD"}}
    assert faults([order()], [dollars]) == {"wrong": 1}


def test_the_table_shows_every_count(capsys: pytest.CaptureFixture[str]) -> None:
    show(judge([order()], []), Console(width=100))

    shown = capsys.readouterr().out
    assert all(name in shown for name in FAULTS)
    assert "lost: 3000000001" in shown
