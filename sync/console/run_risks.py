"""What a decision on a run will do, for whoever is asked: how much, of which kinds, how far."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rich.table import Table
from rich.text import Text

from sync.console.tables import table_of
from sync.console.words import NONE, counted
from sync.store.mirror_records import ChangeState, MirrorRun
from sync.store.mirror_views import FieldCount, Jump, MirrorViews, RiskCount

# What each class of danger means for who buys, by its name and direction.
_MEANS: Mapping[str, str] = {
    "repriced/up": "customers pay more than now",
    "repriced/down": "customers pay less than now",
    "price to zero/down": "customers pay nothing for it",
    "withdrawn/down": "nobody can buy it any more",
    "lowered/down": "fewer are for sale than now",
    "emptied/down": "none is for sale any more",
}
_MOST_JUMPS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStakes:
    """What hangs on a decision.

    Attributes:
        rows: How many rows are decided on.
        fields: In how many of them each field changes.
        risks: How many of them are in each class of danger.
        jumps: Those whose numbers change most.
    """

    run: MirrorRun
    rows: int
    fields: Sequence[FieldCount]
    risks: Sequence[RiskCount]
    jumps: Sequence[Jump]


async def read_stakes(
    views: MirrorViews,
    run: MirrorRun,
    *,
    state: ChangeState,
    risk: str | None = None,
    field: str | None = None,
) -> RunStakes:
    """Return what hangs on a decision on the rows of a run that are in a state.

    Args:
        views: What is kept of runs.
        run: The run.
        state: Which rows are decided on.
        risk: Only those in this class; None for all.
        field: Only this field of them; None for all.
    """
    fields = [
        each
        for each in await views.fields(run.id)
        if each.state == state and field in (None, each.field)
    ]
    jumps = await views.jumps(run.id, state=state, risk=risk, field=field, most=_MOST_JUMPS)
    of_field = sum(each.rows for each in fields)
    rows = of_field if field is not None else await views.count(run.id, state=state, risk=risk)
    return RunStakes(
        run=run,
        rows=rows,
        fields=fields,
        risks=[
            each
            for each in await views.risks(run.id)
            if each.state == state and risk in (None, each.risk)
        ],
        jumps=jumps,
    )


def stakes_tables(stakes: RunStakes, *, is_back: bool = False) -> Iterator[Table | Text]:
    """Yield what hangs on a decision, the dangers in words first.

    Args:
        stakes: It.
        is_back: Whether the rows are taken back: from what was wanted to what was there.
    """
    if stakes.risks and not is_back:
        yield _dangers(stakes)
    elif stakes.fields:
        yield _fields(stakes)
    if stakes.jumps:
        yield _jumps(stakes, is_back=is_back)


def question_of(stakes: RunStakes, what: str) -> str:
    """Return what somebody is asked, such as "Write 7 rows of run 3 (products of b2b_de)?"."""
    run = stakes.run
    return f"{what} {counted(stakes.rows, 'row')} of run {run.id} ({run.flow} of {run.market})?"


def _dangers(stakes: RunStakes) -> Table:
    table = table_of("What waits because it may be a mistake", "class", "what it means", "why")
    table.add_column("rows", justify="right")
    words = {"over": "too many within 24 hours", "alone": "the row moves too far"}
    for each in stakes.risks:
        means = _MEANS.get(f"{each.risk}/{each.direction}", f"it goes {each.direction}")
        why = words.get(each.why, each.why or NONE)
        table.add_row(Text(each.risk), Text(means), Text(why), f"{each.rows:,}")
    return table


def _fields(stakes: RunStakes) -> Table:
    table = table_of("What changes", "field")
    table.add_column("rows", justify="right")
    for each in stakes.fields:
        table.add_row(Text(each.field), f"{each.rows:,}")
    return table


def _jumps(stakes: RunStakes, *, is_back: bool) -> Table:
    table = table_of("The largest changes", "key", "scope", "field")
    for column in ("in the shop", "then", "change"):
        table.add_column(column, justify="right")
    for each in stakes.jumps:
        old, new = (each.new, each.old) if is_back else (each.old, each.new)
        table.add_row(*map(Text, (each.key, each.scope, each.field, *_shown(old, new))))
    table.caption = f"{counted(len(stakes.jumps), 'row')} of {stakes.rows:,}"
    return table


def _shown(old: Decimal, new: Decimal) -> tuple[Any, ...]:
    change = "from nothing" if not old else f"{(new - old) * 100 / abs(old):+.0f} %"
    return f"{old.normalize():f}", f"{new.normalize():f}", change
