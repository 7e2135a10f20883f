"""A market's rows of one kind as one Redis value: a reader never sees half of a map.

Whoever reads the ERP's catalog writes the whole map at once; readers see the old one or the
new one. The value is a line that says what it is, and behind it the rows, compressed, some to
a line: both ways a map is handled in slices (`map_rows`).
"""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from typing import Any, Generic, TypeVar

from pricing_proxy.shared_state.map_rows import GatheredRows, in_slices

R = TypeVar("R")

# Level 1: 1,000 items pack in a millisecond; higher levels gain little.
_COMPRESSION = 1
# The first line is shorter by far.
HEAD_BYTES = 1024
# What is unpacked at once is written down within a millisecond or two.
_PACKED_AT_ONCE = 16 * 1024
_UNPACKED_AT_ONCE = 128 * 1024


@dataclass(frozen=True, slots=True)
class MapHead:
    """What is known of a kept map without reading its rows.

    Attributes:
        as_of: When the ERP was asked for them.
        sizes: Rows that each of the ERP's sets had then, by its name.
        count: Rows of the map.
    """

    as_of: datetime
    sizes: Mapping[str, int]
    count: int


@dataclass(frozen=True, slots=True)
class KeptMap(Generic[R]):
    """All rows of a market by name, as the ERP listed them at one time.

    Attributes:
        sizes: Rows that each of the ERP's sets had, by its name.
    """

    rows: Mapping[str, R]
    as_of: datetime
    sizes: Mapping[str, int] = field(default_factory=dict)


class MapKind(Generic[R]):
    """How maps of one kind stand in Redis.

    Args:
        name: What the rows are, such as "items".
        row: Makes a row of its members, of which the first is its name; a dataclass.
        version: To be raised when a row changes its shape: older maps then read as none.

    Attributes:
        name_of: Returns a row's name.
    """

    def __init__(self, *, name: str, row: Callable[..., R], version: int) -> None:
        members = [member.name for member in fields(row)]  # type: ignore[arg-type] # a dataclass
        self.name = name
        self.version = version
        self.name_of: Callable[[R], str] = attrgetter(members[0])
        self._row = row
        self._members = attrgetter(*members)

    def key(self, provenance: str) -> str:
        """Return the Redis key of the map that is read from there."""
        return f"{self.name}:{{{provenance}}}"

    async def encode(self, kept: KeptMap[R]) -> bytes:
        """Return the map as one value."""
        head = {"version": self.version, "as_of": kept.as_of.isoformat(), "sizes": {**kept.sizes}}
        parts = [json.dumps({**head, "count": len(kept.rows)}).encode(), b"\n"]
        packing = zlib.compressobj(_COMPRESSION)
        async for rows in in_slices(kept.rows.values()):
            line = json.dumps([self._members(row) for row in rows], separators=(",", ":"))
            parts.append(packing.compress(line.encode() + b"\n"))
        return b"".join([*parts, packing.flush()])

    def head(self, value: bytes | None) -> MapHead | None:
        """Return what the first line of a value says; None where `decode` would find no map."""
        line, end, _ = (value or b"")[:HEAD_BYTES].partition(b"\n")
        try:
            said = json.loads(line)
            if not end or said["version"] != self.version:
                return None
            as_of = datetime.fromisoformat(said["as_of"])
            sizes = {str(name): int(size) for name, size in said["sizes"].items()}
            return MapHead(as_of, sizes, int(said["count"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            return None

    async def decode(
        self, value: bytes | None, held: Mapping[str, R] | None = None
    ) -> KeptMap[R] | None:
        """Return the map; None when there is no value, or one of another version or damaged.

        Args:
            value: As it stands in Redis.
            held: Rows of before, which stand for those that say the same.
        """
        head = self.head(value)
        if value is None or head is None:
            return None
        gathered = GatheredRows(self.name_of, held or {})
        try:
            async for line in _lines(memoryview(value)[value.index(b"\n") + 1 :]):
                for members in json.loads(line):
                    gathered.add(self._row(*members))
        except (zlib.error, ValueError, TypeError):
            return None
        if len(gathered.rows) != head.count:
            return None
        return KeptMap(gathered.rows, head.as_of, head.sizes)


async def _lines(packed: memoryview) -> AsyncIterator[bytes]:
    """Yield the lines of what was packed, and let others run after each."""
    begun = b""
    for part in _unpacked(packed):
        *whole, begun = (begun + part).split(b"\n")
        for line in whole:
            yield line
            await asyncio.sleep(0)
        await asyncio.sleep(0)


def _unpacked(packed: memoryview) -> Iterator[bytes]:
    unpacking = zlib.decompressobj()
    for start in range(0, len(packed), _PACKED_AT_ONCE):
        rest: Any = packed[start : start + _PACKED_AT_ONCE]
        while rest:
            yield unpacking.decompress(rest, _UNPACKED_AT_ONCE)
            rest = unpacking.unconsumed_tail
    yield unpacking.flush()
