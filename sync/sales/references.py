"""How the ERP is told which of the shop's documents one of its own is.

A reference is the market's prefix and the number that people know. Numbers are unique within
one store view only, so where two could make one reference in a company, the store views need
different prefixes; until they have, the document that the shop made first has the reference,
and every other one is held. Nothing is found by its present reference alone: it is asked for
in every form that the store view ever had.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Protocol

from pricing_proxy.names import is_same_name, same_name_key

RETURN_MARK = "CM-"
"""Stands before the references of returns, so that they are none of an order."""
RETURN_LINK = "return"
"""The kind of link that a credit memo of the shop has to its return order."""


class Numbered(Protocol):
    """A document of the shop."""

    @property
    def entity_id(self) -> int:
        """What the shop calls it."""
        ...

    @property
    def increment_id(self) -> str:
        """What people call it."""
        ...

    @property
    def store_id(self) -> int | None:
        """The store view that counts it."""
        ...


class Forms(Protocol):
    """Knows every prefix that was ever written."""

    async def of(self, market: str, store: int) -> Collection[str]:
        """Return those of a store view."""
        ...


Find = Callable[[Collection[str]], Awaitable[Sequence[Numbered]]]


class References:
    """The references of one kind of document in one market.

    Args:
        market: Its code.
        prefixes: By store view, of all markets that share the ERP's company.
        forms: What the market ever wrote.
        find: Finds the shop's documents of this kind by their numbers.
        mark: Stands before each reference of this kind.
    """

    def __init__(
        self,
        market: str,
        *,
        prefixes: Mapping[int, str],
        forms: Forms,
        find: Find,
        mark: str = "",
    ) -> None:
        self._market = market
        self._prefixes = prefixes
        self._forms = forms
        self._find = find
        self._mark = mark

    def of(self, document: Numbered) -> str:
        """Return the reference under which a document is written now."""
        return self._form(self._prefixes.get(document.store_id or 0, ""), document)

    async def every(self, document: Numbered) -> list[str]:
        """Return every form that its reference may have in the ERP, the present one first."""
        earlier = await self._forms.of(self._market, document.store_id or 0)
        present = self.of(document)
        forms = {same_name_key(present): present}
        for prefix in earlier:
            form = self._form(prefix, document)
            # The ERP finds both by either.
            forms.setdefault(same_name_key(form), form)
        return list(forms.values())

    async def rivals(self, document: Numbered, reference: str) -> list[Numbered]:
        """Return the shop's other documents that would have this reference in the company.

        Raises:
            UpstreamError: The shop did not say.
        """
        # Within one store view the shop gives each number once.
        if len(self._prefixes) == 1:
            return []
        numbers = {
            reference.removeprefix(self._mark)[len(prefix) :] for prefix in self._prefixes.values()
        }
        found = await self._find(numbers - {""})
        return [
            other
            for other in found
            if other.entity_id != document.entity_id
            and other.store_id in self._prefixes
            and is_same_name(self.of(other), reference)
        ]

    async def before(self, document: Numbered) -> Numbered | None:
        """Return the shop's document to which the reference belongs: the one made first.

        None where that is the document itself. Raises `UpstreamError`.
        """
        rivals = await self.rivals(document, self.of(document))
        first = min(rivals, key=lambda each: each.entity_id, default=document)
        return first if first.entity_id < document.entity_id else None

    def advice(self, document: Numbered, kind: str) -> str:
        """Return what a person does about a reference that another document has."""
        return (
            f"give store view {document.store_id} a prefix of its own, in "
            f"sync.markets.{self._market}.orders.reference_prefix, and replay; "
            f"or enter the {kind} by hand and skip the event"
        )

    def _form(self, prefix: str, document: Numbered) -> str:
        return f"{self._mark}{prefix}{document.increment_id}"


def named(document: Numbered) -> str:
    """Return a document's number, id and store view, for people."""
    return f"{document.increment_id} (#{document.entity_id}, store view {document.store_id})"
