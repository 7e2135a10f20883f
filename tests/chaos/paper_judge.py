"""Whether the shop has of each order what the ERP delivered, billed and credited, once.

Asked is the control port of the shop; what the ERP posted it has answered before.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tests.chaos.erp_papers import LoudOrder, Rows, Unit

# Of an order: the shop rounds each of its documents by itself.
_CENTS = Decimal("0.05")

Papers = Mapping[str, Any]
"""By the shop's ids of orders."""


def differences(units: Sequence[Unit], papers: Papers) -> list[str]:
    """Return what is otherwise in the shop than in the ERP."""
    return [each for unit in units for each in _of_unit(unit, papers)]


def strangers(units: Sequence[Unit], papers: Papers) -> list[str]:
    """Return the orders of which nothing happened in the ERP, and something in the shop."""
    loud = {str(order.order) for unit in units for order in unit.orders}
    return [order for order in papers if order not in loud]


def marks_of(papers: Papers) -> set[str]:
    """Return what stands on documents; of a shipment without its source."""
    found = set()
    for its in papers.values():
        for shipment in its["shipments"]:
            found |= {each.rpartition("/")[0] for each in shipment["comments"]}
        for bill in (*its["invoices"], *its["credit_memos"]):
            found |= set(bill["comments"])
    return found


def _of_unit(unit: Unit, papers: Papers) -> Iterator[str]:
    invoiced = Decimal(0)
    for order in unit.orders:
        its = papers.get(str(order.order), _NOTHING)
        yield from (f"{order.reference}: {each}" for each in _of_order(order, its))
        invoiced += _total(its["invoices"])
    if abs(invoiced - unit.total_billed) > _CENTS * len(unit.orders):
        names = ", ".join(order.reference for order in unit.orders)
        yield f"{names}: billed {unit.total_billed}, invoiced {invoiced}"


def _of_order(order: LoudOrder, its: Any) -> Iterator[str]:
    shipped = _rows(its["shipments"])
    if order.bundle:
        own = {order.bundle: shipped.get(order.bundle, Decimal(0))}
        yield from _differs("shipped", _bundles(order), own)
    else:
        yield from _differs("shipped", order.delivered, shipped)
    yield from _differs("invoiced", order.billed, _rows(its["invoices"], order))
    yield from _differs("refunded", order.credited, _rows(its["credit_memos"], order))
    yield from _marks("shipments", order.slips, its["shipments"], is_whole=not order.bundle)
    yield from _marks("invoices", order.invoices, its["invoices"])
    yield from _marks("credit memos", order.credits, its["credit_memos"])
    tracks = sorted(each for shipment in its["shipments"] for each in shipment["tracks"])
    if tracks != sorted(order.parcels):
        yield f"parcels {order.parcels}, tracks {tracks}"
    for day in order.days:
        if sum(f"To be shipped on {day}." in each for each in its["comments"]) > 1:
            yield f"told twice of {day}"
    refunded = _total(its["credit_memos"])
    if abs(refunded - order.total_credited) > _CENTS:
        yield f"credited {order.total_credited}, refunded {refunded}"


def _differs(what: str, wanted: Rows, found: Rows) -> Iterator[str]:
    rows = {row for row in (*wanted, *found) if wanted.get(row, 0) != found.get(row, 0)}
    for row in sorted(rows):
        yield f"row {row}: {wanted.get(row, 0)} in the ERP, {found.get(row, 0)} {what}"


def _marks(
    what: str, wanted: Any, documents: Sequence[Any], *, is_whole: bool = True
) -> Iterator[str]:
    """Yield papers that are missing, there twice or that the ERP does not know."""
    found = Counter(each for document in documents for each in document["comments"])
    if twice := [mark for mark, count in found.items() if count > 1]:
        yield f"{what} twice: {twice}"
    begun = {mark if mark in wanted else mark.rpartition("/")[0] for mark in found}
    missing = set(wanted) - begun if is_whole else set()
    if missing or begun - set(wanted):
        yield f"{what}: {sorted(missing)} missing, {sorted(begun - set(wanted))} of nothing"


def _bundles(order: LoudOrder) -> Rows:
    """Return how many whole bundles left; two were ordered, and each line is of both."""
    shares = [
        order.delivered.get(row, Decimal(0)) * _BUNDLES // ordered
        for row, ordered in order.ordered.values()
    ]
    return {order.bundle: min(shares)}


def _rows(documents: Sequence[Any], order: LoudOrder | None = None) -> Rows:
    """Return what documents come to, rows left out that the ERP has none of."""
    own = None if order is None else {row for row, _ in order.ordered.values()}
    found: Rows = {}
    for document in documents:
        for row, quantity in document["lines"].items():
            if quantity and (own is None or int(row) in own):
                found[int(row)] = found.get(int(row), Decimal(0)) + quantity
    return found


def _total(documents: Sequence[Any]) -> Decimal:
    return sum((Decimal(each["grand_total"]) for each in documents), Decimal(0))


_NOTHING: Mapping[str, Sequence[Any]] = {
    "shipments": [],
    "invoices": [],
    "credit_memos": [],
    "comments": [],
}
# As the sandbox orders them.
_BUNDLES = 2
