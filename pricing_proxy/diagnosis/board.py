"""The rows of one table: what was found, or which row must be mended first.

One cause turns one row red. Whatever cannot be judged because of it is skipped, and names
the red row itself, not another skipped one in between.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class RowState(StrEnum):
    """How a row ended."""

    OK = "ok"
    WARNED = "warned"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a row found.

    Attributes:
        state: How it ended.
        found: Numbers and reasons, for people.
        next_step: What to do about a failure or a warning; empty otherwise.
        needs: The failed row that has to work first, for a skipped one.
    """

    state: RowState
    found: str
    next_step: str = ""
    needs: str = ""


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A finding under its name."""

    name: str
    finding: Finding


def ok(found: str) -> Finding:
    """Return the finding of something that works."""
    return Finding(RowState.OK, found)


def failed(found: str, next_step: str) -> Finding:
    """Return the finding of something that does not work, and what to do about it."""
    return Finding(RowState.FAILED, found, next_step=next_step)


def warned(found: str, next_step: str) -> Finding:
    """Return the finding of something that works, though not as it should, and what to do."""
    return Finding(RowState.WARNED, found, next_step=next_step)


def skipped(needs: str) -> Finding:
    """Return the finding of something that waits for another row to work."""
    return Finding(RowState.SKIPPED, f"needs: {needs}", needs=needs)


class Board:
    """One table, filled in any order and shown in the order of its names.

    Args:
        title: What the table is about.
        names: All its rows.
    """

    def __init__(self, title: str, names: Sequence[str]) -> None:
        self.title = title
        self._findings: dict[str, Finding | None] = dict.fromkeys(names)

    def put(self, name: str, finding: Finding) -> None:
        """Write a row; a failure that was written before stays."""
        if name not in self._findings:
            raise KeyError(name)
        if not self.is_failed(name):
            self._findings[name] = finding

    def fill(self, name: str, finding: Finding) -> None:
        """Write a row unless something stands there."""
        if self._findings[name] is None:
            self._findings[name] = finding

    def fill_rest(self, finding: Finding) -> None:
        """Write every row where nothing stands."""
        for name in self._findings:
            self.fill(name, finding)

    def is_failed(self, name: str) -> bool:
        """Return whether the row is red."""
        before = self._findings[name]
        return before is not None and before.state is RowState.FAILED

    def blocker(self, names: Iterable[str]) -> str | None:
        """Return the red row because of which one of `names` does not work; None if all do."""
        for name in names:
            finding = self._findings[name]
            if finding is not None and finding.state is RowState.FAILED:
                return name
            if finding is not None and finding.state is RowState.SKIPPED:
                return finding.needs
        return None

    def first_failed(self) -> str | None:
        """Return the first red row."""
        return next((name for name in self._findings if self.is_failed(name)), None)

    def rows(self) -> list[BoardRow]:
        """Return what was written, in the order of the names."""
        return [
            BoardRow(name, finding)
            for name, finding in self._findings.items()
            if finding is not None
        ]
