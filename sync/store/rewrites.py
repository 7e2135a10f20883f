"""Which documents are written over and over, by the journal: of any flow, into any system.

An order of many lines is written by many calls of one event. What counts is how often the
same thing was written, or how many events of one document each wrote by the same operation.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

# Reads are not in the journal.
_OVER = text(
    """
    WITH written AS (
        SELECT event.flow, event.market, event.business_key, call.system, call.operation,
               call.event_id,
               count(*) OVER (
                   PARTITION BY event.flow, event.market, event.business_key,
                                call.system, call.operation, md5(call.request::text)
               ) AS repeated
        FROM sync_attempt AS call JOIN sync_event AS event ON event.id = call.event_id
        WHERE call.sent_at > now() - make_interval(secs => :within)
          AND call.status BETWEEN 200 AND 299
    )
    SELECT flow, market, business_key, system, operation,
           greatest(max(repeated), count(DISTINCT event_id)) AS times
    FROM written
    GROUP BY flow, market, business_key, system, operation
    HAVING greatest(max(repeated), count(DISTINCT event_id)) > :most
    ORDER BY times DESC, business_key
    LIMIT :limit
    """
)
# More would not make an alert any clearer.
_LIMIT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """A document that was written too often."""

    flow: str
    market: str
    business_key: str
    system: str
    operation: str
    times: int


class Rewrites:
    """Looks at the journal of a database."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def more_than(self, most: int, *, within: timedelta) -> list[Rewritten]:
        """Return the documents that were written more often than that of late."""
        values = {"most": most, "within": within.total_seconds(), "limit": _LIMIT}
        async with self._database.connect() as connection:
            rows = (await connection.execute(_OVER, values)).mappings()
            return [Rewritten(**row) for row in rows]
