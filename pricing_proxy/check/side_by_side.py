"""Run calls side by side; the first failure ends the others and is raised as it is."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from pricing_proxy.resilience.errors import UpstreamError

T = TypeVar("T")


async def side_by_side(calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Return the results in the order of the calls; raises `UpstreamError`."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except BaseExceptionGroup as failures:
        upstream, others = failures.split(UpstreamError)
        if upstream is None or others is not None:
            raise
        raise upstream.exceptions[0] from None
    return [task.result() for task in tasks]
