"""Which keys are to be read soon, and what is known of keys that the shop made anew."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.mirror.keys import folded
from sync.plain_texts import plain

# What was wished for before stays, as early and as urgent as either.
_WANT = text("""
    INSERT INTO mirror_wanted AS w
        (flow, market, folded, key, is_forced, due_at, wished_at, reason)
    SELECT :flow, :market, r.folded, r.key, :is_forced,
           coalesce(CAST(:due_at AS timestamptz), clock_timestamp()), clock_timestamp(), :reason
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(folded text, key text)
    ORDER BY r.folded
    ON CONFLICT (flow, market, folded) DO UPDATE SET
        key = excluded.key, is_forced = w.is_forced OR excluded.is_forced,
        due_at = least(w.due_at, excluded.due_at), wished_at = excluded.wished_at,
        reason = excluded.reason
""")
_DUE = text("""
    SELECT key FROM mirror_wanted WHERE flow = :flow AND market = :market
       AND due_at <= clock_timestamp() ORDER BY is_forced DESC, due_at, folded LIMIT :most
""")
_COUNTS = text("""
    SELECT flow, market, count(*) AS keys, min(due_at) AS due_at FROM mirror_wanted
    WHERE due_at <= clock_timestamp() GROUP BY flow, market ORDER BY flow, market
""")
_KEYS = text("""
    SELECT DISTINCT flow, market, key FROM mirror_row WHERE shop = :shop AND folded = ANY(:keys)
""")
_FORGET = text("DELETE FROM mirror_row WHERE shop = :shop AND folded = ANY(:keys)")


@dataclass(frozen=True, slots=True)
class WantedKeys:
    """How many keys of a flow and market are due to be read, and since when."""

    flow: str
    market: str
    keys: int
    due_at: datetime


class MirrorWanted:
    """What this database keeps of it."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def want(
        self,
        flow: str,
        market: str,
        keys: Sequence[str],
        *,
        is_forced: bool,
        reason: str,
        due_at: datetime | None = None,
    ) -> None:
        """Have keys read soon.

        Args:
            flow: By which flow.
            market: For which market.
            keys: As the ERP writes them.
            is_forced: Whether they are written even where they are as they should be.
            reason: Why.
            due_at: Not before; None for at once.
        """
        by_key = {folded(plain(key)): plain(key) for key in keys}
        rows = [{"folded": one, "key": key} for one, key in by_key.items()]
        values = {"flow": flow, "market": market, "is_forced": is_forced, "reason": reason}
        values |= {"due_at": due_at, "rows": json.dumps(rows)}
        if rows:
            async with self._database.begin() as connection:
                await connection.execute(_WANT, values)

    async def due(self, flow: str, market: str, *, most: int) -> list[str]:
        """Return keys that are to be read now; they stay wanted until a run has planned them."""
        values = {"flow": flow, "market": market, "most": most}
        async with self._database.connect() as connection:
            return list((await connection.execute(_DUE, values)).scalars())

    async def counts(self) -> list[WantedKeys]:
        """Return what is due, of all flows."""
        async with self._database.connect() as connection:
            return [WantedKeys(*row) for row in await connection.execute(_COUNTS)]

    async def forget(self, shop: str, keys: Sequence[str], *, reason: str) -> None:
        """Forget what all flows know of keys, and have every one of them read these again."""
        place = {"shop": shop, "keys": [folded(plain(key)) for key in keys]}
        async with self._database.connect() as connection:
            found = (await connection.execute(_KEYS, place)).all()
        by_flow: dict[tuple[str, str], list[str]] = {}
        for row in found:
            by_flow.setdefault((row.flow, row.market), []).append(row.key)
        for (flow, market), its in sorted(by_flow.items()):
            await self.want(flow, market, its, is_forced=True, reason=reason)
        # Wanted first: what is forgotten and not wanted would be found by a full read alone.
        async with self._database.begin() as connection:
            await connection.execute(_FORGET, place)
