"""Look every few seconds at how the mirrors stand, for the metrics.

As with events (`sync.engine.metrics`), a scrape never waits for a database that is away.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable

from prometheus_client import CollectorRegistry, Gauge
from sqlalchemy.exc import SQLAlchemyError

from pricing_proxy.background import Background
from sync.serve.mirror_state import MirrorState

_log = logging.getLogger(__name__)

_PREFIX = "d365_sync_mirror_"
_LOOK_SECONDS = 5.0


class MirrorCounting(Background):
    """Shows them; an async context manager.

    Args:
        registry: Where the instruments are.
        read: Reads how they stand; None where no mirror is on.
    """

    def __init__(
        self, registry: CollectorRegistry, read: Callable[[], Awaitable[MirrorState | None]]
    ) -> None:
        self._read = read
        self._rows = Gauge(
            f"{_PREFIX}rows",
            "Rows of runs that have not ended, by what became of them so far.",
            ("flow", "market", "state"),
            registry=registry,
        )
        self._wanted = Gauge(
            f"{_PREFIX}wanted_keys",
            "Keys that are due to be read from the ERP.",
            ("flow", "market"),
            registry=registry,
        )
        self._width = Gauge(
            f"{_PREFIX}batches", "Batches at once that the shop bears now.", registry=registry
        )
        self._ceiling = Gauge(
            f"{_PREFIX}batches_most", "Batches at once, as configured.", registry=registry
        )

    async def _for_ever(self) -> None:
        while True:
            try:
                state = await self._read()
            except (SQLAlchemyError, OSError) as error:
                _log.debug("mirrors cannot be counted (%s)", type(error).__name__)
            else:
                if state is not None:
                    self._show(state)
            await asyncio.sleep(_LOOK_SECONDS)

    def _show(self, state: MirrorState) -> None:
        rows: Counter[tuple[str, str, str]] = Counter()
        for run in state.runs:
            for name, count in state.rows.get(run.id, {}).items():
                rows[run.flow, run.market, name] += count
        self._rows.clear()
        for labels, count in rows.items():
            self._rows.labels(*labels).set(count)
        self._wanted.clear()
        for each in state.wanted:
            self._wanted.labels(each.flow, each.market).set(each.keys)
        self._width.set(state.pace.width)
        self._ceiling.set(state.pace.ceiling)
