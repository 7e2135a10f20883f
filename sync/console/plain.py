"""Turn what was read into JSON for programs: instants as ISO texts, durations as seconds."""

import dataclasses
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any


def as_json(value: Any) -> str:
    """Return dataclasses, mappings and lists of them as JSON."""
    return json.dumps(_plain(value), indent=2, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        members = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
        return _plain(members)
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value if isinstance(value, bool | int | float | str | None) else str(value)
