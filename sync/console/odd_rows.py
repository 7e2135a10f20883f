"""Rows that cannot be read: their table, and the command `set-aside`."""

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from pricing_proxy.command_line import Config, fail, output
from sync.console.asking import Yes, agreed
from sync.console.running import By, operator, with_stores
from sync.console.tables import table_of
from sync.console.words import NONE, counted, instant
from sync.serve.stores import Stores
from sync.store.odd_row_record import OddRecord

_SET_ASIDE = "set aside"

Source = Annotated[str, typer.Argument(help="Whose row, as in `failed`.")]
RowId = Annotated[int | None, typer.Argument(help="Its id, as in `failed`.", show_default=False)]


def odd_table(rows: Sequence[OddRecord], *, set_aside: int = 0) -> Table:
    """Return the rows with what is wrong with them; `set_aside` others are counted."""
    table = table_of("Rows that cannot be read; all others go on", "flow", "row")
    for column in ("member", "what is wrong", "since"):
        table.add_column(column, overflow="fold")
    for row in rows:
        shown = (row.source, row.name, row.member or NONE, row.text, instant(row.seen_at))
        table.add_row(*map(Text, shown))
    table.caption = (
        "Mended where they stand, they are entered within the hour. One that stays so: d365-sync "
        "set-aside FLOW ID" + (f". Set aside: {set_aside}" if set_aside else "")
    )
    return table


def set_aside_command(
    source: Source,
    row: RowId = None,
    *,
    member: Annotated[
        str | None,
        typer.Option(help="Instead of one row, all with this member at fault, as in `failed`."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; it is kept with the row.")],
    yes: Yes = False,
    config: Config = None,
    by: By = None,
) -> None:
    """Say of a row that cannot be read that it stays so: nobody is told of it any more.

    When it reads well it is entered all the same, and with another fault it is told again.
    """
    if not reason.strip():
        fail("--reason must say why: it is all that will be known of this row")
    if (row is None) is (member is None):
        fail("Name a row, or --member for all that have the same one at fault")
    if member is not None:
        question = f"Be told no more of any row of {source} with {member} at fault?"
        agreed(question, yes=yes, instead="see them: d365-sync failed")
    who, at_fault = operator(by), "" if member in (None, NONE) else str(member)

    async def set_aside(opened: Stores) -> list[int]:
        ids = await opened.odd_rows.set_aside(
            source, row_id=row, member=at_fault, reason=reason, by=who
        )
        for each in ids:
            subject, after = f"{source} #{each}", {"reason": reason}
            await opened.audit.note(by=who, action=_SET_ASIDE, subject=subject, after=after)
        return ids

    ids = with_stores(config, set_aside)
    if not ids:
        fail(f"No such row of {source} is odd and not set aside; they are in: d365-sync failed")
    output().print(f"{counted(len(ids), 'row')} of {source} set aside.")
