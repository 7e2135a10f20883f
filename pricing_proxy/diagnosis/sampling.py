"""Measure one kind of call a number of times: how long each took, and how it ended."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from pricing_proxy.clock import Clock
from pricing_proxy.resilience.errors import UpstreamError

# 12 x 2 calls: one failure in five is then missed once in two hundred checks, and the calls
# that come after the samples are judged too.
_CALLERS = 12
_CALLS_EACH = 2


@dataclass(frozen=True, slots=True)
class TimedCall:
    """One call.

    Attributes:
        took: From sending to the answer, or to giving up.
        error: How it failed; None for an answer.
    """

    took: timedelta
    error: UpstreamError | None = None


async def sample(call: Callable[[], Awaitable[object]], *, clock: Clock) -> TimedCall:
    """Return how one call went."""
    began_us = clock.monotonic_us()
    error: UpstreamError | None = None
    try:
        await call()
    except UpstreamError as caught:
        error = caught
    return TimedCall(timedelta(microseconds=clock.monotonic_us() - began_us), error)


async def sample_calls(
    call: Callable[[], Awaitable[object]], *, enough: timedelta, clock: Clock
) -> list[TimedCall]:
    """Return how a system's cheapest call goes, asked often enough to judge the system by it."""
    return await sample_many([call] * _CALLERS, times=_CALLS_EACH, enough=enough, clock=clock)


async def sample_many(
    calls: Sequence[Callable[[], Awaitable[object]]],
    *,
    times: int,
    enough: timedelta,
    clock: Clock,
    first_requests: int = 1,
) -> list[TimedCall]:
    """Run each call `times` times in a row, all calls side by side.

    A row ends early with an error, or when it has used up its time. It does not end with a
    slow answer as such: slow answers would then weigh more than quick ones.

    Args:
        calls: One for each row.
        times: Length of a row.
        enough: A row that took so long is not continued.
        clock: Time.
        first_requests: Requests of a row's first call; its time is that of one of them.
    """

    async def row(call: Callable[[], Awaitable[object]]) -> list[TimedCall]:
        taken: list[TimedCall] = []
        began_us = clock.monotonic_us()
        enough_us = enough // timedelta(microseconds=1)
        for number in range(times):
            one = await sample(call, clock=clock)
            if number == 0 and one.error is None:
                one = TimedCall(one.took / first_requests)
            taken.append(one)
            if one.error is not None or clock.monotonic_us() - began_us > enough_us:
                break
        return taken

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(row(call)) for call in calls]
    return [one for task in tasks for one in task.result()]
