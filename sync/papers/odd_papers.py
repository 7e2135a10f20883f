"""Rows of the ERP's papers and headers that cannot be read: kept visibly, while all others go on.

A row of an order that is none of ours is nobody's affair here; one that does not say whose it is
may be ours. What reads well again is ended.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from pricing_proxy.d365 import paging
from pricing_proxy.d365.fo.models import Row
from pricing_proxy.names import same_name_key
from sync.engine.odd_rows import Changing, OddRowBook
from sync.engine.windows import ClockReading
from sync.papers.watched_market import WatchedMarket
from sync.store.watched_order_record import WatchedRecord

# How sets call the order that a row is of; of a slip's line the first that is filled.
_ORDER = ("OrigSalesId", "SalesId", "SalesOrderNumber")
_SHOWN = 40
_DAY = len("2026-12-04")
# As large as the database's whole numbers.
_DIGEST_BYTES, _SIGN = 8, (1 << 63) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OddPaper:
    """A row, as `sync.engine.odd_rows.Odd`.

    Attributes:
        order: Whose, by the ERP's number; empty where it does not say.
    """

    entity_id: int
    order: str
    number: str
    member: str
    text: str
    updated_at: datetime | None = None


@dataclass(slots=True)
class OddPapers:
    """Takes note of odd rows while sets are read; see `pricing_proxy.d365.fo.row_reading.OddRows`.

    Attributes:
        found: They.
    """

    found: list[OddPaper] = field(default_factory=list)

    def note(self, row: type[Row], values: paging.Row, fields: Iterable[str]) -> None:
        """Take note of one."""
        odd = sorted(fields)
        order = next((text for name in _ORDER if (text := _text(values.get(name)))), "")
        shown = _text(values.get(row.shown_by)) if row.shown_by else ""
        number = "/".join(dict.fromkeys(each for each in (order, shown) if each))
        self.found.append(
            OddPaper(
                entity_id=_id(row, values),
                order=order,
                number=number,
                member=odd[0],
                text=f"{row.entity_set}: {', '.join(odd)} not as agreed",
            )
        )


@dataclass(frozen=True, slots=True)
class _Page:
    """What `SourceOddRows` takes."""

    odd: Sequence[OddPaper]
    rows: Sequence[Changing] = ()
    reading: ClockReading | None = None


class KnownNumbers(Protocol):
    """Which orders are watched; see `sync.store.watched_orders`."""

    async def numbered(self, market: str, numbers: Collection[str]) -> Mapping[str, WatchedRecord]:
        """Return the orders that the ERP calls so, by what all spellings of a number share."""
        ...


class OddPaperBook:
    """Keeps the odd rows of one flow and market.

    Args:
        book: Of all flows.
        watch: The watched orders.
        market: Whose.
    """

    def __init__(self, book: OddRowBook, watch: KnownNumbers, market: WatchedMarket) -> None:
        self._book = book
        self._watch = watch
        self._market = market
        # What an earlier process met may read well by now.
        self._may_have_any = True

    async def take(self, odd: OddPapers, rows: Iterable[Row]) -> None:
        """Keep what is odd in what was read, and end what reads well."""
        if not odd.found and not self._may_have_any:
            return
        named = {each.order for each in odd.found if each.order}
        ours = await self._watch.numbered(self._market.code, named)
        kept = [each for each in odd.found if not each.order or same_name_key(each.order) in ours]
        known = await self._book.of(self._market.flow)
        await known.end({_id(type(row), row.model_dump()) for row in rows} if known.known else ())
        await known.take(_Page(kept))
        self._may_have_any = bool(known.known)


def _id(row: type[Row], values: Mapping[str, Any]) -> int:
    """Return a number of a row's own, out of what its key says."""
    # A day is one with its noon and without.
    key = (
        f"{values.get(name)}".strip()[: _DAY if name.endswith("Date") else None] for name in row.key
    )
    told = "\n".join([row.entity_set, *key])
    digest = hashlib.blake2b(told.encode(), digest_size=_DIGEST_BYTES).digest()
    return int.from_bytes(digest) & _SIGN


def _text(value: object) -> str:
    return value.strip()[:_SHOWN] if isinstance(value, str) else ""
