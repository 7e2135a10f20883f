"""What the ERP does not say any more: asked for by itself before anything is withdrawn.

A read of everything may leave a row out, such as one that moved while it went on; what is withdrawn
then is taken from sale. So each known key that it did not bring is read once more. Keys that
came in other letters than they are known in are asked for as well: both may be there.
"""

from collections.abc import Sequence
from contextlib import aclosing

from pricing_proxy.clock import Clock
from sync.mirror.keys import folded
from sync.mirror.ports import Mirror
from sync.store.mirror_records import DesiredRow, MirrorRun
from sync.store.mirror_staging import MirrorStaging, StagedWindow, UnreadRow


class Absence:
    """Confirms it.

    Args:
        mirror: Whose rows.
        staging: What was read.
        clock: Time.
    """

    def __init__(self, mirror: Mirror, staging: MirrorStaging, *, clock: Clock) -> None:
        self._mirror = mirror
        self._staging = staging
        self._clock = clock

    async def confirm(self, run: MirrorRun, keys: Sequence[str] | None) -> None:
        """Stage what a second look brings of rows that are missing, and what is withdrawn.

        Args:
            run: The run, which has read all it will.
            keys: What it asked for; None for everything.

        Raises:
            RunLostError: Another process has the run by now.
            UpstreamError: The ERP does not answer.
        """
        if keys is not None and (renamed := await self._staging.renamed(run)):
            await self._read(run, renamed)
        if self._mirror.absent is None:
            return
        unread = self._staging.unread(run, self._mirror.scopes, self._mirror.absent, keys=keys)
        async with aclosing(unread) as slices:
            async for rows in slices:
                await self._confirm(run, rows)

    async def _confirm(self, run: MirrorRun, rows: Sequence[UnreadRow]) -> None:
        began_at = self._clock.utc()
        found = await self._read(run, list(dict.fromkeys(row.key for row in rows)))
        absent = [
            DesiredRow(scope=row.scope, key=row.key, values=self._mirror.absent or {})
            for row in rows
            if row.folded not in found.odd and (row.scope, row.folded) not in found.rows
        ]
        await self._staging.add(run, absent, (), read=StagedWindow(began_at, self._clock.utc()))

    async def _read(self, run: MirrorRun, keys: Sequence[str]) -> "_Found":
        found = _Found()
        async with aclosing(self._mirror.reader.pages(keys=keys)) as pages:
            async for page in pages:
                window = StagedWindow(page.began_at, page.ended_at)
                await self._staging.add(run, page.rows, page.odd, read=window)
                found.rows |= {(row.scope, folded(row.key)) for row in page.rows}
                found.odd |= {folded(row.key) for row in page.odd}
        return found


class _Found:
    def __init__(self) -> None:
        self.rows: set[tuple[str, str]] = set()
        self.odd: set[str] = set()
