"""The states of an event, and which of them others must wait for.

received → working → done
                   → waiting     tried again at `due_at`, or woken by `depends_on`
                   → in_doubt    a write may have happened; looked up at `due_at`
                   → held        a person must look
                   → skipped     there is nothing to carry; the note says why
blocked              behind a held one, in `depends_on`
"""

from enum import StrEnum


class EventState(StrEnum):
    """Where an event stands."""

    RECEIVED = "received"
    WORKING = "working"
    WAITING = "waiting"
    IN_DOUBT = "in_doubt"
    HELD = "held"
    BLOCKED = "blocked"
    DONE = "done"
    SKIPPED = "skipped"


ENDED = frozenset({EventState.DONE, EventState.SKIPPED})
"""Nothing more happens, and whoever waited goes on."""

STUCK = frozenset({EventState.HELD, EventState.BLOCKED})
"""Nothing more happens until a person acts."""

MOVING = frozenset(EventState) - ENDED - STUCK
"""The engine sees to it that something happens."""

TO_BEGIN = MOVING - {EventState.WORKING} | {EventState.BLOCKED}
"""What it reads is newer than now, whenever it comes to that; one that is held may be skipped."""
