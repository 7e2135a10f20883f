"""Read again what changed lately, for rows that became visible too late for the poll.

A row is dated when its transaction writes it, and can be seen when that ends: after a long
one, rows lie behind the poll's overlap. What was seen before has an equal source key and is
entered once.
"""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import datetime, timedelta

from sync.engine.odd_rows import T
from sync.engine.polling import Polling, ReadsWithin
from sync.engine.windows import ClockReading, Window
from sync.store.lines import Urgency

# No request of a shop or import into it lasts as long; what is dated so is read twice.
LONGEST_TRANSACTION = timedelta(hours=2)


async def read_late(
    polling: Polling,
    name: str,
    within: ReadsWithin[T],
    enter: Callable[[T], Awaitable[bool]],
    *,
    source: str,
    knows_history: bool = False,
) -> int:
    """Enter what changed since the last time, and return how many are new.

    Args:
        polling: What the source is read with.
        name: The source's; marks of our own are kept beside it.
        within: Reads pages of rows by their last change.
        enter: Enters one row, and says whether it is new.
        source: Whose rows they are, for those that cannot be read.
        knows_history: Whether `enter` leaves out what a first start must not bring; otherwise
            nothing from before the very first time is read.
    """
    began, swept = f"{name}.swept_from", f"{name}.swept_to"
    now = polling.clock.utc().isoformat()
    first = await polling.watermarks.get(began) or now
    last = await polling.watermarks.get(swept) or now
    since = datetime.fromisoformat(last) - LONGEST_TRANSACTION
    if not knows_history:
        since = max(since, datetime.fromisoformat(first))
    entered, odd = 0, await polling.odd_rows.of(source)
    asked = within(Window(since=since), without=odd.unserved)
    # By the shop's clock and as of when it began: what changed meanwhile is read by the next.
    told: ClockReading | None = None
    async with aclosing(asked) as pages:
        async for page in pages:
            told = told or page.reading
            await odd.take(page)
            entered += await polling.enter_page(page.rows, enter, urgency=Urgency.BACKLOG)
    ended = now if told is None else told.least.isoformat()
    await polling.watermarks.put(began, ended if first == now else first)
    await polling.watermarks.put(swept, ended)
    return entered
