"""What a scenario is told and what it returns: the rows of its table."""

from dataclasses import dataclass

from tests.chaos.stage import Stage

LEASE_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number of the table; `is_met` is None where nothing is demanded."""

    name: str
    value: str
    bar: str = ""
    is_met: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The parameters of the command; `make chaos CHAOS_ARGS=--help` tells of each."""

    orders: int
    workers: int
    phase_seconds: float
    kill_every_seconds: float
    wire_kills: int
    postgres_kills: int
    erp_max_request_seconds: int
    latency_ms: int
    drain_seconds: float
    events: int
    skus: int


def verdict(is_good: bool) -> list[Figure]:  # noqa: FBT001 -- its only value
    """Return the figure that every scenario begins with: what the judge found."""
    return [
        Figure(
            name="counts that must be zero",
            value="all zero" if is_good else "not all zero",
            bar="all zero",
            is_met=is_good,
        )
    ]


def bounded(name: str, seconds: float, most: float) -> Figure:
    """Return a figure with the most seconds that are allowed."""
    return Figure(name=name, value=f"{seconds:.2f} s", bar=f"<= {most:g} s", is_met=seconds <= most)


def events(on: Stage) -> list[Figure]:
    """Return the figure that says what became of the events."""
    query = "SELECT flow, state, count(*) FROM sync_event GROUP BY 1, 2 ORDER BY 1, 2"
    rows = on.rows(query)
    text = ", ".join(f"{flow} {state} {count}" for flow, state, count in rows)
    return [Figure(name="events", value=text)]
