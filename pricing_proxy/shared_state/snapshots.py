"""Whole tables as one Redis value: written at once, so a reader never sees half of one."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# Level 1: a map of 20,000 items packs in tens of milliseconds; higher levels gain little.
_COMPRESSION = 1


@dataclass(frozen=True, slots=True)
class KeptRows:
    """Rows of a table as they stood at `as_of`."""

    rows: Sequence[Any]
    as_of: datetime


def encode(rows: Sequence[Any], *, version: int, as_of: datetime) -> bytes:
    """Return the rows as one value."""
    document = {"version": version, "as_of": as_of.isoformat(), "rows": rows}
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode(), _COMPRESSION)


def decode(value: bytes | None, *, version: int) -> KeptRows | None:
    """Return the rows; None when there is no value, or one of another version or damaged."""
    if value is None:
        return None
    try:
        document = json.loads(zlib.decompress(value))
        if document["version"] != version:
            return None
        return KeptRows(document["rows"], datetime.fromisoformat(document["as_of"]))
    except (zlib.error, ValueError, KeyError, TypeError):
        return None
