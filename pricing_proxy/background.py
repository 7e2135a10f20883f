"""End tasks that run in the background, also those whose library swallows a cancellation."""

import asyncio

# redis-py takes a cancellation that meets it while it connects for a failure to connect, and
# the task goes on: it is asked again.
_ASK_AGAIN_SECONDS = 0.5


async def end(*tasks: "asyncio.Task[None] | None") -> None:
    """Cancel tasks and return once all have ended; what they raised is dropped."""
    left = {task for task in tasks if task is not None}
    while left:
        for task in left:
            task.cancel()
        ended, left = await asyncio.wait(left, timeout=_ASK_AGAIN_SECONDS)
        for task in ended:
            if not task.cancelled():
                task.exception()  # retrieved, so that nobody is told of it at exit
