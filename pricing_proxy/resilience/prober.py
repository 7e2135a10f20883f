"""Ask a lost system whether it is back, so that no customer has to.

Probes come from refresh traffic where there is some. Where there is none, a task of
the `Prober` calls each breaker's probe, one at a time, until the breaker closes. What a
probe learns is settled by whoever made it; the loop here only decides when. Leaving the
block ends the tasks.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial

from pricing_proxy.background import Background, Ongoing
from pricing_proxy.clock import MICROSECONDS_PER_SECOND
from pricing_proxy.resilience.breaker import Breaker
from pricing_proxy.resilience.errors import UpstreamError

_log = logging.getLogger(__name__)

# The refresh queue goes first for this long; also the pause between two probes of ours,
# so that five good ones take half a second and a refused one does not spin.
_PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Probe:
    """A breaker, and a call that passes through it and harms nothing."""

    breaker: Breaker
    run: Callable[[], Awaitable[object]]


class Prober(Background):
    """Owns one task per breaker, which sleeps while all is well."""

    def __init__(self, probes: Iterable[Probe]) -> None:
        self._probes = tuple(probes)

    def _ongoing(self) -> Ongoing:
        return [partial(_watch, probe) for probe in self._probes]


async def _watch(probe: Probe) -> None:
    moved = asyncio.Event()
    end_listening = probe.breaker.on_change(lambda _name, _change: moved.set())
    try:
        await _probe_for_ever(probe, moved)
    finally:
        end_listening()


async def _probe_for_ever(probe: Probe, moved: asyncio.Event) -> None:
    breaker = probe.breaker
    while True:
        moved.clear()
        wait_us = breaker.next_probe_us()
        if wait_us is None:
            await moved.wait()
        elif wait_us > 0:
            await _wait_at_most(moved, wait_us / MICROSECONDS_PER_SECOND)
        else:
            await asyncio.sleep(_PAUSE_SECONDS)
            if breaker.probe_due():
                await _run(probe)


async def _wait_at_most(moved: asyncio.Event, seconds: float) -> None:
    """Sleep, but notice when an operator closes or isolates the breaker meanwhile."""
    try:
        async with asyncio.timeout(seconds):
            await moved.wait()
    except TimeoutError:
        return


async def _run(probe: Probe) -> None:
    try:
        await probe.run()
    except UpstreamError as error:
        # The breaker has counted it; the loss itself was logged when the breaker opened.
        _log.debug("%s: probe failed: %s", probe.breaker.name, error)
