"""What tells documents of one number apart: nothing else of such a row must be in order."""

from collections.abc import Collection, Sequence

from sync.magento.calls import Calls
from sync.magento.listing import ShopList
from sync.magento.places import ById
from sync.magento.search import Search, any_text, text_parts
from sync.magento.wire_types import Number, ShopModel

_FIELDS = "items[entity_id,increment_id,store_id]"


class NumberedDocument(ShopModel):
    """An order or a credit memo.

    Attributes:
        store_id: None where the row does not say: it is of no store view.
    """

    entity_id: int
    increment_id: Number
    store_id: int | None = None


async def numbered(
    calls: Calls, name: str, route: str, numbers: Collection[str]
) -> list[NumberedDocument]:
    """Return the documents that have one of these numbers, in whatever spelling or store view."""
    found: Sequence[NumberedDocument] = ()
    for part in text_parts(sorted(numbers)):
        search = Search(groups=[any_text("increment_id", part)], fields=_FIELDS)
        documents = ShopList(calls, name, NumberedDocument, route, search)
        found = [*found, *await documents.whole(ById())]
    return list(found)
