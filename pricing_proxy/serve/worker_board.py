"""Memory that the workers of one replica share, in which each says how it stands.

A slot a worker. The worker writes its own: its state, and a beat as long as its loop turns. The
parent writes the slots of workers that are gone or silent, and how often each was started again.
Everybody reads all. Each value is written whole and means something alone, so nobody locks.
"""

import mmap
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum


class WorkerState(IntEnum):
    """How a worker stands; `name` in lower case is what operators read."""

    GONE = 0
    STARTING = 1
    """Called by the shop, and without what it needs to answer."""
    RETURNING = 2
    """Started again; called by nobody before it can answer."""
    READY = 3
    STOPPING = 4
    SILENT = 5
    """Its loop does not turn, though connections come in."""


# State, whether it was ever ready, beats, restarts.
_SLOT = struct.Struct("=BBxxII")
_STATE, _HAS_SERVED, _BEATS, _RESTARTS = 0, 1, 4, 8
_BYTE, _COUNT = struct.Struct("=B"), struct.Struct("=I")
_MOST = 2**32


class WorkerBoard:
    """The slots; workers are counted from 1.

    Args:
        memory: What they are in.
        count: How many there are.
    """

    def __init__(self, memory: mmap.mmap, count: int) -> None:
        self._memory = memory
        self.count = count

    @property
    def numbers(self) -> range:
        """Every worker."""
        return range(1, self.count + 1)

    def state(self, number: int) -> WorkerState:
        """Return how a worker stands."""
        return WorkerState(self._read(_BYTE, number, _STATE))

    def tell(self, number: int, state: WorkerState) -> None:
        """Say how a worker stands."""
        self._write(_BYTE, number, _STATE, state)
        if state == WorkerState.READY:
            self._write(_BYTE, number, _HAS_SERVED, 1)

    def has_served(self, number: int) -> bool:
        """Return whether a worker was ready once, before a restart or after."""
        return bool(self._read(_BYTE, number, _HAS_SERVED))

    def beat(self, number: int) -> None:
        """Say that a worker's loop turns."""
        self._write(_COUNT, number, _BEATS, max((self.beats(number) + 1) % _MOST, 1))

    def beats(self, number: int) -> int:
        """Return a value that changes while a worker's loop turns; 0 before it did."""
        return self._read(_COUNT, number, _BEATS)

    def restarts(self, number: int) -> int:
        """Return how often a worker ended unasked."""
        return self._read(_COUNT, number, _RESTARTS)

    def begin(self, number: int, state: WorkerState) -> None:
        """Say that a worker begins, and has not beaten yet."""
        self._write(_COUNT, number, _BEATS, 0)
        self.tell(number, state)

    def lose(self, number: int) -> None:
        """Say that a worker ended unasked."""
        self.tell(number, WorkerState.GONE)
        self._write(_COUNT, number, _RESTARTS, self.restarts(number) + 1)

    def _read(self, kind: struct.Struct, number: int, offset: int) -> int:
        (value,) = kind.unpack_from(self._memory, (number - 1) * _SLOT.size + offset)
        return int(value)

    def _write(self, kind: struct.Struct, number: int, offset: int, value: int) -> None:
        kind.pack_into(self._memory, (number - 1) * _SLOT.size + offset, value)


@contextmanager
def new_board(count: int) -> Iterator[tuple[WorkerBoard, int]]:
    """Yield a board, and the descriptor by which children find it."""
    with tempfile.TemporaryFile() as file:
        file.truncate(count * _SLOT.size)
        yield board_of(file.fileno(), count), file.fileno()


def board_of(descriptor: int, count: int) -> WorkerBoard:
    """Return the board that a parent made."""
    return WorkerBoard(mmap.mmap(descriptor, count * _SLOT.size), count)


def own_board() -> WorkerBoard:
    """Return the board of a process that has no others."""
    return WorkerBoard(mmap.mmap(-1, _SLOT.size), 1)
