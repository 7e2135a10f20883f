"""What was billed and credited of an order in the shop, for whoever looks. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from sync.description import CameBack
from sync.invoices.own_documents import BilledDocument, quantities_of
from sync.magento.order_models import Order
from sync.magento.shop import Shop
from sync.sales.bill_marks import any_mark


class DatedDocument(BilledDocument, Protocol):
    """A document of the shop with its time."""

    @property
    def created_at(self) -> datetime | None:
        """Since when it is there."""
        ...


async def came_back(shop: Shop, order: Order) -> Sequence[CameBack]:
    """Return what stands on an order of the shop; raises `UpstreamError`."""
    invoices = await shop.invoices.invoices_of(order.entity_id)
    memos = await shop.invoices.memos_of(order.entity_id)
    return [*_told("invoice", invoices, order), *_told("credit memo", memos, order)]


def _told(what: str, documents: Iterable[DatedDocument], order: Order) -> Iterator[CameBack]:
    names = {row.item_id: row.sku for row in order.items if row.price}
    for document in documents:
        lines = [
            f"{quantity.normalize():f} x {names[item]}"
            for item, quantity in quantities_of(document).items()
            if item in names
        ]
        mark = any_mark(document.comments)
        yield CameBack(
            what=what,
            name=document.increment_id,
            at=document.created_at,
            text=f"{', '.join(lines) or 'no goods'}; {f'of {mark}' if mark else 'by hand'}",
        )
