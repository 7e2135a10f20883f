"""What a run has read, until it is planned: streamed in by COPY, a page in one transaction.

A page and how far it brings the run are kept together, so a run that is taken up again goes on
right after it. The table is not logged: after a crash of the database it is empty, and
`is_whole` says so.
"""

import json
from collections.abc import AsyncGenerator, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from sync.mirror.keys import folded
from sync.plain_texts import plain, plain_json
from sync.store.mirror_difference import lock_of_keys
from sync.store.mirror_held import unfinished
from sync.store.mirror_records import DesiredRow, MirrorRun, UnmappedRow, Values
from sync.store.mirror_run_record import HeldKey
from sync.store.mirror_runs import change_held

_COPY = "COPY mirror_staging (run, scope, folded, key, values, odd, began_at, ended_at) FROM STDIN"
# Rows that were staged already are there with all that is to be said of them.
_ADD = text("""
    INSERT INTO mirror_staging (run, scope, folded, key, values, odd, began_at, ended_at)
    SELECT :run, r.scope, r.folded, r.key, r.values, r.odd, r.began_at, r.ended_at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(scope text, folded text, key text,
        values jsonb, odd jsonb, began_at timestamptz, ended_at timestamptz)
    WHERE NOT EXISTS (SELECT FROM mirror_staging s WHERE s.run = :run AND s.scope = r.scope
                      AND s.folded = r.folded AND s.key = r.key)
""")
# Of rows that the mirror knows, has not withdrawn yet, and did not read this time.
_UNREAD = text("""
    SELECT m.scope, m.folded, m.key FROM mirror_row m
    WHERE m.flow = :flow AND m.shop = :shop AND m.scope = ANY(:scopes)
      AND (:all OR m.folded = ANY(:keys)) AND m.folded > :after
      AND m.values ?| CAST(:fields AS text[])
      AND m.values || CAST(:absent AS jsonb) <> m.values
      AND NOT EXISTS (SELECT FROM mirror_staging s
                      WHERE s.run = :run AND s.scope IN (m.scope, '') AND s.folded = m.folded)
    ORDER BY m.folded, m.scope LIMIT :slice
""")
# The same key in other letters: another row of the ERP, unless that one is no more.
_RENAMED = text("""
    SELECT DISTINCT m.key FROM mirror_staging s
    JOIN mirror_row m ON m.flow = :flow AND m.shop = :shop AND m.scope = s.scope
                     AND m.folded = s.folded AND m.key <> s.key
    WHERE s.run = :run
""")
_COUNT = text("SELECT count(*) FROM mirror_staging WHERE run = :run")
_ODD = text("""
    SELECT DISTINCT ON (folded) key, odd FROM mirror_staging
    WHERE run = :run AND scope = '' ORDER BY folded, key
""")
_NEW_ODD = text("""
    SELECT DISTINCT ON (s.folded) s.key, s.odd FROM mirror_staging s
    WHERE s.run = :run AND s.scope = '' AND NOT EXISTS (
        SELECT FROM sync_event e
        WHERE e.lock_key = :lock || s.folded AND e.state = ANY(:unfinished)
          AND (e.state <> 'held' OR e.error_text IS NOT DISTINCT FROM s.odd ->> 'text'
               OR coalesce(e.payload -> 'refused', e.payload -> 'wanted') <> '{}'))
    ORDER BY s.folded, s.key
""")
_LEFT = text("""
    SELECT r.id FROM mirror_run r WHERE r.flow = :flow AND r.market = :market
       AND r.planned_at > clock_timestamp() - interval '2 days' AND r.state <> 'planning'
       AND EXISTS (SELECT FROM mirror_staging s WHERE s.run = r.id AND s.scope = '')
    ORDER BY r.id
""")
_DROP = text("DELETE FROM mirror_staging WHERE run = :run")
_SLICE = 500


class StagedWindow(NamedTuple):
    """When something was read."""

    began_at: datetime
    ended_at: datetime


class UnreadRow(NamedTuple):
    """A row that the mirror knows and a read did not bring."""

    scope: str
    folded: str
    key: str


class MirrorStaging:
    """What is staged in this database."""

    def __init__(self, database: AsyncEngine) -> None:
        self._database = database

    async def copy(
        self,
        run: MirrorRun,
        rows: Iterable[DesiredRow],
        odd: Iterable[UnmappedRow],
        *,
        read: StagedWindow,
        after: str,
    ) -> int:
        """Add a page, and note how far the run is; return how many rows it had.

        Raises:
            RunLostError: Another process reads for the run by now.
        """
        staged = [*map(_good, rows), *map(_odd, odd)]
        progress = text("rows_read + :n").bindparams(n=len(staged))
        async with self._database.begin() as connection:
            await change_held(connection, run, read_after=after, rows_read=progress, text="")
            raw = await connection.get_raw_connection()
            driver: Any = raw.driver_connection
            async with driver.cursor() as cursor, cursor.copy(_COPY) as copying:
                for each in staged:
                    await copying.write_row((run.id, *each, *read))
        return len(staged)

    async def add(
        self,
        run: MirrorRun,
        rows: Iterable[DesiredRow],
        odd: Iterable[UnmappedRow],
        *,
        read: StagedWindow,
    ) -> None:
        """Add what a second look has brought; what was staged before stays as it is."""
        names = ("scope", "folded", "key", "values", "odd")
        window = {"began_at": read.began_at.isoformat(), "ended_at": read.ended_at.isoformat()}
        staged = [
            dict(zip(names, (*each[:3], *map(_loaded, each[3:])), strict=True)) | window
            for each in (*map(_good, rows), *map(_odd, odd))
        ]
        async with self._database.begin() as connection:
            await change_held(connection, run)
            await connection.execute(_ADD, {"run": run.id, "rows": json.dumps(staged)})

    async def unread(
        self, run: MirrorRun, scopes: Sequence[str], absent: Values, *, keys: Sequence[str] | None
    ) -> AsyncGenerator[list[UnreadRow], None]:
        """Yield, in slices, the known rows that were not read and are to be withdrawn.

        Args:
            run: The run.
            scopes: Where.
            absent: What is wanted of them.
            keys: Those that were asked for; None for everything.
        """
        values = {
            **_place(run),
            "scopes": list(scopes),
            "all": keys is None,
            "keys": [folded(plain(key)) for key in keys or ()],
            "fields": list(absent),
            "absent": json.dumps(plain_json(absent)),
            "slice": _SLICE,
        }
        after = ""
        while True:
            async with self._database.connect() as connection:
                found = await connection.execute(_UNREAD, {**values, "after": after})
                rows = [UnreadRow(*row) for row in found]
            if not rows:
                return
            # All scopes of a key in one slice, but where one key alone fills it.
            if len(rows) == _SLICE and rows[0].folded != rows[-1].folded:
                rows = [row for row in rows if row.folded != rows[-1].folded]
            after = rows[-1].folded
            yield rows

    async def renamed(self, run: MirrorRun) -> list[str]:
        """Return how the mirror knows keys that were read in other letters."""
        async with self._database.connect() as connection:
            return list((await connection.execute(_RENAMED, _place(run))).scalars())

    async def is_whole(self, run: MirrorRun) -> bool:
        """Return whether everything is there that a run has read."""
        async with self._database.connect() as connection:
            staged = (await connection.execute(_COUNT, {"run": run.id})).scalar_one()
        return bool(staged >= run.counts.get("left", run.rows_read))

    async def odd(self, run: MirrorRun) -> list[HeldKey]:
        """Return the keys that a run holds."""
        return await self._held(_ODD, {"run": run.id})

    async def newly_odd(self, run: MirrorRun) -> list[HeldKey]:
        """Return those that are not held yet, or for something else that is wrong with them."""
        place = {"run": run.id, "lock": lock_of_keys(run), "unfinished": unfinished()}
        return await self._held(_NEW_ODD, place)

    async def left(self, flow: str, market: str) -> list[int]:
        """Return the planned runs whose held keys nobody has entered yet."""
        async with self._database.connect() as connection:
            found = await connection.execute(_LEFT, {"flow": flow, "market": market})
            return list(found.scalars())

    async def _held(self, statement: Any, values: dict[str, Any]) -> list[HeldKey]:
        async with self._database.connect() as connection:
            found = await connection.execute(statement, values)
            return [HeldKey(key=row.key, **_told(row.odd)) for row in found]

    async def drop(self, run_id: int) -> None:
        """Forget what a run has read."""
        async with self._database.begin() as connection:
            await connection.execute(_DROP, {"run": run_id})


def _place(run: MirrorRun) -> dict[str, Any]:
    return {"run": run.id, "flow": run.flow, "shop": run.shop}


def _good(row: DesiredRow) -> tuple[str, str, str, str | None, str | None]:
    key = plain(row.key)
    return row.scope, folded(key), key, json.dumps(plain_json(row.values)), None


def _odd(row: UnmappedRow) -> tuple[str, str, str, str | None, str | None]:
    key = plain(row.key)
    told = {"field": row.field, "text": row.text, "advice": row.advice, "is_part": row.is_part}
    return "", folded(key), key, None, json.dumps(plain_json(told))


def _told(odd: dict[str, Any]) -> dict[str, Any]:
    """Return what is said of a held key; whether it is held in part is the plan's business."""
    return {name: value for name, value in odd.items() if name != "is_part"}


def _loaded(document: str | None) -> Any:
    return None if document is None else json.loads(document)
