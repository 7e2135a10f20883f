"""What a check found, all tables together."""

from collections.abc import Callable
from dataclasses import dataclass

from pricing_proxy.diagnosis.board import Board, RowState

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Report:
    """All tables.

    Attributes:
        boards: In the order they are shown.
        is_stuck: A thread still waits for an answer that will not come.
    """

    boards: list[Board]
    is_stuck: bool

    @property
    def is_ok(self) -> bool:
        """Whether everything was judged, and works; perhaps with warnings."""
        states = {row.finding.state for board in self.boards for row in board.rows()}
        return RowState.OK in states and states <= {RowState.OK, RowState.WARNED}
