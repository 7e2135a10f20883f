"""Commands about runs from the ERP to the shop: `runs`, and `show`, `approve`, `reject`, `undo`."""

from typing import Annotated, Literal

import typer
from rich.text import Text

from pricing_proxy.clock import SystemClock
from pricing_proxy.command_line import Config, Json, fail, output
from sync.console.asking import Yes, agreed
from sync.console.plain import show
from sync.console.run_risks import RunStakes, question_of, read_stakes, stakes_tables
from sync.console.run_tables import next_step, progress, rotation_text, runs_table, story_tables
from sync.console.run_view import RunLine, RunStory, read_lines, read_story
from sync.console.running import By, operator, settings_of, with_stores
from sync.console.words import counted
from sync.flows import is_undoable
from sync.mirror.chunk_events import ChunkEvents
from sync.serve.mirror_state import rotations
from sync.serve.stores import Stores
from sync.store.lines import Urgency
from sync.store.mirror_records import ChangeState, MirrorRun, RunState
from sync.store.mirror_views import WholeRead

RunNumber = Annotated[int, typer.Argument(metavar="RUN", help="Its number, as in `runs`.")]

runs_app = typer.Typer(
    invoke_without_command=True,
    help="See what was read from the ERP and written to the shop; approve what waits, undo.",
)


_Adopting = Annotated[
    str | None,
    typer.Option(
        metavar="keep|overwrite",
        help="Of a first look at the shop: keep what it has until the ERP says something new, "
        "or overwrite it now.",
        show_default=False,
    ),
]


_WHAT = {
    None: "Write",
    "keep": "Leave as the shop has it, until the ERP says something new,",
    "overwrite": "Overwrite with what the ERP says",
}


@runs_app.callback()
def runs_command(
    context: typer.Context,
    *,
    flow: Annotated[str | None, typer.Option(help="Only this flow's.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show so many.")] = 20,
    config: Config = None,
    json_output: Json = False,
) -> None:
    """List runs, the newest first: each is one read of the ERP and what came of it.

    A run reads, plans the difference to what the shop was last known to have, and writes it in
    chunks. `waiting` ones need a person: too much would change at once, or the shop is looked at
    for the first time. See one with: d365-sync runs show RUN
    """
    if context.invoked_subcommand is not None:
        return
    now = SystemClock().utc()

    async def read(opened: Stores) -> tuple[list[RunLine], list[WholeRead]]:
        views = opened.mirrors.views
        newest = await views.newest(flow=flow, most=limit)
        return await read_lines(views, newest, now=now), await views.whole_reads()

    lines, whole = with_stores(config, read)
    turns = [
        rotation_text(each, now=now)
        for each in rotations(settings_of(config).sync, whole)
        if flow in (None, each.flow)
    ]
    show(lines, [runs_table(lines, now=now), *map(Text, turns)], json_output=json_output)


@runs_app.command("show")
def show_command(
    run: RunNumber,
    *,
    state: Annotated[
        ChangeState | None, typer.Option(help="Only rows in this state.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show so many rows.")] = 20,
    config: Config = None,
    json_output: Json = False,
) -> None:
    """Show one run: what it changes by field, what is dangerous of it, what was edited, rows."""

    async def read(opened: Stores) -> RunStory | None:
        views, now = opened.mirrors.views, SystemClock().utc()
        found = await opened.mirrors.run(run)
        if found is None:
            return None
        return await read_story(views, found, now=now, state=state, most=limit)

    story = with_stores(config, read)
    if story is None:
        fail(f"There is no run {run}; the numbers are in: d365-sync runs")
    its = story.line.run
    said = (progress(story.line), its.text, next_step(its))
    texts = [Text(each) for each in said if each]
    show(story, [*story_tables(story), *texts], json_output=json_output)


@runs_app.command("approve")
def approve_command(
    run: RunNumber,
    *,
    adopt: _Adopting = None,
    field: Annotated[
        str | None, typer.Option(help="With --adopt: only this field.", show_default=False)
    ] = None,
    risk: Annotated[
        str | None,
        typer.Option(help="Only rows that wait for this class of danger.", show_default=False),
    ] = None,
    yes: Yes = False,
    config: Config = None,
    by: By = None,
) -> None:
    """Have what waits of a run written, once you have seen it: d365-sync runs show RUN.

    It says what that does, how many rows are in which danger and where numbers change most, and
    asks. An approval is good for these rows while they go the same way: one that is planned again
    before it is written waits no more. New rows are judged by themselves. A first look at the
    shop (`adopt`) is decided field by field or as a whole; it never makes or disables products.
    """
    if adopt not in (None, "keep", "overwrite"):
        fail("--adopt is keep or overwrite")
    if field is not None and adopt is None:
        fail("--field belongs to --adopt keep or --adopt overwrite; for others there is --risk")

    asked = _WHAT[adopt] + ("" if field is None else f" in {field}")
    _ask(config, run, asked, state=ChangeState.WAITING, risk=risk, field=field, yes=yes)
    rows = with_stores(
        config,
        lambda opened: _approve(opened, run, adopt, field=field, risk=risk, by=operator(by)),
    )
    output().print(
        f"{counted(rows, 'row')} of run {run} approved. Follow it with: d365-sync runs show {run}"
    )


@runs_app.command("reject")
def reject_command(
    run: RunNumber, *, yes: Yes = False, config: Config = None, by: By = None
) -> None:
    """Give up what waits of a run; the next whole read plans what differs then.

    To have it never planned again, mend the ERP, or set the field's policy to "keep".
    """
    _ask(config, run, "Give up", state=ChangeState.WAITING, yes=yes)
    rows = with_stores(config, lambda opened: opened.mirrors.decisions.reject(run, by=operator(by)))
    output().print(f"{counted(rows, 'row')} of run {run} given up.")


@runs_app.command("undo")
def undo_command(run: RunNumber, *, yes: Yes = False, config: Config = None, by: By = None) -> None:
    """Write back what the shop had before a run, where nobody has written since.

    What somebody has changed since stays and is listed, and so does what the run has made. The
    ERP still says what it said: mend it first, or pause the flow, or the next whole read plans
    the same again. Stock is not taken back but read again: d365-sync resync stock
    """
    _ask(config, run, "Write back", state=ChangeState.WRITTEN, yes=yes, is_back=True)
    undone = with_stores(config, lambda opened: _undo(opened, run, by=operator(by)))
    kept = undone.counts.get(ChangeState.KEPT, 0)
    left = f"; {counted(kept, 'row')} stay as they are" if kept else ""
    output().print(
        f"Run {undone.id} takes run {run} back{left}. See both with: "
        f"d365-sync runs show {undone.id}"
    )


def _ask(
    config: Config,
    run: int,
    what: str,
    *,
    state: ChangeState,
    yes: bool,
    risk: str | None = None,
    field: str | None = None,
    is_back: bool = False,
) -> None:
    """Show what hangs on a decision, and ask; of nothing to decide the decision itself tells."""

    async def read(opened: Stores) -> RunStakes | None:
        found = await opened.mirrors.run(run)
        if found is None:
            return None
        views = opened.mirrors.views
        return await read_stakes(views, found, state=state, risk=risk, field=field)

    stakes = with_stores(config, read)
    if stakes is None or not stakes.rows:
        return
    for table in stakes_tables(stakes, is_back=is_back):
        output().print(table)
    agreed(question_of(stakes, what), yes=yes, instead=f"see its rows: d365-sync runs show {run}")


async def _approve(
    opened: Stores, run: int, adopt: str | None, *, field: str | None, risk: str | None, by: str
) -> int:
    """Have rows of a run written; return how many were decided on."""
    decisions = opened.mirrors.decisions
    if adopt is None:
        rows = await decisions.approve(run, by=by, risk=risk)
    else:
        how: Literal["keep", "overwrite"] = "keep" if adopt == "keep" else "overwrite"
        rows = await decisions.adopt(run, by=by, how=how, field=field)
    await _enter(opened, await opened.mirrors.run(run))
    return rows


async def _undo(opened: Stores, run: int, *, by: str) -> MirrorRun:
    found = await opened.mirrors.run(run)
    if found is not None and not is_undoable(found.flow):
        fail(f"{found.flow} is not taken back; read it again: d365-sync resync {found.flow}")
    undone = await opened.mirrors.undo.plan(run, by=by, at=SystemClock().utc())
    await _enter(opened, undone)
    return undone


async def _enter(opened: Stores, run: MirrorRun | None) -> None:
    """Have a run's rows written that may be."""
    if run is not None and run.state is RunState.WRITING:
        entries = ChunkEvents(opened.events, opened.mirrors.held)
        await entries.enter_first(run.id, run, Urgency.FRESH)
