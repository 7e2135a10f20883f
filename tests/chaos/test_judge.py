"""The judge finds every planted fault, and nothing in a good run; numbers alone tell it nothing."""

from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console

from tests.chaos.comparison import FAULTS, Agreed, judge
from tests.chaos.judge import show
from tests.chaos.returned import count_returns

NUMBER = "3000000001"


def order(entity: int = 1, number: str = NUMBER, **more: Any) -> dict[str, Any]:
    rows = [entity * 10 + position for position in range(4)]
    return {
        "entity_id": entity,
        "increment_id": number,
        "customer_id": entity,
        "ext_order_id": f"SO-{entity}",
        "currency": "EUR",
        "shipping_net": Decimal(25),
        # The second is the row of a variant beside its configurable.
        "item_ids": rows,
        "lines": [
            {"item_id": rows[0], "sku": "LAMP-04", "quantity": 1, "net": Decimal("49.9")},
            {
                "item_id": rows[1],
                "sku": "SHADE-0015 : : S : Black :",
                "quantity": 2,
                "net": Decimal("4779.80"),
            },
            {"item_id": rows[3], "sku": "LAMP-01", "quantity": 3, "net": Decimal("33.45")},
        ],
        **more,
    }


def line(position: int, item: str, quantity: int, amount: str, **more: str) -> dict[str, Any]:
    return {
        "LineCreationSequenceNumber": position,
        "ItemNumber": item,
        "OrderedSalesQuantity": Decimal(quantity),
        "LineAmount": Decimal(amount),
        **more,
    }


def document(entity: int = 1, reference: str = NUMBER, **more: Any) -> dict[str, Any]:
    rows = [f"{reference}-{entity * 10 + position}" for position in range(4)]
    size = {"ProductSizeId": "S", "ProductColorId": "Black"}
    return {
        "number": f"SO-{entity}",
        "company": "demf",
        "reference": reference,
        "customer": f"C-{entity}",
        "is_stopped": False,
        "header": {"CurrencyCode": "EUR"},
        "lines": [
            line(1, "LAMP-04", 1, "49.90", OrderLineReference=rows[0]),
            line(2, "SHADE-0015", 2, "4779.8", **size, OrderLineReference=rows[1]),
            line(3, "LAMP-01", 3, "33.45", OrderLineReference=rows[3]),
            line(4, "FREIGHT", 1, "25.00", OrderLineReference=f"{reference}-shipping"),
            line(5, "ROUNDING", -1, "-0.01", OrderLineReference=f"{reference}-rounding"),
        ],
        **more,
    }


def faults(
    placed: list[dict[str, Any]], documents: list[dict[str, Any]], **agreed: Any
) -> dict[str, int]:
    found = judge(placed, documents, Agreed(**agreed)).found
    return {name: len(texts) for name, texts in found.items() if texts}


def test_a_good_run_has_no_fault() -> None:
    verdict = judge([order(1), order(2, "7")], [document(2, "7"), document(1)])

    assert verdict.is_good
    assert (verdict.placed, verdict.released, verdict.lines) == (2, 2, 8)


def test_orders_of_one_number_are_told_apart_by_their_rows() -> None:
    """Three stores number alike; in the ERP two carry a prefix."""
    placed = [order(1), order(2), order(3)]
    documents = [document(3, f"X-{NUMBER}"), document(1), document(2, f"B-{NUMBER}")]
    assert judge(placed, documents).is_good
    assert faults(placed, documents[:2]) == {"lost": 1}


def test_a_document_that_serves_two_orders_is_found() -> None:
    """What a look-up by number alone does: the second order is told the first one's document."""
    second = order(2, ext_order_id="SO-1")
    assert faults([order(1), second], [document(1)]) == {"lost": 1, "shared": 1}


def test_a_document_that_holds_the_lines_of_two_orders_is_found() -> None:
    merged = document(1)
    merged["lines"] += document(2)["lines"][:3]
    found = faults([order(1), order(2, ext_order_id="SO-1")], [merged])
    assert found == {"shared": 2, "wrong": 2, "account": 1}


def test_a_document_that_is_the_other_orders_is_found() -> None:
    """Each has a document of equal content, told the wrong way round."""
    placed = [order(1, ext_order_id="SO-2"), order(2, ext_order_id="SO-1")]
    documents = [document(1), document(2, f"B-{NUMBER}")]
    assert faults(placed, documents) == {"stuck": 2}


def test_two_documents_under_one_reference_are_found() -> None:
    """Whoever looks by it finds both, in other letters too; another company's is no matter."""
    documents = [document(1, f"b-{NUMBER}"), document(2, f"B-{NUMBER}")]
    assert faults([order(1), order(2)], documents) == {"shared": 1}
    documents[1]["company"] = "usmf"
    assert faults([order(1), order(2)], documents) == {}


def test_lost_and_doubled_orders_are_found() -> None:
    assert faults([order(1), order(2)], [document(1)]) == {"lost": 1}
    assert faults([order(1)], [document(1), document(1, number="SO-9")]) == {"doubled": 1}


def test_stuck_orders_are_found() -> None:
    assert faults([order(1)], [document(1, is_stopped=True)]) == {"stuck": 1}
    empty = document(1, is_stopped=True, lines=[])
    assert faults([order(1)], [empty]) == {"stuck": 1}
    # Whose it is cannot be told when two have the number.
    assert faults([order(1), order(2)], [empty]) == {"lost": 2, "unexplained": 1}
    assert faults([order(1, ext_order_id=None)], [document(1)]) == {"stuck": 1}
    assert faults([order(1, ext_order_id="SO-9")], [document(1)]) == {"stuck": 1}


def test_unexplained_documents_are_found() -> None:
    double = document(1, number="SO-9", is_stopped=True)
    assert faults([order(1)], [document(1), double]) == {"unexplained": 1}
    assert faults([order(1)], [document(1), document(7, "7")]) == {"unexplained": 1}


def test_an_order_on_anothers_account_is_found() -> None:
    placed = [order(1), order(2, "7")]
    documents = [document(1), document(2, "7", customer="C-1")]
    assert faults(placed, documents) == {"account": 1}
    # Unless a person said that both are of one company.
    assert faults(placed, documents, accounts={1: "C-1", 2: "C-1"}) == {}
    assert faults(placed, documents, accounts={2: "C-2"}) == {"account": 1}


def test_a_customer_with_two_accounts_is_found() -> None:
    second = order(2, "7", customer_id=1)
    assert faults([order(1), second], [document(1), document(2, "7")]) == {"account": 1}


def test_a_guest_on_a_customers_account_is_found() -> None:
    guest = order(2, "7", customer_id=None)
    documents = [document(1), document(2, "7", customer="C-1")]
    assert faults([order(1), guest], documents) == {}
    assert faults([order(1), guest], documents, guest_account="C-9") == {"account": 1}


def test_an_order_that_should_wait_is_found_in_the_erp() -> None:
    placed = [order(1), order(2, "7", ext_order_id=None)]
    verdict = judge(placed, [document(1)], Agreed(waiting=frozenset({2})))
    assert verdict.is_good
    assert (verdict.waiting, verdict.released) == (1, 1)
    both = [document(1), document(2, "7")]
    assert faults(placed, both, waiting=frozenset({2})) == {"early": 1}
    assert faults(placed, both, held=frozenset({2})) == {"early": 1}
    assert faults(placed, [document(1)], held=frozenset({2})) == {}


def test_reordered_lines_are_found() -> None:
    reordered = document()
    first, second = reordered["lines"][0], reordered["lines"][2]
    first["LineCreationSequenceNumber"], second["LineCreationSequenceNumber"] = 3, 1
    assert faults([order()], [reordered]) == {"out of order": 1}


@pytest.mark.parametrize(
    ("position", "changes"),
    [
        (0, {"ItemNumber": "LAMP-05"}),
        (0, {"OrderLineReference": f"{NUMBER}-13"}),
        (0, {"OrderedSalesQuantity": Decimal(2)}),
        (0, {"LineAmount": Decimal("49.89")}),
        (1, {"ProductColorId": "White"}),
        (3, {"LineAmount": Decimal(24)}),
        (4, {"LineAmount": Decimal("-0.06")}),
    ],
    ids=["item", "row", "quantity", "amount", "variant", "shipping", "rounding"],
)
def test_a_wrong_line_is_found(position: int, changes: dict[str, Any]) -> None:
    wrong = deepcopy(document())
    wrong["lines"][position].update(changes)
    assert faults([order()], [wrong]) == {"wrong": 1}


@pytest.mark.parametrize(
    ("total", "is_good"), [("4888.14", True), ("4888.13", False), ("4888.15", False)]
)
def test_a_total_that_is_a_cent_off_is_found(total: str, is_good: bool) -> None:  # noqa: FBT001
    """The rounding line takes a cent off: without it the ERP would come to one more."""
    told = document(total=Decimal(total))
    expected = {} if is_good else {"wrong": 1}
    assert faults([order(grand_total=Decimal("4888.14"))], [told]) == expected


def test_a_rounding_line_that_an_exact_order_got_is_found() -> None:
    """Judged before it is asked whether the total is right: half a cent may hide either."""
    told = document(total=Decimal("4888.145"))
    assert faults([order(grand_total=Decimal("4888.15"))], [told]) == {"wrong": 1}


def test_missing_and_surplus_lines_and_a_wrong_currency_are_found() -> None:
    for lines in (document()["lines"][1:], [*document()["lines"], document()["lines"][0]]):
        assert faults([order()], [{**document(), "lines": lines}]) == {"wrong": 1}
    dollars = document(header={"CurrencyCode": "USD"})
    assert faults([order()], [dollars]) == {"wrong": 1}


def test_the_table_shows_every_count(capsys: pytest.CaptureFixture[str]) -> None:
    show(judge([order()], []), Console(width=100))

    shown = capsys.readouterr().out
    assert all(name in shown for name in FAULTS)
    assert "lost: 3000000001 #1" in shown


def test_an_order_that_was_cancelled_after_it_was_sent_must_be_stopped() -> None:
    assert faults([order()], [document()], stopped=frozenset({1})) == {"goes on": 1}
    stopped = document(is_stopped=True)
    assert faults([order()], [stopped], stopped=frozenset({1})) == {}
    assert faults([order()], [], stopped=frozenset({1})) == {}


def test_an_order_without_a_number_is_nobodys_reference() -> None:
    """Every text ends with nothing."""
    empty = document(2, "99", lines=[])
    found = faults([order(), order(2, increment_id=None)], [document(), empty], held=frozenset({2}))
    assert found == {"unexplained": 1}


def test_returns_are_counted_by_the_lots_that_they_take_back() -> None:
    """A return that takes back two lines is one; a lot of nobody's counts for nobody."""
    documents = [document(1), document(2, "7")]
    for each in documents:
        for number, row in enumerate(each["lines"]):
            row["InventoryLotId"] = f"{each['number']}-{number}"
    lots = [["SO-1-0", "SO-1-1"], ["SO-1-2"], ["SO-2-0"], ["SO-9-1"], []]
    returns = [{"lines": [{"ReturningInventoryLotId": lot} for lot in each]} for each in lots]
    assert count_returns([order(1), order(2, "7")], documents, returns) == {1: 2, 2: 1}
