"""The pages that the benchmark asks for, and what each may cost."""

from dataclasses import dataclass

from tests.bench import ledger_size


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One line of the table.

    Attributes:
        name: As printed.
        server: Which program is asked.
        method: HTTP method.
        lines: Prices of one page.
        connections: At once.
        level: Where every price must come from.
        goal: What it may cost, in bare handlers; None where it is only shown.
        is_after_changes: Measured once very many SKUs, those of the page among them, were
            invalidated and are read again.
    """

    name: str
    server: str
    method: str
    lines: int
    connections: int
    level: str
    goal: float | None
    is_after_changes: bool = False


CASES = (
    Case(
        name="24 prices, L1, POST",
        server="with_memory",
        method="POST",
        lines=24,
        connections=16,
        level="l1",
        goal=2.0,
    ),
    Case(
        name="24 prices, L1, GET",
        server="with_memory",
        method="GET",
        lines=24,
        connections=16,
        level="l1",
        goal=1.7,
    ),
    Case(
        name="24 prices, Redis, concurrency 1",
        server="without_memory",
        method="POST",
        lines=24,
        connections=1,
        level="l2",
        goal=None,
    ),
    Case(
        name="24 prices, Redis, concurrency 64",
        server="without_memory",
        method="POST",
        lines=24,
        connections=64,
        level="l2",
        goal=4.0,
    ),
    Case(
        name="100 prices, L1, POST",
        server="with_memory",
        method="POST",
        lines=100,
        connections=16,
        level="l1",
        goal=3.0,
    ),
    Case(
        name=f"24 prices, L1, POST, after {ledger_size.COUNT:,} invalidations",
        server="with_memory",
        method="POST",
        lines=24,
        connections=16,
        level="l1",
        goal=2.0,
        is_after_changes=True,
    ),
)
