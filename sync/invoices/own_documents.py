"""Which invoices and credit memos of the shop are a bill's, and which nobody has accounted for.

A document that was made of a bill has its mark; one by hand that was taken for a bill's is linked
to it in the entity map.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Protocol, TypeVar

from sync.engine.flow import Work
from sync.engine.outcomes import Difference
from sync.invoices.mapping import Quantities
from sync.magento.credit_memo_models import DocumentLine
from sync.magento.document_bodies import DocumentComment
from sync.sales.bill_marks import has_mark, mark_of

_NOTHING = Decimal(0)


class BilledDocument(Protocol):
    """An invoice or a credit memo of the shop."""

    @property
    def entity_id(self) -> int:
        """What the shop calls it."""
        ...

    @property
    def increment_id(self) -> str:
        """What people call it."""
        ...

    @property
    def items(self) -> Sequence[DocumentLine]:
        """Its lines."""
        ...

    @property
    def comments(self) -> Sequence[DocumentComment]:
        """What is written on it."""
        ...


D = TypeVar("D", bound=BilledDocument)


async def made_of(work: Work, documents: Sequence[D], kind: str, mark: str) -> D | None:
    """Return the document that is a bill's; None where there is none."""
    for document in documents:
        if has_mark(document.comments, mark):
            return document
    linked = await work.links.magento_id(kind, mark)
    return next((each for each in documents if str(each.entity_id) == linked), None)


async def by_hand(
    work: Work, documents: Sequence[D], kinds: Sequence[str], company: str
) -> list[D]:
    """Return the documents that no bill is known of: made by people, or by a gateway.

    Args:
        work: The event at work.
        documents: All of the order's.
        kinds: The kinds of link that account for one.
        company: The market's.
    """
    found: list[D] = []
    for document in documents:
        keys = [await work.links.erp_key(kind, str(document.entity_id)) for kind in kinds]
        if not any(keys) and not mark_of(document.comments, company):
            found.append(document)
    return found


def quantities_of(document: BilledDocument) -> dict[int, Decimal]:
    """Return how much of which row a document has."""
    found: dict[int, Decimal] = {}
    for line in document.items:
        found[line.order_item_id] = found.get(line.order_item_id, _NOTHING) + line.qty
    return {item: quantity for item, quantity in found.items() if quantity}


def has_equal_lines(document: BilledDocument, wanted: Quantities) -> bool:
    """Return whether a document has just what is wanted of the rows that carry value."""
    valued = {
        line.order_item_id for line in document.items if line.order_item_id in wanted or line.net
    }
    found = {item: each for item, each in quantities_of(document).items() if item in valued}
    return bool(wanted) and found == dict(wanted)


def missing_from(document: BilledDocument, wanted: Quantities) -> list[Difference]:
    """Return of which rows a document has less than is wanted."""
    found = quantities_of(document)
    return [
        (f"row {item}", str(quantity), str(found.get(item, _NOTHING)))
        for item, quantity in sorted(wanted.items())
        if found.get(item, _NOTHING) < quantity
    ]


def net_differences(
    document: BilledDocument,
    wanted: Quantities,
    nets: Mapping[int, Decimal],
    *,
    tolerance: Decimal,
) -> list[Difference]:
    """Return of which rows the net amount differs, where all of the quantity is there."""
    found = quantities_of(document)
    amounts: dict[int, Decimal] = {}
    for line in document.items:
        amounts[line.order_item_id] = amounts.get(line.order_item_id, _NOTHING) + line.net
    return [
        (f"row {item} net", str(net), str(amounts[item]))
        for item, net in sorted(nets.items())
        if found.get(item) == wanted.get(item) and abs(amounts[item] - net) > tolerance
    ]
