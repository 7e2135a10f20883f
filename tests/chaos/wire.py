"""Whether a stopped process has a request on the wire: by the kernel's tables of sockets.

A process that was stopped reads nothing any more. If an answer then arrives on one of its
connections, a request was under way when it was stopped. Answers that come later than is
waited for, or that were dropped on their way, are not counted: the count is a lower bound.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

_ESTABLISHED = "01"


def unread_answers(pid: int, ports: frozenset[int]) -> int:
    """Return on how many connections to these ports something waits to be read."""
    mine = _sockets_of(pid)
    return sum(
        inode in mine and port in ports and waiting > 0
        for inode, port, waiting in _connections(pid)
    )


def _sockets_of(pid: int) -> frozenset[str]:
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        # A descriptor may be closed while the folder is read.
        with contextlib.suppress(FileNotFoundError):
            found.add(str(link.readlink()).removeprefix("socket:[").removesuffix("]"))
    return frozenset(found)


def _connections(pid: int) -> Iterator[tuple[str, int, int]]:
    """Yield inode, remote port, and bytes to be read of each open connection."""
    rows = Path(f"/proc/{pid}/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    for fields in map(str.split, rows):
        _, _, remote, state, queues = fields[:5]
        if state == _ESTABLISHED:
            yield fields[9], int(remote.split(":")[1], 16), int(queues.split(":")[1], 16)
