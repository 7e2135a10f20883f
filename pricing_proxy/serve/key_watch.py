"""Take changed keys without a restart: API keys, and the storefront's signing keys.

The files of the configuration are looked at every few seconds, and at once on SIGHUP. A
changed file is read when it has rested for one look, so that one half written is not taken
for one with fewer keys. A wrong file changes nothing: the keys stay as they are, the log and
`/status` say why, and the next change is looked at again. Everything else that changed in
the file waits for a restart, and `/status` says that it does.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pricing_proxy.background import Background
from pricing_proxy.clock import Clock
from pricing_proxy.configuration.mistakes import ConfigurationError
from pricing_proxy.settings import ConfigurationFiles, Settings

_log = logging.getLogger(__name__)

# A key that leaked is out within two looks; a look costs a few stat calls.
LOOK_EVERY = timedelta(seconds=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyReport:
    """What became of the last change, for `/status`.

    Attributes:
        loaded_at: Since when the keys are as they are.
        mistakes: Why a later change was not taken; empty when there was none.
        needs_restart: Whether the file says more than keys that this process does not obey yet.
    """

    loaded_at: datetime
    mistakes: tuple[str, ...] = ()
    needs_restart: bool = False


class KeyWatch(Background):
    """Watches the configuration; an async context manager.

    Args:
        files: What was read at start.
        started: What was read from it.
        apply: Takes the keys of new settings.
        clock: Time.
        look_every: How often.
    """

    def __init__(
        self,
        files: ConfigurationFiles,
        *,
        started: Settings,
        apply: Callable[[Settings], None],
        clock: Clock,
        look_every: timedelta = LOOK_EVERY,
    ) -> None:
        self._files = files
        self._started = started
        self._apply = apply
        self._clock = clock
        self._look_every = look_every
        self._report = KeyReport(loaded_at=clock.utc())
        self._called = asyncio.Event()
        self._taken = self._seen = files.fingerprint()

    def report(self) -> KeyReport:
        """Return what became of the last change."""
        return self._report

    def read_now(self) -> None:
        """Read the files soon, changed or not: what SIGHUP asks for."""
        self._called.set()

    async def _for_ever(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._look_every.total_seconds()):
                    await self._called.wait()
            await self._look()

    async def _look(self) -> None:
        is_called = self._called.is_set()
        self._called.clear()
        now = await asyncio.to_thread(self._files.fingerprint)
        has_rested, self._seen = now == self._seen, now
        if is_called or (has_rested and now != self._taken):
            self._taken = now
            await self._read()

    async def _read(self) -> None:
        try:
            settings = await asyncio.to_thread(self._files.load)
        except ConfigurationError as error:
            mistakes = tuple(f"{each.path}: {each.expected}" for each in error.mistakes)
            self._report = replace(self._report, mistakes=mistakes)
            _log.warning("the keys stay as they were: %s", error)
            return
        self._apply(settings)
        keys = {"api_keys": self._started.api_keys, "storefront": self._started.storefront}
        needs_restart = settings.model_copy(update=keys) != self._started
        self._report = KeyReport(loaded_at=self._clock.utc(), needs_restart=needs_restart)
        _log.info("read the keys anew%s", "; other changes wait for a restart" * needs_restart)
