"""Find the documents in the ERP that are one document of the shop's, and never another's.

A reference is a text that anybody can type and another store view's document can have. So each
row that has it is judged: why it is not the document's, empty where it is. Another's under the
present reference holds the document, naming both, since whoever looks by it would find both;
under an earlier form it is passed over. None of them is ever touched.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sync.engine.outcomes import HeldError
from sync.sales.owners import DocumentOwner, DocumentOwners
from sync.sales.references import Numbered, References, named

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnDocuments:
    """One kind of document of one market.

    Attributes:
        noun: What people call one of the shop's.
        kind: What it is in the ERP.
        title: Stands before its number where a number alone would be taken for another kind.
        company: The market's.
        market: Its code.
        field: The ERP's field that holds references.
        references: What they may be.
        owners: What was written before.
    """

    noun: str
    kind: str
    title: str = ""
    company: str
    market: str
    field: str
    references: References
    owners: DocumentOwners

    async def find(
        self,
        document: Numbered,
        rows: Callable[[str], Awaitable[Sequence[R]]],
        why_not: Callable[[R, str], Awaitable[str]],
        *,
        number: Callable[[R], str],
        known: str = "",
    ) -> list[R]:
        """Return the document's rows, the lowest number first.

        Args:
            document: The shop's.
            rows: Returns those with a reference.
            why_not: Judges one that has a reference.
            number: Returns a row's number.
            known: Number of one that is known to be the document's.

        Raises:
            HeldError: Another's has its reference.
        """
        present, *earlier = await self.references.every(document)
        found: dict[str, R] = {}
        for reference in (present, *earlier):
            for row in await rows(reference):
                name = number(row)
                why = "" if name in {known, *found} else await why_not(row, reference)
                if not why:
                    found[name] = row
                elif reference == present:
                    raise HeldError(
                        field=self.field,
                        text=self.told(document, name, reference, why),
                        advice=self.references.advice(document, self.kind),
                    )
        return [found[name] for name in sorted(found, key=lambda each: (len(each), each))]

    async def check_is_first(self, document: Numbered) -> None:
        """Return when no document of the shop has the reference before it.

        Raises:
            HeldError: One has; two documents under one reference could not be told apart.
        """
        first = await self.references.before(document)
        if first is not None:
            raise HeldError(
                field="increment_id",
                text=f"{self.noun}s {named(document)} and {named(first)} would both be "
                f"{self.references.of(document)} in {self.company}",
                advice=self.references.advice(document, self.kind),
            )

    async def link(self, document: Numbered, number: str) -> tuple[bool, str]:
        """Return whether a number is linked to the document, and if to another's, to which."""
        asker = DocumentOwner(self.market, str(document.entity_id))
        owner = await self.owners.of(number, asked_by=asker)
        if owner in (None, asker):
            return owner == asker, ""
        return False, f"it is {self.noun} #{owner.document_id} of {owner.market}"

    def told(self, document: Numbered, number: str, reference: str, why: str) -> str:
        """Return in words whose reference a document of the ERP has, and why it is not its own."""
        return (
            f"{self.title}{number} in {self.company} has the reference {reference} of "
            f"{self.noun} {named(document)}, but {why}; it was not touched"
        )


def perhaps(rivals: Sequence[Numbered]) -> str:
    """Return whose it may be, as the end of a sentence."""
    return f": it may be that of {', '.join(map(named, rivals))}" if rivals else ""


def is_first(document: Numbered, rivals: Sequence[Numbered]) -> bool:
    """Return whether it was made before its rivals: only the first of them is ever sent."""
    return all(document.entity_id < other.entity_id for other in rivals)
