"""What runs in the background ends when it is told to, whatever its library does."""

import asyncio

from pricing_proxy.background import end


async def test_a_task_that_swallows_a_cancellation_is_asked_again() -> None:
    swallowed: list[str] = []

    async def stubborn() -> None:
        while len(swallowed) < 2:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                swallowed.append("once")
        await asyncio.sleep(3600)

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)

    await end(task, None)

    assert task.cancelled()
    assert len(swallowed) == 2


async def test_what_a_task_raises_while_it_ends_is_dropped() -> None:
    async def broken() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            raise OSError("lost")

    task = asyncio.create_task(broken())
    await asyncio.sleep(0)

    await end(task)

    assert isinstance(task.exception(), OSError)
    await end(task)
    await end()
