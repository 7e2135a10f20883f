"""Runs of mirrors as they are read back."""

from collections.abc import Mapping
from datetime import UTC, datetime

from sync.store.mirror_records import MirrorRun, RunState, RunTrigger

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def run(
    number: int,
    state: RunState,
    *,
    trigger: RunTrigger = RunTrigger.FULL,
    counts: Mapping[str, int] | None = None,
    text: str = "",
) -> MirrorRun:
    """Return one of products of b2b_de."""
    return MirrorRun(
        id=number,
        flow="products",
        market="b2b_de",
        shop="https://shop.example.com",
        trigger=trigger,
        state=state,
        is_forced=False,
        counts=counts or {},
        rows_read=10,
        rows_expected=10,
        began_at=NOW,
        changed_at=NOW,
        planned_at=NOW,
        ended_at=None,
        asked_by="",
        approved_by=None,
        approved_at=None,
        text=text,
    )
