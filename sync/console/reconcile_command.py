"""The command `reconcile`: compare shop and ERP, say why they differ, and heal within limits."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from pricing_proxy.clock import SystemClock
from pricing_proxy.command_line import Config, Json, errors, fail
from sync.console.plain import show
from sync.console.reconcile_page import drawn
from sync.console.reconcile_tables import report_table
from sync.console.running import carry_out, settings_of
from sync.flows import FLOWS
from sync.given import Given
from sync.reconciliation.comparing import DriftReport
from sync.reconciliation.healing import Reconciled
from sync.reconciling import reconciling_of
from sync.serve.building import given_of
from sync.serve.stores import stores
from sync.serve.systems import systems
from sync.settings import SyncSettings

KINDS = ("orders", "stock", "products", "prices", "status", "invoices")

Kind = Annotated[str, typer.Argument(help=f"One of: {', '.join(KINDS)}.")]
Plan = Annotated[
    bool, typer.Option("--plan", help="Only compare: nothing is healed, kept or told.")
]
Html = Annotated[
    Path | None,
    typer.Option(
        "--html",
        metavar="FILE",
        help="Also write one page that opens in any browser and needs nothing else.",
        show_default=False,
    ),
]


def reconcile_command(
    kind: Kind,
    *,
    market: Annotated[
        str | None, typer.Option(help="Only this market; all of them when left out.")
    ] = None,
    plan: Plan = False,
    html: Html = None,
    config: Config = None,
    json_output: Json = False,
) -> None:
    """Compare the shop with the ERP, and say of each difference why; heal what may be healed.

    orders: each order of the last day is in the ERP once, or is a record that somebody sees.
    stock: each source and what may be sold, by what the ERP has on hand now. products: all that
    the ERP owns of them; prices: some of them, drawn anew each time. status: what the ERP
    delivered more than an hour ago is in the shop.

    The running program does the same by the clock. The exit code is 1 where a difference is
    significant: one without a cause, a wrong unit, or many at once.
    """
    if kind not in KINDS:
        fail(f"there is no {kind} to reconcile; there are {', '.join(KINDS)}")
    settings = settings_of(config)
    reports = carry_out(_reports(settings, kind, market, is_plan=plan))
    if html is not None:
        _write(html, drawn(reports))
    show(reports, [report_table(each) for each in reports], json_output=json_output)
    if any(report.is_significant for report in reports):
        raise typer.Exit(1)


def _write(file: Path, page: str) -> None:
    try:
        file.write_text(page, encoding="utf-8")
    except OSError as error:
        fail(f"the page cannot be written to {file}: {error.strerror}")
    errors().print(Text(f"The page is {file}."))


async def _reports(
    settings: SyncSettings, kind: str, market: str | None, *, is_plan: bool
) -> Sequence[DriftReport]:
    clock = SystemClock()
    async with stores(settings) as opened, systems(settings, clock=clock) as ways:
        given = given_of(settings, opened, ways, clock=clock)
        reconciling = reconciling_of(given, opened.reconciliations)
        return [
            await reconciling.reconcile(each, is_plan=is_plan)
            for each in await _chosen(given, kind, market)
        ]


async def _chosen(given: Given, kind: str, market: str | None) -> Sequence[Reconciled]:
    of_kind = [
        each for flow in FLOWS for each in flow.reconciles(given) if each.comparison.kind == kind
    ]
    on = [each for each in of_kind if market in (None, each.comparison.market)]
    if not on:
        where = "no market" if market is None else market
        fail(f"{kind} is on for {where}: see sync.markets.MARKET.flows")
    ready = [each for each in on if await each.is_ready()]
    if not ready:
        fail(f"the shop is not adopted yet, so nothing is known of {kind}: see d365-sync runs")
    return ready
