"""What `make rolling` is told."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The parameters of the command; `make rolling ROLLING_ARGS=--help` tells of each."""

    workers: int
    rounds: int
    shoppers: int
    orders: int
    carriers: int
    step_seconds: float
    since: str | None
    wait_seconds: float
