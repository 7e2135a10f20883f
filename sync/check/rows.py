"""One row of a check: what was looked at, what was found, and what to do next."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a row ended."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRow:
    """One row.

    Attributes:
        name: What was looked at; the same in every run.
        found: For people; holds no secrets and no customer data.
        next_step: What to do; empty unless it failed.
    """

    name: str
    state: State
    found: str
    next_step: str = ""
