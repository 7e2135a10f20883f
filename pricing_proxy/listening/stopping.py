"""Be told to stop: SIGTERM and Ctrl-C arrive as values, so that what is open is closed in order.

SIGHUP, by which daemons are asked to read their configuration anew, ends nobody without a word.
"""

import asyncio
import logging
import signal

_log = logging.getLogger(__name__)


def told_to_stop() -> "asyncio.Queue[signal.Signals]":
    """Return where these signals arrive from now on, instead of ending the process."""
    told = asyncio.Queue[signal.Signals]()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, told.put_nowait, each)
    return told


def outlive_hangup() -> None:
    """Have SIGHUP end nothing: what can be read anew is for the caller to read."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _say)


def _say() -> None:
    _log.warning("SIGHUP: the configuration is read at the start only; restart to take changes")
