"""What the ERP says minus what is known: one statement, however large the catalog.

Which of two reads is newer is told by when they read a row, not by the number of their runs: a
full read that lasted an hour knows less of a row than what was asked for meanwhile.

    the row was written or looked at after it was read    nothing is planned of it
    an older plan for it is not written yet               it is superseded; where that wanted
        something else it may be on its way right now, so the row is written whatever is known
    the shop refused a field of it before                 that stays with its held event; what the
                                                          shop does not have, as a whole
    a person let a field be at the adoption               not even a forced key brings it back: it
        waits for the ERP to say something new, or for a read that is forced as a whole
"""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sync.store.mirror_held import HELD_FIELDS, unfinished
from sync.store.mirror_records import MirrorRun

_ADVICE = "give one of them another number in the ERP, or take it out of sale"
# Of several rows of the ERP that are one to the shop none is right.
_MEETING = text("""
    INSERT INTO mirror_staging (run, scope, folded, key, odd, began_at, ended_at)
    SELECT :run, '', met.folded, met.keys[1], jsonb_build_object(
        'field', 'key', 'advice', CAST(:advice AS text), 'meets', to_jsonb(met.keys[2:]),
        'text', 'is one to the shop with ' || array_to_string(met.keys[2:], ', ')), at, at
    FROM (SELECT folded, array_agg(DISTINCT key) AS keys, max(began_at) AS at
          FROM mirror_staging WHERE run = :run
          GROUP BY folded HAVING min(key) <> max(key)) AS met
""")
_DOUBLED = text("""
    INSERT INTO mirror_staging (run, scope, folded, key, odd, began_at, ended_at)
    SELECT DISTINCT ON (folded) :run, '', folded, min(key), jsonb_build_object(
        'field', 'key', 'advice', CAST(:advice AS text), 'meets', '[]'::jsonb,
        'text', 'is there several times, and not always the same'), min(began_at), min(ended_at)
    FROM mirror_staging WHERE run = :run AND scope <> ''
    GROUP BY folded, scope
    HAVING count(*) > 1 AND min(key) = max(key) AND min(values::text) <> max(values::text)
""")
_READ_TWICE = text("""
    DELETE FROM mirror_staging s USING (
        SELECT scope, folded, min(ctid) AS first FROM mirror_staging
        WHERE run = :run AND scope <> '' GROUP BY scope, folded HAVING count(*) > 1) AS twice
    WHERE s.run = :run AND s.scope = twice.scope AND s.folded = twice.folded
      AND s.ctid <> twice.first
""")
# Plans of other runs that are not written, or not all.
_OPEN = """
    open AS MATERIALIZED (
        SELECT c.run, c.scope, c.folded, c.wanted, c.state, c.began_at
        FROM mirror_change c JOIN mirror_run r ON r.id = c.run
        WHERE r.flow = :flow AND r.shop = :shop AND r.ended_at IS NULL AND r.id <> :run
          AND c.state IN ('planned', 'waiting'))
"""
_DIFFERENCE = text(f"""
    WITH {_OPEN}, {HELD_FIELDS}, moving AS MATERIALIZED (
        SELECT DISTINCT ON (scope, folded) scope, folded, wanted FROM open
        WHERE state = 'planned' ORDER BY scope, folded, run DESC
    ), forced AS MATERIALIZED (
        SELECT folded FROM mirror_wanted WHERE flow = :flow AND market = :market AND is_forced
           AND wished_at <= :began_at AND due_at <= :began_at)
    INSERT INTO mirror_change
        (run, scope, folded, key, wanted, known, shop_id, state, began_at, ended_at)
    SELECT :run, s.scope, s.folded, s.key, d.wanted, m.values, m.shop_id, 'planned',
           s.began_at, s.ended_at
    FROM mirror_staging s
    LEFT JOIN mirror_row m
        ON m.flow = :flow AND m.shop = :shop AND m.scope = s.scope AND m.folded = s.folded
    LEFT JOIN moving p ON p.scope = s.scope AND p.folded = s.folded
    LEFT JOIN forced w ON w.folded = s.folded
    LEFT JOIN held h ON h.scope = s.scope AND h.folded = s.folded AND NOT :is_alone
    CROSS JOIN LATERAL (
        SELECT jsonb_object_agg(f.key, f.value) AS wanted FROM jsonb_each(s.values) f
        WHERE (h.fields IS NULL OR f.key <> ALL(h.fields)) AND (
              :is_forced OR (w.folded IS NOT NULL AND f.key <> ALL(m.stays)) OR m.values IS NULL
              OR m.values -> f.key IS DISTINCT FROM f.value
              OR (p.wanted ? f.key AND p.wanted -> f.key IS DISTINCT FROM f.value))) AS d
    WHERE s.run = :run AND s.scope <> ''
      AND (:is_forced OR w.folded IS NOT NULL OR m.values IS NULL OR p.folded IS NOT NULL
           OR m.values || s.values <> m.values)
      AND d.wanted IS NOT NULL
      AND (m.read_at IS NULL OR m.read_at <= s.began_at)
      AND NOT EXISTS (SELECT FROM mirror_staging o
                      WHERE o.run = :run AND o.scope = '' AND o.folded = s.folded
                        AND o.odd ->> 'is_part' IS DISTINCT FROM 'true')
      AND NOT EXISTS (SELECT FROM open o WHERE o.scope = s.scope AND o.folded = s.folded
                      AND o.began_at > s.began_at)
      AND (m.values IS NOT NULL OR h.fields IS NULL)
""")  # noqa: S608 -- pieces of our own
_LOOKED_AT = text("""
    UPDATE mirror_row m SET read_at = s.began_at FROM mirror_staging s
    WHERE s.run = :run AND m.flow = :flow AND m.shop = :shop AND m.scope = s.scope
      AND m.folded = s.folded AND m.read_at < s.began_at
""")


def lock_of_keys(run: MirrorRun) -> str:
    """Return how the locks of a flow's held keys begin."""
    return f"mirror/{run.flow}/{run.shop}/"


async def hold_meeting_keys(connection: AsyncConnection, run: MirrorRun) -> None:
    """Hold the rows of the ERP of which several are one to the shop."""
    for statement in (_MEETING, _DOUBLED):
        await connection.execute(statement, {"run": run.id, "advice": _ADVICE})
    await connection.execute(_READ_TWICE, {"run": run.id})


async def plan_difference(connection: AsyncConnection, run: MirrorRun, *, is_alone: bool) -> None:
    """Enter what is to change.

    Args:
        connection: In a transaction that nobody else plans in.
        run: The run.
        is_alone: Whether it is the second look at what is held.
    """
    values = {**_values(run), "market": run.market, "is_forced": run.is_forced}
    values |= {"began_at": run.began_at, "is_alone": is_alone}
    await connection.execute(_DIFFERENCE, values)


async def note_looks(connection: AsyncConnection, run: MirrorRun) -> None:
    """Note of rows that were looked at by themselves when that was."""
    values = {"run": run.id, "flow": run.flow, "shop": run.shop}
    await connection.execute(_LOOKED_AT, values)


def _values(run: MirrorRun) -> dict[str, Any]:
    return {
        "run": run.id,
        "flow": run.flow,
        "shop": run.shop,
        "lock": lock_of_keys(run),
        "unfinished": unfinished(),
    }
