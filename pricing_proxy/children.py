"""Start programs that end with us, however we end: by themselves when we were killed.

    subprocess.Popen(command, **tied())

What `with` and `finally` promise, SIGKILL breaks; so the kernel is asked to send each child a
signal when the thread that started it is gone (Linux only: elsewhere children outlive a
parent that is killed). A child that gets other rights when it starts another program, as
setuid programs do, is not told. Whoever can still end children in order does so; this is for
when nobody can.

    python -m pricing_proxy.children COMMAND...

becomes a command that ends (SIGTERM) with whoever started this: so `make` is tied to what it runs.
"""

import ctypes
import os
import signal
import sys
from functools import partial
from typing import Any

# <sys/prctl.h>: the same on every architecture.
_SET_PARENT_DEATH_SIGNAL = 1


def tied(by: signal.Signals = signal.SIGKILL) -> dict[str, Any]:
    """Return options of `subprocess` and asyncio that make a child end with this process.

    Args:
        by: How it is told. A stopped or hanging child obeys SIGKILL only; one that has
            something to bring to an end is told by what it listens to.
    """
    return {"preexec_fn": partial(tie, os.getpid(), by)}


def tie(parent: int, by: signal.Signals) -> None:
    """Make this process end with its parent; called in the child, before what it runs.

    Nothing here takes a lock that another thread of the parent may have held.
    """
    if _prctl is None:
        return
    if by != signal.SIGKILL:
        # What shells start in the background ignores Ctrl-C's signal, and hands that on.
        signal.signal(by, signal.SIG_DFL)
    _prctl(_SET_PARENT_DEATH_SIGNAL, int(by), 0, 0, 0)
    if os.getppid() != parent:  # it was gone before the kernel knew
        os.kill(os.getpid(), by)


def _main() -> None:
    tie(os.getppid(), signal.SIGTERM)
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 -- what the caller says, by no shell


_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

if __name__ == "__main__":
    _main()
