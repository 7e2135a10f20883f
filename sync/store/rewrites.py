"""Which documents are written over and over, by the journal: of any flow, into any system.

An order of many lines is written by many calls of one event. What counts is how often the
same thing was written, or how many events of one document each wrote by the same operation.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.store import statements
from sync.store.records import document_name

# Reads are not in the journal. First the few documents with many calls are found, then it is
# looked at what these wrote: an hour of a busy journal is half a million rows.
_OVER = text(
    """
    WITH calls AS (
        SELECT event_id, max(calls) AS most FROM (
            SELECT event_id, count(*) AS calls FROM sync_attempt
            WHERE sent_at > now() - make_interval(secs => :within) AND status BETWEEN 200 AND 299
            GROUP BY event_id, system, operation
        ) AS by_operation GROUP BY event_id
    ), documents AS (
        SELECT event.flow, event.market, max(event.business_key) AS business_key,
               max(event.document_id) AS document_id, array_agg(event.id) AS events
        FROM calls JOIN sync_event AS event ON event.id = calls.event_id
        GROUP BY event.flow, event.market, coalesce(event.document_id, '#' || event.business_key)
        HAVING count(*) > :most OR max(calls.most) > :most
    )
    SELECT flow, market, business_key, document_id, writes.* FROM documents CROSS JOIN LATERAL (
        SELECT system, operation, greatest(max(same), count(DISTINCT event_id)) AS times
        FROM (
            SELECT system, operation, event_id,
                   count(*) OVER (PARTITION BY system, operation, md5(request::text)) AS same
            FROM sync_attempt
            WHERE event_id = ANY (documents.events) AND status BETWEEN 200 AND 299
              AND sent_at > now() - make_interval(secs => :within)
        ) AS writes_of_document
        GROUP BY system, operation
    ) AS writes
    WHERE times > :most
    ORDER BY times DESC, business_key
    LIMIT :limit
    """
)
# More would not make an alert any clearer.
_LIMIT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """A document that was written too often.

    Attributes:
        business_key: What people call it.
        document_id: What the shop calls it; None where only the number is known.
    """

    flow: str
    market: str
    business_key: str
    document_id: str | None
    system: str
    operation: str
    times: int

    @property
    def name(self) -> str:
        """What people call it, with the shop's id: several may have one number."""
        return document_name(self.business_key, self.document_id)


class Rewrites:
    """Looks at the journal of a database."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def more_than(self, most: int, *, within: timedelta) -> list[Rewritten]:
        """Return the documents that were written more often than that of late."""
        values = {"most": most, "within": within.total_seconds(), "limit": _LIMIT}
        rows = await statements.mappings(self._database, _OVER, values)
        return [Rewritten(**row) for row in rows]
