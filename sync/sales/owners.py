"""Whose a document of the ERP is, as far as it was ever linked to one of the shop's."""

from collections.abc import Mapping
from dataclasses import dataclass

from sync.engine.flow import Links


@dataclass(frozen=True, slots=True)
class DocumentOwner:
    """A document of the shop."""

    market: str
    document_id: str


class DocumentOwners:
    """The links of one kind of document in all markets that share the ERP's company.

    Args:
        kind: Of the entity map.
        links: By market.
    """

    def __init__(self, kind: str, links: Mapping[str, Links]) -> None:
        self._kind = kind
        self._links = links

    async def of(self, erp_number: str, *, asked_by: DocumentOwner) -> DocumentOwner | None:
        """Return whose it is: the asker's own where that is linked to it, else anybody's."""
        own = await self._links[asked_by.market].erp_key(self._kind, asked_by.document_id)
        if own == erp_number:
            return asked_by
        for market, links in self._links.items():
            found = await links.magento_id(self._kind, erp_number)
            if found is not None:
                return DocumentOwner(market, found)
        return None
