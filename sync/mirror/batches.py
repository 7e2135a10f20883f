"""Write the rows of one chunk in batches, and judge each row when a batch fails.

    the batch failed with                      what happens
    a conflict of two writers (deadlock)       it is sent again, a few times
    a refusal, or the shop's code broke at it  the shop is read: what has arrived is written; what
                                               has not goes in halves, at last row by row
    nobody answers, or takes nothing           raised: the chunk comes back, and looks first

A refusal may be that of a committed write, and one bad row may fail a batch of good ones. A row
alone that breaks the shop's code is refused if it does so again after others were written; where
none was, it is the shop that is at fault. A batch that fails as a whole and succeeds in halves
was too long: the next ones are shorter, in this process.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import NamedTuple

from pricing_proxy.clock import Clock
from pricing_proxy.resilience.errors import (
    CallRefusedError,
    TransientUpstreamError,
    UpstreamContractError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
    words_of,
)
from sync.engine.blame import Blame, blame_of
from sync.engine.flow import Work
from sync.mirror.conflicts import past_conflicts
from sync.mirror.governor import Governor
from sync.mirror.ports import MirrorWriter, PlannedRow
from sync.store.mirror_records import HeldRow, RowEnd, RowOutcome

Report = Callable[[Sequence[RowOutcome]], Awaitable[None]]
"""Writes down what came of rows."""

# So many rows alone, and none written before: no row is at fault.
_MOST_SUSPECTS = 3


_ADVICE = (
    "compare the field with what the shop takes, correct it in the ERP or the mapping; then replay"
)


class _Fault(NamedTuple):
    """What is wrong with a row."""

    field: str
    text: str
    advice: str


_UNTOLD = _Fault("", "the shop said nothing of this row, and does not have it", _ADVICE)


class ChunkBatches:
    """Writes one chunk's rows.

    Args:
        writer: Of the flow.
        work: The chunk's event.
        governor: Says how many batches go on at once.
        report: Told of each batch as soon as it is judged.
        clock: Time.
    """

    def __init__(
        self,
        writer: MirrorWriter,
        work: Work,
        *,
        governor: Governor,
        report: Report,
        clock: Clock,
    ) -> None:
        self._writer = writer
        self._work = work
        self._governor = governor
        self._report = report
        self._clock = clock
        self._is_any_written = False
        self._faults = 0
        self._suspects: list[tuple[PlannedRow, UpstreamError]] = []

    async def write(self, batches: Sequence[Sequence[PlannedRow]]) -> Sequence[int]:
        """Write batches, as many at once as the governor lets; return the sizes that are too long.

        Raises:
            UpstreamError: The shop takes nothing now; what was written is reported.
        """
        waiting = list(reversed(batches))
        too_long: list[int] = []

        async def work_off() -> None:
            while waiting:
                batch = waiting.pop()
                try:
                    if await self._is_too_long(batch):
                        too_long.append(len(batch))
                except Exception:
                    # The others finish what they are at, and begin nothing new.
                    waiting.clear()
                    raise

        workers = (work_off() for _ in range(self._governor.ceiling))
        for end in await asyncio.gather(*workers, return_exceptions=True):
            if isinstance(end, BaseException):
                raise end
        await self._judge_suspects()
        return too_long

    async def _is_too_long(self, batch: Sequence[PlannedRow]) -> bool:
        """Write a batch; return whether it was refused, and all of it was written in parts."""
        error = await self._sent(batch)
        if error is None:
            return False
        left = await self._left(batch)
        if len(batch) == 1:
            await self._accuse(left, error)
            return False
        faults, half = self._faults, (len(left) + 1) // 2
        for part in (left[:half], left[half:]):
            if part:
                await self._is_too_long(part)
        is_refusal = isinstance(error, UpstreamRejectedError)
        return is_refusal and len(left) == len(batch) and self._faults == faults

    async def _sent(self, batch: Sequence[PlannedRow]) -> UpstreamError | None:
        """Send a batch and report it; return why it failed as a whole, None where it did not."""
        try:
            outcomes = await past_conflicts(partial(self._sent_once, batch))
        except UpstreamError as error:
            if is_of_rows(error):
                return error
            raise
        await self._done(batch, outcomes)
        return None

    async def _sent_once(self, batch: Sequence[PlannedRow]) -> Sequence[RowOutcome]:
        async with self._governor.slot():
            began_at = self._clock.utc()
            try:
                return await self._writer.write(batch, self._work)
            except TransientUpstreamError as error:
                # One that we did not send says nothing about the shop.
                if not isinstance(error, CallRefusedError):
                    await self._governor.failed(words_of(error), began_at=began_at)
                raise

    async def _done(self, batch: Sequence[PlannedRow], outcomes: Sequence[RowOutcome]) -> None:
        told = {outcome.row: outcome for outcome in outcomes}
        if any(outcome.end is RowEnd.WRITTEN for outcome in outcomes):
            self._is_any_written = True
        self._faults += sum(outcome.end is RowEnd.REFUSED for outcome in outcomes)
        await self._report([told[each.change.row] for each in batch if each.change.row in told])
        untold = [each for each in batch if each.change.row not in told]
        if untold:
            left = await self._left(untold)
            await self._refuse([(each, _UNTOLD) for each in left])

    async def _left(self, batch: Sequence[PlannedRow]) -> Sequence[PlannedRow]:
        """Read the shop, report what has arrived of a batch, and return the rest."""
        found = await self._writer.read([each.change for each in batch])
        arrived = {
            each.change.row: _written(each, held)
            for each in batch
            if (held := found.get(each.change.row)) is not None and _has(held, each)
        }
        if arrived:
            self._is_any_written = True
            await self._report(list(arrived.values()))
        return [each for each in batch if each.change.row not in arrived]

    async def _accuse(self, rows: Sequence[PlannedRow], error: UpstreamError) -> None:
        """Refuse a row that failed alone, or suspect it where the shop may be at fault."""
        if blame_of(error) is not Blame.UNCLEAR:
            await self._refuse([(row, _fault_of(error)) for row in rows])
            return
        self._suspects += [(row, error) for row in rows]
        if len(self._suspects) >= _MOST_SUSPECTS and not self._is_any_written:
            raise error

    async def _judge_suspects(self) -> None:
        """Send rows that broke the shop's code once more, and refuse those that still do."""
        if self._suspects and not self._is_any_written:
            raise self._suspects[0][1]
        while self._suspects:
            row, _ = self._suspects.pop()
            error = await self._sent([row])
            if error is not None and await self._left([row]):
                await self._refuse([(row, _fault_of(error))])

    async def _refuse(self, rows: Sequence[tuple[PlannedRow, _Fault]]) -> None:
        self._faults += len(rows)
        if rows:
            await self._report([_refused(row, fault) for row, fault in rows])


def is_of_rows(error: UpstreamError) -> bool:
    """Return whether rows of a batch may be the reason, so that each is judged by itself."""
    blame = blame_of(error)
    match error:
        case UpstreamUnavailableError():
            return blame is Blame.UNCLEAR and not error.is_connection_failure
        case UpstreamRejectedError() | UpstreamContractError():
            return blame is not Blame.SYSTEM
        case _:
            return False


def _fault_of(error: UpstreamError) -> _Fault:
    reasons = error.reasons if isinstance(error, UpstreamRejectedError) else ()
    field = error.field if isinstance(error, UpstreamRejectedError | UpstreamContractError) else ""
    return _Fault(field, "; ".join(reasons) or words_of(error), _ADVICE)


def _has(held: HeldRow, row: PlannedRow) -> bool:
    # What the shop does not show cannot have been seen to arrive.
    return all(
        name in held.values and held.values[name] == wanted for name, wanted in row.values.items()
    )


def _written(row: PlannedRow, held: HeldRow) -> RowOutcome:
    return RowOutcome(
        scope=row.change.scope,
        key=row.change.key,
        end=RowEnd.WRITTEN,
        values=row.values,
        shop_id=held.shop_id,
    )


def _refused(row: PlannedRow, fault: _Fault) -> RowOutcome:
    return RowOutcome(
        scope=row.change.scope,
        key=row.change.key,
        end=RowEnd.REFUSED,
        values={},
        shop_id=None if row.held is None else row.held.shop_id,
        field=fault.field,
        text=fault.text,
        advice=fault.advice,
    )
