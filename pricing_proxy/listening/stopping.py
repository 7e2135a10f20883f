"""Be told to stop: SIGTERM and Ctrl-C arrive as values, so that what is open is closed in order."""

import asyncio
import signal


def told_to_stop() -> "asyncio.Queue[signal.Signals]":
    """Return where these signals arrive from now on, instead of ending the process."""
    told = asyncio.Queue[signal.Signals]()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, told.put_nowait, each)
    return told
