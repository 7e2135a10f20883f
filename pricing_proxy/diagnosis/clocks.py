"""Compare this machine's clock with a system's, by the date of one answer.

Nothing of ours depends on the two being equal, but for signatures and tokens, which are
refused when they seem old or of the future; and logs of both sides are read side by side.
"""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import aiohttp

from pricing_proxy.diagnosis.board import Finding, ok, warned
from pricing_proxy.diagnosis.direct_calls import Patience
from pricing_proxy.http_exchange import HttpExchange, Request
from pricing_proxy.http_replies import Reply

# A clock that is kept by NTP is within a second; signatures bear some minutes.
_MOST = timedelta(seconds=60)
# What a date leaves out.
_SECOND = timedelta(seconds=1)


async def clock_finding(
    session: aiohttp.ClientSession, root: str, path: str, *, whose: str, patience: Patience
) -> Finding:
    """Return how far the system's clock is from this machine's; a warning from a minute on.

    Args:
        session: Serves this system only.
        root: The system's root address.
        path: Asked without credentials; whatever the answer, it has a date.
        whose: The system's name for people.
        patience: How long is waited; its clock is this machine's.

    Raises:
        UpstreamError: There is no answer.
    """
    exchange = HttpExchange(
        session, base_url=root, body_type="application/json", clock=patience.clock, system=whose
    )
    sent_at = patience.clock.utc()
    reply = await exchange.send(
        Request(method="GET", target=path), {}, deadline=patience.deadline()
    )
    return _judged(_date_of(reply), sent_at, patience.clock.utc(), whose)


def _date_of(reply: Reply) -> datetime | None:
    try:
        date = parsedate_to_datetime(reply.headers.get("Date", ""))
        # An answer out of a cache is as old as it says.
        return date + timedelta(seconds=int(reply.headers.get("Age", "0")))
    except (ValueError, OverflowError):
        return None


def _judged(date: datetime | None, sent_at: datetime, read_at: datetime, whose: str) -> Finding:
    """Judge only what the way there and back, and the date's own second, cannot explain."""
    if date is None or date.tzinfo is None:
        return ok(f"not told: {whose} dates no answers")
    ahead = max(date - read_at, timedelta())
    behind = max(sent_at - date - _SECOND, timedelta())
    off = round((ahead or behind).total_seconds())
    way = "ahead of" if ahead else "behind"
    told = f"{off} s {way} this machine's" if off else "as this machine's"
    if max(ahead, behind) <= _MOST:
        return ok(told)
    return warned(
        told,
        f"Keep this machine's clock by NTP (timedatectl); if it is right, tell who runs {whose}: "
        "signatures and tokens are refused, and nobody finds a moment in two logs",
    )
