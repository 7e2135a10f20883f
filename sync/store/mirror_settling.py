"""Take rows out of older plans, and settle every run that loses some, whoever takes them.

a run that has left                     is then
rows that may be written                writing
rows that wait for a person             waiting
none, and something came of others      done
none, and nothing came of any           superseded; of a first look that was decided, done
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sync.store.mirror_records import ChangeState, MirrorRun, RunState, RunTrigger
from sync.store.mirror_run_record import mirror_run_of
from sync.store.mirror_runs import end_run
from sync.store.mirror_tables import mirror_run

_RUN = mirror_run.c
_COUNTS = text("SELECT state, count(*) FROM mirror_change WHERE run = :run GROUP BY state")
# Of all that a run has read, changed or not.
_READ = text("""
    UPDATE mirror_change c SET state = 'superseded' FROM mirror_run r
    WHERE r.id = c.run AND r.flow = :flow AND r.shop = :shop AND r.ended_at IS NULL
      AND r.id <> :run AND c.state IN ('planned', 'waiting') AND EXISTS (
        SELECT FROM mirror_staging s WHERE s.run = :run AND s.scope IN (c.scope, '')
           AND s.folded = c.folded AND s.began_at >= c.began_at)
    RETURNING c.run
""")
# Of all that it writes.
_PLANNED = text("""
    UPDATE mirror_change c SET state = 'superseded' FROM mirror_change n, mirror_run r
    WHERE n.run = :run AND n.state = 'planned' AND r.id = c.run AND r.flow = :flow
      AND r.shop = :shop AND c.run <> n.run AND c.scope = n.scope AND c.folded = n.folded
      AND c.state IN ('planned', 'waiting')
    RETURNING c.run
""")
_OLDER_LOOKS = text("""
    UPDATE mirror_change c SET state = 'superseded' FROM mirror_run r
    WHERE r.id = c.run AND r.flow = :flow AND r.market = :market AND r.trigger = 'adopt'
      AND r.id < :run AND r.ended_at IS NULL AND c.state IN ('planned', 'waiting')
""")
_END_OLDER_LOOKS = text("""
    UPDATE mirror_run r SET state = 'superseded', ended_at = clock_timestamp(),
        text = 'run ' || CAST(:run AS bigint) || ' has compared the shop again'
    WHERE r.flow = :flow AND r.market = :market AND r.trigger = 'adopt' AND r.id < :run
      AND r.ended_at IS NULL
""")
_NOTHING_CAME = {ChangeState.PLANNED, ChangeState.WAITING, ChangeState.SUPERSEDED}


async def supersede_read(connection: AsyncConnection, run: MirrorRun) -> None:
    """End older plans for all that a run has read."""
    await _settle(connection, await connection.execute(_READ, _place(run)), run)


async def supersede_planned(connection: AsyncConnection, run: MirrorRun) -> None:
    """End all other plans for what a run is to write."""
    await _settle(connection, await connection.execute(_PLANNED, _place(run)), run)


async def supersede_looks(connection: AsyncConnection, run: MirrorRun) -> None:
    """End the first looks before this one: it has compared everything again."""
    place = {"flow": run.flow, "market": run.market, "run": run.id}
    for statement in (_OLDER_LOOKS, _END_OLDER_LOOKS):
        await connection.execute(statement, place)


async def counts_of(connection: AsyncConnection, run_id: int) -> dict[str, Any]:
    """Return how many rows of a run are in each state."""
    found = dict.fromkeys((state.value for state in ChangeState), 0)
    return found | {row[0]: row[1] for row in await connection.execute(_COUNTS, {"run": run_id})}


def state_after(counts: Mapping[str, int], *, is_decided: bool = False) -> RunState:
    """Return where a run stands whose rows are so.

    Args:
        counts: How many are in each state.
        is_decided: Whether it is a first look of which a person has decided.
    """
    if counts[ChangeState.PLANNED]:
        return RunState.WRITING
    if counts[ChangeState.WAITING]:
        return RunState.WAITING
    came = sum(counts[state] for state in ChangeState if state not in _NOTHING_CAME)
    is_lost = counts[ChangeState.SUPERSEDED] and not came and not is_decided
    return RunState.SUPERSEDED if is_lost else RunState.DONE


async def settle(connection: AsyncConnection, run_id: int, *, why: str = "") -> RunState:
    """Note where a planned run stands by now, and return it.

    Args:
        connection: In a transaction.
        run_id: The run.
        why: What is said of it if nothing of it is left.
    """
    row = await connection.execute(select(mirror_run).where(_RUN.id == run_id).with_for_update())
    run = mirror_run_of(row.mappings().one())
    if run.state not in (RunState.WRITING, RunState.WAITING, RunState.SUPERSEDED):
        return run.state
    is_look = run.trigger is RunTrigger.ADOPT
    if is_look and run.state is RunState.SUPERSEDED:
        return run.state
    counts = await counts_of(connection, run_id)
    state = state_after(counts, is_decided=is_look and run.approved_by is not None)
    if why and state in (RunState.SUPERSEDED, RunState.DONE):
        await connection.execute(update(mirror_run).where(_RUN.id == run_id).values(text=why))
    await end_run(connection, run_id, state, counts)
    return state


async def _settle(connection: AsyncConnection, losers: Iterable[Any], by: MirrorRun) -> None:
    for loser in sorted({row.run for row in losers}):
        await settle(connection, loser, why=f"run {by.id} has its rows now")


def _place(run: MirrorRun) -> dict[str, Any]:
    return {"run": run.id, "flow": run.flow, "shop": run.shop}
