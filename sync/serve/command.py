"""The command `d365-sync run`."""

import asyncio
import os
from typing import Annotated

import typer

from pricing_proxy.clock import SystemClock
from pricing_proxy.command_line import Config, fail, output
from pricing_proxy.configuration.proxies import spare_this_machine
from pricing_proxy.diagnosis.rights import Surroundings, warn_of_rights
from pricing_proxy.exit_codes import Exit
from pricing_proxy.shared_state.shop_claim import require_own_shop
from pricing_proxy.telemetry import logs
from sync.console.running import carry_out, settings_of
from sync.orders.building import order_source
from sync.serve.building import given_of
from sync.serve.first_start import (
    OTHERS_FROM_BEFORE,
    census_table,
    confirm,
    is_confirmed,
    odd_orders,
)
from sync.serve.postgres import open_store, require_direct
from sync.serve.run import run
from sync.serve.stores import stores
from sync.serve.systems import read_from, systems
from sync.settings import SyncSettings


def run_command(
    *,
    config: Config = None,
    yes: Annotated[
        bool,
        typer.Option("--yes", help="At the first start: send what the table says, unasked."),
    ] = False,
    migrate: Annotated[
        bool,
        typer.Option(
            "--migrate",
            help="Bring the schema up to date first, also where sync.postgres.migrate is false.",
        ),
    ] = False,
) -> None:
    """Carry documents over until Ctrl-C or SIGTERM.

    The first start of a shop counts its orders in and out of `orders.start_at`, and sends
    none before somebody said yes; without it the exit code is 3.
    """
    settings = settings_of(config)
    if migrate:
        settings = _migrating(settings)
    # Before the first alert is sent.
    spare_this_machine(os.environ)
    logs.set_up(level=settings.telemetry.log_level, style=settings.telemetry.log_format)
    warn_of_rights(Surroundings.here())
    if not carry_out(_confirmed_run(settings, is_agreed=yes)):
        fail("Nothing was sent. Say yes with: d365-sync run --yes", Exit.UNCONFIRMED)


def _migrating(settings: SyncSettings) -> SyncSettings:
    postgres = settings.sync.postgres.model_copy(update={"migrate": True})
    sync = settings.sync.model_copy(update={"postgres": postgres})
    return settings.model_copy(update={"sync": sync})


async def _confirmed_run(settings: SyncSettings, *, is_agreed: bool) -> bool:
    """Run when somebody has said yes; return whether."""
    await require_own_shop(settings.redis, read_from(settings), settings.sync.magento.url)
    await require_direct(settings.sync.postgres)
    # Open over both: an embedded server that is ours must not end in between, under others.
    async with open_store(settings.sync.postgres):
        if not await _may_start(settings, is_agreed=is_agreed):
            return False
        await run(settings, clock=SystemClock())
        return True


async def _may_start(settings: SyncSettings, *, is_agreed: bool) -> bool:
    clock = SystemClock()
    async with stores(settings) as opened:
        if await is_confirmed(opened.watermarks):
            return True
        async with systems(settings, clock=clock) as ways:
            source = order_source(given_of(settings, opened, ways, clock=clock))
            census = await source.census()
        output().print(census_table(census))
        if (odd := odd_orders(census)) is not None:
            output().print(odd)
        output().print(OTHERS_FROM_BEFORE)
        if is_agreed or await asyncio.to_thread(_is_yes):
            await confirm(opened.watermarks)
            return True
    return False


def _is_yes() -> bool:
    try:
        return typer.confirm("Send these now, and every new order from now on?")
    except typer.Abort:
        return False
