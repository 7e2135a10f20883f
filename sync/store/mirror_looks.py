"""How far a mirror has looked through the shop, and what it found there that nobody wrote.

A round goes along the known rows by scope and key, so whoever is killed goes on after the last
slice, and memory holds one. Rows of which a plan is open are left to it. What is told stands in a
run of the round: made with the first row that there is to tell.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sync.mirror.keys import folded
from sync.plain_texts import plain, plain_json
from sync.store import statements
from sync.store.mirror_look_records import LookedRow, LookPlace, LookRound, Seen, SliceCounts
from sync.store.mirror_records import ChangeState
from sync.store.mirror_runs import end_run
from sync.store.mirror_settling import counts_of, state_after

_COUNT = """
    (SELECT count(*) FROM mirror_row WHERE flow = :flow AND shop = :shop AND scope = ANY(:scopes))
"""
_TAKE_UP = text("""
    SELECT began_at, scope, folded, expected, looked, edited FROM mirror_look
    WHERE flow = :flow AND market = :market AND ended_at IS NULL
""")
_BEGIN = text(f"""
    INSERT INTO mirror_look AS k (flow, market, began_at, expected)
    VALUES (:flow, :market, clock_timestamp(), {_COUNT})
    ON CONFLICT (flow, market) DO UPDATE SET began_at = excluded.began_at, ended_at = NULL,
        scope = '', folded = '', expected = excluded.expected, looked = 0, edited = 0, kept = 0,
        gone = 0, run = NULL
    WHERE k.ended_at IS NOT NULL AND k.began_at <= clock_timestamp() - CAST(:every AS interval)
    RETURNING began_at, scope, folded, expected, looked, edited
""")  # noqa: S608 -- pieces of our own
# No plan of it is open: what is on its way to the shop is no edit.
_IS_LEFT = """
    NOT EXISTS (
        SELECT FROM mirror_change c JOIN mirror_run u ON u.id = c.run
        WHERE u.flow = :flow AND u.shop = :shop AND u.ended_at IS NULL AND c.scope = m.scope
          AND c.folded = m.folded AND c.state IN ('planned', 'waiting'))
"""
_NEXT = text(f"""
    SELECT m.scope, m.folded, m.key, m.values, m.shop_id, m.told, m.stays, m.read_at
    FROM mirror_row m
    WHERE m.flow = :flow AND m.shop = :shop AND m.scope = ANY(:scopes)
      AND (m.scope, m.folded) > (:scope, :folded)
      AND {_IS_LEFT}
    ORDER BY m.scope, m.folded LIMIT :most
""")  # noqa: S608 -- as above
_ROWS = """
    rows AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(scope text, folded text,
            key text, known jsonb, wanted jsonb, before jsonb, told jsonb, shop_id text,
            state text))
"""
_ADVANCE = text("""
    UPDATE mirror_look SET scope = :scope, folded = :folded, looked = looked + :looked,
        edited = edited + :edited, kept = kept + :kept, gone = gone + :gone
    WHERE flow = :flow AND market = :market AND began_at = :began_at AND ended_at IS NULL
      AND (scope, folded) = (:from_scope, :from_folded)
    RETURNING run
""")
_END = text("""
    UPDATE mirror_look SET ended_at = clock_timestamp(), last_began_at = began_at,
        last_ended_at = clock_timestamp(), last_looked = looked
    WHERE flow = :flow AND market = :market AND began_at = :began_at AND ended_at IS NULL
""")
# A row that was written or read meanwhile is another one.
_TELL = text(f"""
    WITH {_ROWS}
    INSERT INTO mirror_change
        (run, scope, folded, key, wanted, known, before, edited, shop_id, state, began_at, ended_at)
    SELECT :run, r.scope, r.folded, r.key, r.wanted, m.values, r.before,
           ARRAY(SELECT jsonb_object_keys(r.wanted) ORDER BY 1), r.shop_id, r.state, m.read_at,
           m.read_at
    FROM rows r JOIN mirror_row m ON m.flow = :flow AND m.shop = :shop AND m.scope = r.scope
        AND m.folded = r.folded AND m.values = r.known
    WHERE r.state IS NOT NULL AND {_IS_LEFT} ON CONFLICT DO NOTHING
""")  # noqa: S608 -- as above
_REMEMBER = text(f"""
    WITH {_ROWS}
    UPDATE mirror_row m SET told = r.told FROM rows r
    WHERE m.flow = :flow AND m.shop = :shop AND m.scope = r.scope AND m.folded = r.folded
      AND m.values = r.known AND m.told <> r.told
""")  # noqa: S608 -- as above
_RUN = text("""
    INSERT INTO mirror_run (flow, market, shop, trigger, state, planned_at, fence)
    VALUES (:flow, :market, :shop, 'look', 'writing', clock_timestamp(), 1) RETURNING id
""")
_NAME_RUN = text("""
    UPDATE mirror_look SET run = :run WHERE flow = :flow AND market = :market
""")
_SAY = text("UPDATE mirror_run SET text = :text WHERE id = :run AND text = ''")
_ROUNDS = text("""
    SELECT flow, market, began_at, ended_at, expected, looked, edited, kept, gone, run,
           last_began_at, last_ended_at, last_looked FROM mirror_look ORDER BY flow, market
""")
_MANY = (
    "others changed more in the shop than is mended unasked: approve to have it as we wrote it, "
    "reject to look again at the next round"
)


class LookRounds:
    """The rounds of this database."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def place(
        self, flow: str, market: str, shop: str, scopes: Sequence[str], *, every: timedelta
    ) -> LookPlace | None:
        """Return where a round is, begun now where one is due; None where none is.

        Args:
            flow: Whose.
            market: Its market.
            shop: The shop's root address.
            scopes: Which rows.
            every: After how long the next round is due.
        """
        its = {"flow": flow, "market": market, "shop": shop, "scopes": list(scopes)}
        async with self._database.begin() as connection:
            row = (await connection.execute(_TAKE_UP, its)).mappings().first()
            if row is None:
                begin = its | {"every": every}
                row = (await connection.execute(_BEGIN, begin)).mappings().first()
        return None if row is None else LookPlace(**its, **row)  # type: ignore[arg-type]

    async def next(self, place: LookPlace, most: int) -> list[LookedRow]:
        """Return the next rows; none at the end of a round."""
        values = {**_its(place), "scope": place.scope, "folded": place.folded, "most": most}
        found = await statements.mappings(self._database, _NEXT, values)
        return [LookedRow(**row) for row in found]

    async def keep(
        self, place: LookPlace, last: LookedRow, seen: Sequence[Seen], counts: SliceCounts
    ) -> bool:
        """Keep what was seen of rows and go on after the last; return False where another did."""
        its = _its(place)
        step = {
            "began_at": place.began_at,
            "from_scope": place.scope,
            "from_folded": place.folded,
            "scope": last.scope,
            "folded": last.folded,
            "looked": counts.looked,
            "edited": counts.edited,
            "kept": counts.kept,
            "gone": counts.gone,
        }
        async with self._database.begin() as connection:
            row = (await connection.execute(_ADVANCE, its | step)).first()
            if row is None:
                return False
            if seen:
                rows = json.dumps(plain_json([_row(each) for each in seen]))
                if any(each.state is not None for each in seen):
                    await self._tell(connection, its, row.run, rows)
                await connection.execute(_REMEMBER, {**its, "rows": rows})
        return True

    async def end(self, place: LookPlace) -> None:
        """End a round: everything was looked at."""
        async with self._database.begin() as connection:
            await connection.execute(_END, {**_its(place), "began_at": place.began_at})

    async def rounds(self) -> list[LookRound]:
        """Return how far all mirrors are."""
        return [LookRound(**row) for row in await statements.mappings(self._database, _ROUNDS)]

    async def _tell(
        self, connection: AsyncConnection, its: Mapping[str, Any], run: int | None, rows: str
    ) -> None:
        if run is None:
            run = (await connection.execute(_RUN, its)).scalar_one()
            await connection.execute(_NAME_RUN, {**its, "run": run})
        await connection.execute(_TELL, {**its, "run": run, "rows": rows})
        counts = await counts_of(connection, run)
        if counts[ChangeState.WAITING]:
            await connection.execute(_SAY, {"run": run, "text": _MANY})
        await end_run(connection, run, state_after(counts), counts)


def _its(place: LookPlace) -> dict[str, Any]:
    return {
        "flow": place.flow,
        "market": place.market,
        "shop": place.shop,
        "scopes": list(place.scopes),
    }


def _row(seen: Seen) -> Mapping[str, Any]:
    row = seen.row
    return {
        "scope": row.scope,
        "folded": folded(plain(row.key)),
        "key": row.key,
        "known": dict(row.values),
        "wanted": dict(seen.wanted),
        "before": dict(seen.before),
        "told": dict(seen.told),
        "shop_id": row.shop_id,
        "state": None if seen.state is None else seen.state.value,
    }
