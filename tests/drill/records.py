"""What the drill writes down while it runs, one JSON object a line; instants in seconds."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

MODES = ("browse", "cart", "checkout")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer to one request.

    Attributes:
        phase: Phase in which it was due.
        mode: Asked for.
        customer: Asked for.
        due: When it was to be sent; latency counts from here.
        received: When it was there.
        status: HTTP status; 0 when there was none.
        retry_after: Whether it said when to come back.
        lines: SKU, state, price (None without one), and whether it is marked as current.
    """

    phase: str
    mode: str
    customer: str
    due: float
    received: float
    status: int
    retry_after: bool
    lines: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One new version in the ERP's book.

    Attributes:
        began: Before the ERP was told.
        posted: After the ERP had it; what is read from now on has it.
        told: After the service had accepted the invalidation; None when it did not.
    """

    customer: str
    sku: str
    version: int
    began: float
    posted: float
    told: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """How many price calls the ERP had answered in all."""

    at: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A stretch of the drill."""

    name: str
    began: float
    ended: float


def write(
    path: Path, records: Iterable[Answer] | Iterable[Change] | Iterable[Calls] | Iterable[Phase]
) -> None:
    """Write records to a file."""
    lines = (json.dumps(asdict(record)) + "\n" for record in records)
    path.write_text("".join(lines), encoding="utf-8")


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the members of each record of a file."""
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)
