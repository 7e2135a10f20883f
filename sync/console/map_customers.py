"""The command `map-customers`: existing customers get their accounts before they order."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress
from rich.text import Text

from pricing_proxy.clock import SystemClock
from pricing_proxy.command_line import Config, errors, fail, output
from sync.console.account_file import read_account_file
from sync.console.customer_map import CustomerMap, Fate, Planned, Wanted, counted_by_fate
from sync.console.link_case import LinkCases
from sync.console.running import By, carry_out, operator, settings_of
from sync.console.tables import table_of
from sync.console.words import counted
from sync.customers.rules import FLOW
from sync.serve.building import given_of
from sync.serve.stores import stores
from sync.serve.systems import systems
from sync.settings import SyncSettings

_SHOWN = 20
_MARKET = "The market's code."
_FILE = "A CSV table with the columns customer (the shop's id) and account (the ERP's)."
_SOME = "Only this customer, by the shop's id, whatever it has; may be given again."


def map_customers_command(
    market: Annotated[str, typer.Argument(help=_MARKET)],
    file: Annotated[Path | None, typer.Argument(help=_FILE, show_default=False)] = None,
    *,
    customer: Annotated[list[int] | None, typer.Option(help=_SOME, show_default=False)] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Tell what would be done, only.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it unasked.")] = False,
    reason: Annotated[str, typer.Option(help="Why, for the audit.")] = "",
    config: Config = None,
    by: By = None,
) -> None:
    """Bring existing customers over, before they order or log in.

    With a FILE, each customer in it is linked to the account beside it, as `link` does one by
    one: for the start of a shop whose customers are in the ERP already. Several customers may
    have one account. Without a FILE, every customer of the website who has no account is put in
    line: an account is found, or made where customers.create says so; what a person must decide
    is held (see `failed`). --customer brings one over again, as after a message in `status`.

    A FILE begins with the line customer,account; below it are lines such as 7,C-1001. See first
    what would be done: d365-sync map-customers b2b_de accounts.csv --plan

    Nothing is changed before you say yes; a row that is wrong is told and costs no other. Exit
    code 1: some were left alone because something is wrong with them.
    """
    settings, who = settings_of(config), operator(by)
    _check(settings, market, file, customer)
    wanted, mistakes = _wanted(file, customer)
    planned = carry_out(_plan(settings, market, wanted))
    _show(market, planned, mistakes)
    doing = [each for each in planned if each.fate in (Fate.LINK, Fate.ENTER)]
    if doing and not plan:
        if not yes and not typer.confirm(f"Do this with {counted(len(doing), 'customer')}?"):
            fail("Nothing was changed.")
        failed = carry_out(_do(settings, market, doing, by=who, reason=reason))
        _list(failed, style="red")
        mistakes = [*mistakes, *failed]
        output().print("Done. d365-sync run goes on with them; see d365-sync status and failed.")
    if mistakes or any(each.fate is Fate.WRONG for each in planned):
        fail("Some are left alone: correct what is said of them, then run this again.")


def _check(
    settings: SyncSettings, market: str, file: Path | None, customer: list[int] | None
) -> None:
    if market not in settings.sync.markets:
        fail(f"There is no market {market}; there are {', '.join(sorted(settings.sync.markets))}")
    if FLOW not in settings.sync.markets[market].flows:
        fail(f"Customers are off for it: add them to sync.markets.{market}.flows")
    if file is not None and customer:
        fail("Name a FILE, or customers with --customer, not both")


def _wanted(file: Path | None, customer: list[int] | None) -> tuple[Wanted, Sequence[str]]:
    """Return who is meant, and what is wrong with the file."""
    if file is None:
        return customer or None, ()
    try:
        return read_account_file(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read as UTF-8: {error}")


def _show(market: str, planned: Sequence[Planned], mistakes: Sequence[str]) -> None:
    table = table_of(f"Customers of {market}", "what becomes of them")
    table.add_column("customers", justify="right")
    for fate, count in counted_by_fate(planned).items():
        table.add_row(Text(fate.value), str(count))
    output().print(table)
    shared = [each for each in planned if each.chosen is not None and each.chosen.owners]
    wrong = [f"customer {each.customer_id}: {each.text}" for each in planned if each.text]
    also = [
        f"account {each.chosen.account} of customer {each.customer_id} is also "
        f"{', '.join(map(str, each.chosen.owners))}'s"
        for each in shared
        if each.chosen is not None
    ]
    _list([*mistakes, *wrong], style="red")
    _list(also, style="yellow")


def _list(texts: Sequence[str], *, style: str) -> None:
    for text in texts[:_SHOWN]:
        output().print(Text(text, style=style))
    if len(texts) > _SHOWN:
        output().print(f"… and {len(texts) - _SHOWN} more")


async def _plan(settings: SyncSettings, market: str, wanted: Wanted) -> list[Planned]:
    async with _opened(settings, market) as customers:
        with _bar("Looking at customers", await customers.count(wanted)) as done:
            return await customers.plan(wanted, done)


async def _do(
    settings: SyncSettings, market: str, planned: Sequence[Planned], *, by: str, reason: str
) -> list[str]:
    async with _opened(settings, market) as customers:
        with _bar("Bringing customers over", len(planned)) as done:
            return await customers.carry_out(planned, done, by=by, reason=reason)


@asynccontextmanager
async def _opened(settings: SyncSettings, market: str) -> AsyncIterator[CustomerMap]:
    clock = SystemClock()
    async with stores(settings) as opened, systems(settings, clock=clock) as ways:
        yield CustomerMap(
            market,
            given=given_of(settings, opened, ways, clock=clock),
            opened=opened,
            cases=LinkCases(settings, opened, ways, clock=clock),
        )


@contextmanager
def _bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    with Progress(console=errors(), transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)
