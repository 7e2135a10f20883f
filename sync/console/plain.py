"""Show what was read: tables for people, or JSON for programs.

In JSON instants are ISO texts, and durations seconds.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import typer
from rich.console import RenderableType

from pricing_proxy.command_line import output
from pricing_proxy.terminal import neutral_json


def show(members: Any, printed: Iterable[RenderableType], *, json_output: bool) -> None:
    """Print `members` as JSON, or else what is printed for people."""
    if json_output:
        typer.echo(as_json(members))
        return
    console = output()
    for each in printed:
        console.print(each)


def as_json(value: Any) -> str:
    """Return dataclasses, mappings and lists of them as JSON, which commands no terminal either."""
    return neutral_json(json.dumps(_plain(value), indent=2, ensure_ascii=False))


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
