"""What bodies of shipments, invoices and credit memos have in common. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from sync.magento.wire_types import Rows, ShopModel, Text


class DocumentComment(ShopModel):
    """What somebody wrote on a document."""

    comment: Text = ""


Comments = Annotated[tuple[DocumentComment, ...], Rows]
"""All that is written on a document, the oldest first."""


def number(amount: Decimal) -> int | Decimal:
    """Return a quantity or an amount as JSON has it."""
    return int(amount) if amount == int(amount) else amount


def item_bodies(quantities: Mapping[int, Decimal]) -> list[dict[str, Any]]:
    """Return the lines of a new document, given how much by the rows of the order."""
    return [
        {"order_item_id": item, "qty": number(quantity)}
        for item, quantity in sorted(quantities.items())
    ]


def hidden_comment(text: str) -> dict[str, Any]:
    """Return a comment that no customer sees, for a new document."""
    return {"comment": text, "is_visible_on_front": 0}
