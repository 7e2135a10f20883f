"""A market's rows of one kind as one Redis value: a reader never sees half of a map.

Whoever reads the ERP's catalog writes the whole map at once; readers see the old one or the
new one.
"""

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

R = TypeVar("R")

# Level 1: a map of 20,000 items packs in tens of milliseconds; higher levels gain little.
_COMPRESSION = 1


@dataclass(frozen=True, slots=True)
class KeptMap(Generic[R]):
    """All rows of a market by name, as the ERP listed them at one time."""

    rows: Mapping[str, R]
    as_of: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MapKind(Generic[R]):
    """How maps of one kind stand in Redis.

    Attributes:
        name: What the rows are, such as "items".
        row: Makes a row of its members, of which the first is its name; a dataclass.
        version: To be raised when a row changes its shape: older maps then read as none.
    """

    name: str
    row: Callable[..., R]
    version: int

    def key(self, market: str) -> str:
        """Return the Redis key of a market's map."""
        return f"{self.name}:{{{market}}}"

    def encode(self, kept: KeptMap[R]) -> bytes:
        """Return the map as one value."""
        rows = [astuple(cast("Any", row)) for row in kept.rows.values()]
        document = {"version": self.version, "as_of": kept.as_of.isoformat(), "rows": rows}
        return zlib.compress(json.dumps(document, separators=(",", ":")).encode(), _COMPRESSION)

    def decode(self, value: bytes | None) -> KeptMap[R] | None:
        """Return the map; None when there is no value, or one of another version or damaged."""
        if value is None:
            return None
        try:
            document = json.loads(zlib.decompress(value))
            if document["version"] != self.version:
                return None
            rows = {members[0]: self.row(*members) for members in document["rows"]}
            return KeptMap(rows, datetime.fromisoformat(document["as_of"]))
        except (zlib.error, ValueError, KeyError, TypeError):
            return None
