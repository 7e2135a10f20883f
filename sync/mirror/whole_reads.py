"""What is expected of a read of everything: how much it brings, and when that is too little.

One that brought less than nine tenths of the last one's rows is not believed: half a catalog is an
error more often than a decision. A person may say that it is right.
"""

from sync.mirror.ports import Mirror
from sync.store.mirror_records import MirrorRun
from sync.store.mirror_runs import MirrorRuns

# Of the last whole read's rows; fewer are believed when a person says so.
_FEWEST_PER_CENT = 90


class WholeReads:
    """Knows the earlier ones.

    Args:
        mirror: Whose.
        runs: Where they are kept.
    """

    def __init__(self, mirror: Mirror, runs: MirrorRuns) -> None:
        self._mirror = mirror
        self._runs = runs

    async def expected(self) -> int | None:
        """Return how many rows the next one brings: what the ERP counts, else as the last one.

        None before the first one of an ERP that does not count; raises `UpstreamError`.
        """
        counted = await self._mirror.reader.expected()
        return await self._last() if counted is None else counted

    async def too_few(self, run: MirrorRun) -> str:
        """Return why what a run has read is not believed; empty where it is."""
        if run.is_forced:
            return ""
        last = await self._last(before=run.id)
        if not run.rows_read:
            return "the ERP has no rows at all: nothing is planned"
        if last is None or run.rows_read * 100 >= last * _FEWEST_PER_CENT:
            return ""
        return (
            f"the ERP has {run.rows_read} rows, and had {last}: nothing is planned; "
            "if that is right, read it by hand and force it"
        )

    async def _last(self, *, before: int | None = None) -> int | None:
        mirror = self._mirror
        return await self._runs.rows_of_last_whole_read(mirror.flow, mirror.market, before=before)
