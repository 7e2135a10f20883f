"""Whose a document of the ERP is, as far as it was ever linked to one of the shop's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class Pairs(Protocol):
    """The entity map of one market."""

    async def erp_key(self, kind: str, magento_id: str) -> str | None:
        """Return the ERP's key of a thing of the shop."""
        ...

    async def magento_id(self, kind: str, erp_key: str) -> str | None:
        """Return the shop's id of a thing of the ERP."""
        ...


@dataclass(frozen=True, slots=True)
class Owner:
    """A document of the shop."""

    market: str
    document_id: str


class Owners:
    """The links of one kind of document in all markets that share the ERP's company.

    Args:
        kind: Of the entity map.
        links: By market.
    """

    def __init__(self, kind: str, links: Mapping[str, Pairs]) -> None:
        self._kind = kind
        self._links = links

    async def of(self, erp_number: str, *, asked_by: Owner) -> Owner | None:
        """Return whose it is: the asker's own where that is linked to it, else anybody's."""
        own = await self._links[asked_by.market].erp_key(self._kind, asked_by.document_id)
        if own == erp_number:
            return asked_by
        for market, links in self._links.items():
            found = await links.magento_id(self._kind, erp_number)
            if found is not None:
                return Owner(market, found)
        return None
