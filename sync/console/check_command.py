"""The command `check`: what works between this machine and every system; writes nothing."""

from collections.abc import Iterator, Mapping, Sequence

import typer
from rich.table import Table
from rich.text import Text

from pricing_proxy.clock import SystemClock
from pricing_proxy.d365.fo.document_contracts import (
    customer_contracts,
    order_contracts,
    return_contracts,
)
from pricing_proxy.d365.fo.schema_contract import EntityContract
from sync.bootstrap import systems
from sync.check.erp import erp_rows
from sync.check.kept import postgres_rows, redis_row
from sync.check.rows import CheckRow, State
from sync.check.shop import shop_rows
from sync.console.plain import as_json
from sync.console.running import FAILED, Config, Json, carry_out, output, settings_of
from sync.console.tables import table_of
from sync.settings import SyncMarket, SyncSettings

_STYLES = {State.OK: "green", State.FAILED: "bold red", State.SKIPPED: "yellow"}


def check_command(*, config: Config = None, json_output: Json = False) -> None:
    """Show what works between this machine, the shop, the ERP, Redis and PostgreSQL.

    Writes nothing. Exit code 0: all works. 1: something does not, and its row names the
    next step. 2: the configuration has mistakes.
    """
    found = carry_out(_rows(settings_of(config)))
    is_ok = all(row.state is not State.FAILED for rows in found.values() for row in rows)
    if json_output:
        typer.echo(as_json({"ok": is_ok, "tables": found}))
    else:
        console = output()
        for title, rows in found.items():
            console.print(_table(title, rows))
    raise typer.Exit(0 if is_ok else FAILED)


async def _rows(settings: SyncSettings) -> Mapping[str, Sequence[CheckRow]]:
    clock = SystemClock()
    found: dict[str, Sequence[CheckRow]] = {}
    found["What the sync keeps"] = await postgres_rows(settings.sync.postgres)
    async with systems(settings, clock=clock) as ways:
        found["Shared with the price service"] = [await redis_row(settings.redis, ways.redis)]
        found["Shop"] = await shop_rows(ways.shop)
        for code, own in settings.sync.markets.items():
            market = settings.markets[code]
            found[f"ERP of {code}"] = await erp_rows(
                ways.erps[market.environment],
                company=market.legal_entity,
                contracts=list(_contracts(own)),
                clock=clock,
            )
    return found


def _contracts(market: SyncMarket) -> Iterator[EntityContract]:
    """Yield what the market's flows rely on."""
    field = market.orders.reference_field
    if "orders" in market.flows or "returns" in market.flows:
        yield from order_contracts(reference_field=field)
    if "customers" in market.flows:
        yield from customer_contracts(always_sent=("CustomerGroupId", "SalesCurrencyCode"))
    if "returns" in market.flows:
        yield from return_contracts(reference_field=field)


def _table(title: str, rows: Sequence[CheckRow]) -> Table:
    table = table_of(title, "what", "state", "found", "next step")
    for row in rows:
        # As `Text`, because what other systems say may hold rich's own markup.
        state = Text(row.state.value, style=_STYLES[row.state])
        table.add_row(row.name, state, Text(row.found), Text(row.next_step))
    return table
