"""Compare a mirror's rows: what the ERP says now, what the shop has, and what was written last.

    field of a row                    compared
    the ERP says it                   with the shop, by the mirror's own reader and writer
    the shop does not show it         no
    a person let it be (adoption)     no
    the ERP has the row no more       with what the mirror then wants, as "disabled"

Rows that the shop does not have count where we once wrote them: of the others, the shop has
deliberately none.
"""

from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sync.mirror.keys import folded
from sync.mirror.ports import Mirror, MirrorPage
from sync.reconciliation.causes import Clues, OtherWrite
from sync.reconciliation.comparing import ComparedPage, Deviation
from sync.store.mirror_known import KnownRows, MirrorRows, RowOfMirror, RowPlace, RunWrote
from sync.store.mirror_records import DesiredRow, HeldRow, MirrorChange, Value, Values

ERP, SHOP = "the ERP", "the shop"
"""Which system lacks something."""


@dataclass(frozen=True, slots=True)
class _Compared:
    """A row of the ERP beside what is known of it."""

    row: DesiredRow
    known: RowOfMirror | None
    began_at: datetime
    ended_at: datetime
    is_gone: bool = False

    @property
    def place(self) -> RowPlace:
        return self.row.scope, folded(self.row.key)

    @property
    def change(self) -> MirrorChange:
        """The row as one that the shop is asked for."""
        return asked(self.row, self.known, self.began_at, self.ended_at)


class OtherCopy(Protocol):
    """Another system that has a copy of the same fields and shows it to people."""

    async def compare(
        self, rows: Sequence[DesiredRow], known: Mapping[RowPlace, RowOfMirror]
    ) -> ComparedPage:
        """Compare rows as the ERP has them now; what cannot be asked is a note, no error."""
        ...


class MirrorComparison:
    """A `sync.reconciliation.comparing.Comparison` of a mirror that writes fields of products.

    Args:
        kind: What it is called.
        mirror: Whose rows.
        known: What is known of them.
        only: The fields that are compared; none for all.
        without: Of these, the ones that are not.
        sample: How many keys are drawn when everything is compared; None for all.
        copy: What else has these fields; None for nothing.
    """

    def __init__(
        self,
        kind: str,
        mirror: Mirror,
        known: KnownRows,
        *,
        only: Collection[str] = (),
        without: Collection[str] = (),
        sample: int | None = None,
        copy: OtherCopy | None = None,
    ) -> None:
        self.kind = kind
        self.market = mirror.market
        self._mirror = mirror
        self._known = known
        self._only = frozenset(only)
        self._without = frozenset(without)
        self._sample = sample
        self._copy = copy
        self._rows = MirrorRows(mirror.flow, mirror.shop, mirror.scopes)

    async def pages(
        self, keys: Collection[str] | None = None
    ) -> AsyncGenerator[ComparedPage, None]:
        """Compare everything, or some keys; raises `UpstreamError`."""
        if keys is None and self._sample is not None:
            keys = await self._known.drawn(self._rows, self._sample)
        seen: set[RowPlace] = set()
        reading = self._mirror.reader.pages(keys=None if keys is None else [*keys])
        async with aclosing(reading) as pages:
            async for page in pages:
                seen |= {(row.scope, folded(row.key)) for row in page.rows}
                # Of one that no row can be made of, an event is held.
                odd = {folded(each.key) for each in page.odd}
                seen |= {(scope, key) for scope in self._rows.scopes for key in odd}
                for part in _parts(page.rows, self._mirror.chunk_rows):
                    async for compared in self._part(part, page):
                        yield compared
        async with aclosing(self._gone(keys, seen)) as gone:
            async for known in gone:
                yield await self._compare(known)

    async def _part(
        self, rows: Sequence[DesiredRow], page: MirrorPage
    ) -> AsyncGenerator[ComparedPage, None]:
        known = await self._known.of(self._rows, {folded(row.key) for row in rows})
        window = page.began_at, page.ended_at
        its = [_Compared(row, known.get((row.scope, folded(row.key))), *window) for row in rows]
        yield await self._compare(its)
        if self._copy is not None:
            yield await self._copy.compare(rows, known)

    async def _gone(
        self, keys: Collection[str] | None, seen: set[RowPlace]
    ) -> AsyncGenerator[Sequence[_Compared], None]:
        """Yield the known rows that the ERP has no more."""
        absent = self._mirror.absent
        if absent is None:
            return
        last = ("", "")
        wanted = None if keys is None else {folded(key) for key in keys}
        while rows := await self._next(wanted, last):
            last = (rows[-1].scope, rows[-1].folded)
            gone = [
                _Compared(
                    DesiredRow(scope=row.scope, key=row.key, values=absent),
                    row,
                    row.read_at,
                    row.read_at,
                    is_gone=True,
                )
                for row in rows
                if (row.scope, row.folded) not in seen and absent.keys() <= row.values.keys()
            ]
            if gone:
                yield gone
            if wanted is not None:
                return

    async def _next(self, keys: set[str] | None, last: RowPlace) -> Sequence[RowOfMirror]:
        if keys is not None:
            return list((await self._known.of(self._rows, keys)).values())
        return await self._known.after(self._rows, last, most=self._mirror.chunk_rows)

    async def _compare(self, rows: Sequence[_Compared]) -> ComparedPage:
        those = [(each, names) for each in rows if (names := self._fields(each.row.values))]
        held = await self._mirror.writer.read([each.change for each, _ in those]) if those else {}
        differing = [
            (each, odd, held.get(each.row.row))
            for each, names in those
            if (odd := [name for name in names if _differs(each, name, held.get(each.row.row))])
        ]
        found = await self._differences(differing) if differing else ()
        return ComparedPage(sum(len(names) for _, names in those), found)

    async def _differences(
        self, differing: Sequence[tuple[_Compared, Sequence[str], HeldRow | None]]
    ) -> Sequence[Deviation]:
        keys = {each.place[1] for each, _, _ in differing}
        written = await self._known.written(self._rows, keys)
        waiting = await self._known.waiting(self._rows, keys)
        return [
            Deviation(
                key=each.row.key,
                field=f"{name} of {each.row.scope}" if has else "product",
                evidence=_evidence(each, name, has, written.get(each.place, ())),
                run=each.known.run if each.known else None,
                read_at=each.known.read_at if each.known else None,
                waiting=waiting.get(each.place),
                is_fixed=self._mirror.policies.get(name) == "keep",
            )
            for each, names, has in differing
            for name in (names if has else names[:1])
        ]

    def _fields(self, values: Values) -> Sequence[str]:
        return [
            name
            for name in values
            if (not self._only or name in self._only) and name not in self._without
        ]


def asked(
    row: DesiredRow, known: RowOfMirror | None, began_at: datetime, ended_at: datetime
) -> MirrorChange:
    """Return a row of the ERP as one that the shop is asked for.

    Args:
        row: As the ERP has it.
        known: What was last written of it.
        began_at: When it was begun to be read.
        ended_at: When it was read.
    """
    return MirrorChange(
        run=0,
        scope=row.scope,
        key=row.key,
        wanted=row.values,
        known=known.values if known else None,
        before=None,
        is_noted=False,
        edited=(),
        shop_id=known.shop_id if known else None,
        began_at=began_at,
        ended_at=ended_at,
    )


def _parts(rows: Sequence[DesiredRow], size: int) -> Iterable[Sequence[DesiredRow]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _differs(each: _Compared, name: str, has: HeldRow | None) -> bool:
    known = each.known
    if known is not None and name in known.stays:
        return False
    if has is None:
        return known is not None and not each.is_gone and name in known.values
    return name in has.values and has.values[name] != each.row.values[name]


def _evidence(
    each: _Compared, name: str, has: HeldRow | None, written: Sequence[RunWrote]
) -> Clues:
    known = each.known
    is_known = known is not None and name in known.values
    value: Value = known.values[name] if known is not None and is_known else None
    last = known.run if known else None
    return Clues(
        erp=each.row.values[name],
        shop=None if has is None else has.values[name],
        known=value,
        is_known=is_known,
        lacks=SHOP if has is None else ERP if each.is_gone else "",
        others=[
            OtherWrite(wrote.run, wrote.values[name])
            for wrote in written
            if wrote.run != last and name in wrote.values and wrote.values[name] != value
        ],
    )
