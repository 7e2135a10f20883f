"""Compare two systems and say of each difference why, twice: what passes by itself is none.

Between two reads orders are placed, shipped and written, so each difference of the first look is
looked at once more, and reported as it is then. A comparison tells of what differs; whether
it is healed is for `healing`.
"""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from pricing_proxy.clock import Clock
from sync.reconciliation.causes import Cause, Clues, Share, explain
from sync.store.document_events import DocumentEvent
from sync.store.mirror_records import Value

# In one second look; what differs of more is no drift but another catalog.
_MOST_AGAIN = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One field of one row that the systems have otherwise, and what is known of it.

    Attributes:
        key: The SKU, or a document's number.
        field: Which, with its place where there are several: "source berlin", "price of view/3".
        evidence: What is known.
        run: Whose write was the last one; None where none is known.
        read_at: When the ERP was read for that.
        waiting: The run in whose plan it is open; None where it is in none.
        is_fixed: Whether nothing of ours mends it.
        advice: What becomes of it where that is no matter of its cause.
    """

    key: str
    field: str
    evidence: Clues
    run: int | None = None
    read_at: datetime | None = None
    waiting: int | None = None
    is_fixed: bool = False
    advice: str = ""


@dataclass(frozen=True, slots=True)
class ComparedPage:
    """Some rows.

    Attributes:
        compared: How many were compared.
        found: What differs.
        notes: What could not be compared, and why, for people.
    """

    compared: int
    found: Sequence[Deviation]
    notes: Sequence[str] = ()


class Comparison(Protocol):
    """Compares one kind of thing of one market; raises `UpstreamError`."""

    @property
    def kind(self) -> str:
        """What: "stock", "orders" and so on."""
        ...

    @property
    def market(self) -> str:
        """Whose."""
        ...

    def pages(self, keys: Collection[str] | None = None) -> AsyncGenerator[ComparedPage, None]:
        """Compare everything, or some keys."""
        ...


class KnownEvents(Protocol):
    """The events of documents; see `sync.store.document_events`."""

    async def of(
        self, flow: str, market: str, documents: Collection[int]
    ) -> Mapping[int, Sequence[DocumentEvent]]:
        """Return those of some documents, the newest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrepancy:
    """A difference with its causes.

    Attributes:
        erp: What the shop should have, by the ERP.
        shop: What it has.
        known: What was written last, as it should be by now; None where nothing was.
        causes: In their order, with their shares.
        waiting: See `Deviation`.
        is_fixed: See `Deviation`.
        action: What was done about it, or is to be.
    """

    key: str
    field: str
    erp: Value
    shop: Value
    known: Value
    run: int | None
    read_at: datetime | None
    causes: Sequence[Share]
    waiting: int | None = None
    is_fixed: bool = False
    action: str = ""

    @property
    def names(self) -> Sequence[Cause]:
        """The causes alone."""
        return [share.cause for share in self.causes]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReport:
    """What one comparison has found.

    Attributes:
        compared: How many fields or documents.
        found: What differs, the keys in their order.
        is_significant: Whether somebody should be told.
        why: Why; empty where it is not.
        notes: What could not be compared, and why.
    """

    kind: str
    market: str
    began_at: datetime
    ended_at: datetime
    compared: int
    found: Sequence[Discrepancy] = field(default_factory=tuple)
    is_significant: bool = False
    why: str = ""
    notes: Sequence[str] = ()


async def compared(comparison: Comparison, *, clock: Clock) -> DriftReport:
    """Compare all there is, and what differs once more; raises `UpstreamError`."""
    began_at = clock.utc()
    first, count, notes = await _differences(comparison, None)
    again = list(dict.fromkeys(each.key for each in first))
    if again and len(again) <= _MOST_AGAIN:
        known = {(each.key, each.field) for each in first}
        second, _, more = await _differences(comparison, again)
        notes += more
        first = [each for each in second if (each.key, each.field) in known]
    return DriftReport(
        kind=comparison.kind,
        market=comparison.market,
        began_at=began_at,
        ended_at=clock.utc(),
        compared=count,
        found=[
            explained
            for each in sorted(first, key=lambda each: (each.key, each.field))
            if (explained := _explained(each)).causes
        ],
        notes=list(dict.fromkeys(notes)),
    )


async def _differences(
    comparison: Comparison, keys: Collection[str] | None
) -> tuple[list[Deviation], int, list[str]]:
    found: list[Deviation] = []
    notes: list[str] = []
    count = 0
    async with aclosing(comparison.pages(keys)) as pages:
        async for page in pages:
            found += page.found
            notes += page.notes
            count += page.compared
    return found, count, notes


def _explained(difference: Deviation) -> Discrepancy:
    evidence = difference.evidence
    return Discrepancy(
        key=difference.key,
        field=difference.field,
        erp=evidence.erp,
        shop=evidence.shop,
        known=evidence.known if evidence.is_known else None,
        run=difference.run,
        read_at=difference.read_at,
        causes=explain(evidence),
        waiting=difference.waiting,
        is_fixed=difference.is_fixed,
        action=difference.advice,
    )
