"""Look through the shop for what is there otherwise than we wrote it.

Reads of the ERP compare with what we know of the shop, so what others change there would stay until
the ERP says something new. A round goes along all known rows, slice by slice, and asks the shop:

    the shop has a field otherwise     overwrite: the key is read from the ERP soon, judged, and
                                       written even where it is known to be right
                                       keep: told once, until it changes again or is as we know it
    more of them than are mended       listed in the round's run, which waits for a person; not for
    unasked                            a writer that decides itself: its shop moves by selling
    another product under the key,     looked at once more; then all that is known of the key is
    or none any more                   forgotten, and every flow reads it again
    most of a slice is gone            nothing: a shop that lists nothing says nothing

What a person let be at the adoption stays as it is. A round takes as long as it may, a little at
each call, so the shop notices nothing of it: a hundred products of a store view are one call of its
list, and one more each where its stock settings or variants are owned.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from math import inf
from typing import Protocol

from sync.mirror.edits import change_of, listed, mended, otherwise, waiting
from sync.mirror.ports import Mirror
from sync.store.mirror_look_records import LookedRow, LookPlace, Seen, SliceCounts
from sync.store.mirror_records import ChangeState

TICK = timedelta(minutes=5)
"""Between two calls."""

# A round is done before the next one is due, also after an outage.
_HURRY = 1.25
# So many rows of a round, or this per cent of all if that is more, are mended unasked.
_MOST_EDITED, _MOST_EDITED_PER_CENT = 200, 5
# Of a slice; fewer products than that are deleted by hand.
_MOST_GONE, _MOST_GONE_PER_CENT = 20, 50
_EDITED = "edited in the shop"
_GONE = "gone from the shop, or another product there"
_MUCH_GONE = (
    "{gone} of {rows} rows that were looked at are not in the shop any more, from {first} to {last}"
)


class Rounds(Protocol):
    """Where rounds are kept: `sync.store.mirror_looks.LookRounds`."""

    async def place(
        self, flow: str, market: str, shop: str, scopes: Sequence[str], *, every: timedelta
    ) -> LookPlace | None:
        """Return where a round is, begun now where one is due; None where none is."""
        ...

    async def next(self, place: LookPlace, most: int) -> Sequence[LookedRow]:
        """Return the next rows; none at the end of a round."""
        ...

    async def keep(
        self, place: LookPlace, last: LookedRow, seen: Sequence[Seen], counts: SliceCounts
    ) -> bool:
        """Keep what was seen and go on after the last row; return False where another did."""
        ...

    async def end(self, place: LookPlace) -> None:
        """End a round."""
        ...


class Wanting(Protocol):
    """Where keys are wanted to be read: `sync.store.mirror_wanted.MirrorWanted`."""

    async def want(
        self, flow: str, market: str, keys: Sequence[str], *, is_forced: bool, reason: str
    ) -> None:
        """Have keys read soon."""
        ...

    async def forget(self, shop: str, keys: Sequence[str], *, reason: str) -> None:
        """Forget what all flows know of keys, and have every one of them read these again."""
        ...


class MirrorLooks:
    """Looks for one mirror.

    Args:
        mirror: Whose.
        rounds: Where they are kept.
        wanting: Where keys are wanted.
        every: In what time the whole shop is looked through.
        is_adopted: Tells whether the shop is adopted; before, nobody wrote what it has.
        tell: Told when most of a slice is gone.
    """

    def __init__(
        self,
        mirror: Mirror,
        rounds: Rounds,
        wanting: Wanting,
        *,
        every: timedelta,
        is_adopted: Callable[[], Awaitable[bool]],
        tell: Callable[[str], Awaitable[None]],
    ) -> None:
        self._mirror = mirror
        self._rounds = rounds
        self._wanting = wanting
        self._every = every
        self._is_adopted = is_adopted
        self._tell = tell

    async def look(self) -> None:
        """Go on with the round, as far as it should be by the next call; raises `UpstreamError`."""
        await self._go_on(every=self._every)

    async def whole_round(self) -> None:
        """Look through all of the shop as it is now; raises `UpstreamError`.

        What is left of a round that goes on is looked at first. What that round has seen already
        may be otherwise since, so a new one follows.
        """
        if await self._go_on(every=timedelta(0), is_all=True):
            await self._go_on(every=timedelta(0), is_all=True)

    async def _go_on(self, *, every: timedelta, is_all: bool = False) -> bool:
        """Go on with a round; return whether it is at its end, and others had begun it."""
        mirror = self._mirror
        if not await self._is_adopted():
            return False
        place = await self._rounds.place(
            mirror.flow, mirror.market, mirror.shop, mirror.scopes, every=every
        )
        left, is_others = inf, place is not None and place.looked > 0
        if place is not None and not is_all:
            left = max(1, place.expected * (TICK / every) * _HURRY)
        while place is not None and left > 0:
            rows = await self._rounds.next(place, mirror.chunk_rows)
            if not rows:
                await self._rounds.end(place)
                return is_others
            place = await self._slice(place, rows)
            left -= len(rows)
        return False

    async def _slice(self, place: LookPlace, rows: Sequence[LookedRow]) -> LookPlace | None:
        """Look at some rows; return where the round is then, None where it does not go on now."""
        mirror = self._mirror
        changes = {each.row: change_of(each) for each in rows}
        found = await otherwise(mirror.writer, list(changes.values()))
        gone = [each.row.key for each in found if each.is_renewed]
        if len(gone) > _MOST_GONE and len(gone) * 100 > len(rows) * _MOST_GONE_PER_CENT:
            told = _MUCH_GONE.format(gone=len(gone), rows=len(rows), first=gone[0], last=gone[-1])
            await self._tell(told)
            return None
        edited = {each.row: each.fields for each in found if not each.is_renewed}
        policies = mirror.policies
        seen = [listed(each, edited.get(each.row, {}), policies) for each in rows]
        to_mend = [each.row.key for each in seen if mended(each, edited, policies)]
        is_much = self._is_much(place, len(to_mend))
        if is_much:
            seen = [waiting(each, edited, policies) for each in seen]
        # Wanted first: whoever is killed in between looks again.
        await self._want(gone, () if is_much else to_mend)
        counts = SliceCounts(
            looked=len(rows),
            edited=len(to_mend),
            kept=sum(each.state is ChangeState.KEPT for each in seen),
            gone=len(gone),
        )
        return await self._kept(place, rows[-1], seen, counts)

    async def _want(self, gone: Sequence[str], to_mend: Sequence[str]) -> None:
        """Have keys read from the ERP soon: by all flows what is gone, by this what differs."""
        mirror, keys = self._mirror, list(dict.fromkeys(to_mend))
        if gone:
            await self._wanting.forget(mirror.shop, gone, reason=_GONE)
        if keys:
            await self._wanting.want(
                mirror.flow, mirror.market, keys, is_forced=True, reason=_EDITED
            )

    async def _kept(
        self, place: LookPlace, last: LookedRow, seen: Sequence[Seen], counts: SliceCounts
    ) -> LookPlace | None:
        """Keep what was seen of a slice; return where the round is then."""
        new = [each for each in seen if each.state is not None or each.told != each.row.told]
        if not await self._rounds.keep(place, last, new, counts):
            return None
        return replace(
            place,
            scope=last.scope,
            folded=last.folded,
            looked=place.looked + counts.looked,
            edited=place.edited + counts.edited,
        )

    def _is_much(self, place: LookPlace, more: int) -> bool:
        """Return whether others changed more than is mended unasked, and by whom it is not sold."""
        if not more or self._mirror.decides_itself:
            return False
        allowed = max(_MOST_EDITED, place.expected * _MOST_EDITED_PER_CENT // 100)
        return place.edited + more > allowed
