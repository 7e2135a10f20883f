"""Whether a line's order was in the ERP while on-hand was read. Pure.

    acknowledged before the read began                 in, even if the order is held or stopped
    not sent when the read ended, or taken out before  out
    anything between                                   in doubt

The journal's times are the database's, the read's are this machine's: what lies closer together
than the two clocks may differ is between as well.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pricing_proxy.names import is_same_name
from sync.sales.value_lines import line_reference
from sync.store.order_writes import OrderTrace, OrderWrite
from sync.store.shop_line_records import ShopLine

# Clocks that NTP keeps differ by milliseconds; a machine that it has lost, by more than this, is
# told of by `d365-sync check`.
CLOCKS_DIFFER = timedelta(seconds=1)


class LinePresence(StrEnum):
    """What is known."""

    IN = "in"
    OUT = "out"
    DOUBT = "doubt"


@dataclass(frozen=True, slots=True)
class OnHandWindow:
    """When on-hand was read: from the first question to the last answer."""

    began_at: datetime
    ended_at: datetime


def presence(
    line: ShopLine, window: OnHandWindow, trace: OrderTrace | None, *, since: datetime | None
) -> LinePresence:
    """Return whether a line was in the ERP during a read.

    Args:
        line: As it is kept.
        window: When the read was.
        trace: What the journal says of its order; None where it says nothing.
        since: From when on it is known to be there; None while that is not known.
    """
    if since is not None and _is_before(since, window.began_at):
        return LinePresence.IN
    if trace is None:
        # Found there by a look-up, it may have been there before.
        return LinePresence.OUT if since is None else LinePresence.DOUBT
    return LinePresence.OUT if _was_out(trace, line, window) else LinePresence.DOUBT


def present_since(line: ShopLine, trace: OrderTrace | None) -> datetime | None:
    """Return from when on the ERP is known to have a line; None while that is not known."""
    known = [line.present_since, trace.whole_since if trace else None]
    if trace is not None:
        known += [write.done_at for write in _standing(trace.writes, line)]
    return min((instant for instant in known if instant is not None), default=None)


def _standing(writes: Sequence[OrderWrite], line: ShopLine) -> Iterable[OrderWrite]:
    """Return the additions of a line whose order was not taken out again."""
    gone = {write.number for write in writes if write.is_deletion}
    return (each for each in _additions(writes, line) if each.number not in gone)


def _was_out(trace: OrderTrace, line: ShopLine, window: OnHandWindow) -> bool:
    additions = _additions(trace.writes, line)
    if not additions and trace.whole_since is not None:
        return _is_before(window.ended_at, trace.whole_since)
    return all(
        _is_before(window.ended_at, addition.sent_at)
        or _was_taken_out(trace.writes, addition.number, window)
        for addition in additions
    )


def _was_taken_out(writes: Sequence[OrderWrite], number: str, window: OnHandWindow) -> bool:
    return any(
        write.is_deletion
        and write.number == number
        and write.done_at is not None
        and _is_before(write.done_at, window.began_at)
        for write in writes
    )


def _additions(writes: Sequence[OrderWrite], line: ShopLine) -> list[OrderWrite]:
    # A variant, and a part of a bundle with one price, is sold by its parent's line.
    ids = [each for each in (line.item_id, line.parent_item_id) if each is not None]
    own = [line_reference(line.increment_id, each) for each in ids]
    return [
        write
        for write in writes
        if not write.is_deletion and any(is_same_name(write.reference, each) for each in own)
    ]


def _is_before(one: datetime, other: datetime) -> bool:
    return one + CLOCKS_DIFFER <= other
