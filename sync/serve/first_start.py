"""Show what a first start would send, before it sends anything.

The first run of a shop counts its orders, in and out of `orders.start_at`, and waits for a
person's yes: a start instant that is wrong by a year must not send a year of orders.
"""

from rich.table import Table
from rich.text import Text

from sync.orders.source import Census
from sync.store.watermarks import Watermarks

_MARK = "first start confirmed"
OTHERS_FROM_BEFORE = """\
Customers come with their next order, login or change; before that, with the accounts of a table
or without: d365-sync map-customers. Credit memos from before: d365-sync export-return."""
"""What is said of what the table does not show."""
# What people still read before they say yes.
_MOST_SHOWN = 50


async def is_confirmed(watermarks: Watermarks) -> bool:
    """Return whether a person has said yes before."""
    return await watermarks.get(_MARK) is not None


async def confirm(watermarks: Watermarks) -> None:
    """Note that a person has said yes."""
    await watermarks.put(_MARK, "yes")


def census_table(census: Census) -> Table:
    """Return what a first start would do with the shop's orders."""
    table = Table(title="Orders of the shop without an ERP number", title_justify="left")
    table.add_column("status")
    table.add_column("will be sent", justify="right")
    table.add_column("too old, stay", justify="right")
    counters = [census.entered, census.left_out]
    if census.undecided:
        table.add_column("not decided, stay", justify="right")
        counters.append(census.undecided)
    for status in sorted({status for counter in counters for status in counter}):
        table.add_row(status, *(str(counter[status]) for counter in counters))
    table.add_section()
    table.add_row("all", *(str(counter.total()) for counter in counters))
    notes = []
    if census.elsewhere:
        notes.append(f"{census.elsewhere} more are of stores that no market names.")
    if census.undecided:
        notes.append(
            f"The numbers of {census.undecided.total()} cannot be compared with orders.start_at: "
            "make it an instant, or send them with d365-sync export."
        )
    table.caption = " ".join(notes)
    return table


def odd_orders(census: Census) -> Table | None:
    """Return the orders that cannot be read, None where all can; they are sent once they can be."""
    if not census.odd:
        return None
    table = Table(title="Orders that cannot be read, and stay", title_justify="left")
    for column in ("order", "what is wrong"):
        table.add_column(column, overflow="fold")
    for row in census.odd[:_MOST_SHOWN]:
        table.add_row(Text(f"{row.number} (#{row.entity_id})".strip()), Text(row.text))
    if len(census.odd) > _MOST_SHOWN:
        table.caption = f"{len(census.odd)} in all"
    return table
