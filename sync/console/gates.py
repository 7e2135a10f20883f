"""See, and end, what throttling has closed: `d365-sync gate`, and a part of `status`.

A gate closes by itself when a system answers 429, and opens by itself ten minutes later at
most. What is shown and said here goes through Redis, to all processes of the sync.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

import typer

from pricing_proxy.clock import SystemClock
from pricing_proxy.command_line import Config, fail
from pricing_proxy.shared_state.gate import (
    SharedGate,
    app_gate,
    closed_gates,
    shop_gate,
    tokens_of,
)
from pricing_proxy.shared_state.maps import SharedStateError
from pricing_proxy.shared_state.opening import redis_client
from sync.console.running import By, carry_out, operator, settings_of
from sync.serve.stores import stores
from sync.settings import SyncSettings

_ALONE = "redis.url is embedded, so each process has gates of its own"

gate_app = typer.Typer(no_args_is_help=True, help="Open what throttling has closed; see status.")


@gate_app.callback()
def gate() -> None:
    """Let calls start again that a system asked us to hold back."""


@gate_app.command("open")
def open_command(
    environment: Annotated[
        str | None, typer.Argument(help="Its name in the configuration.", show_default=False)
    ] = None,
    *,
    token: Annotated[
        bool, typer.Option("--token", help="The gate before Entra ID, instead of the ERP's.")
    ] = False,
    shop: Annotated[bool, typer.Option("--shop", help="The gate before the shop.")] = False,
    by: By = None,
    config: Config = None,
) -> None:
    """Open the gate of the sync's app at an ERP environment, or at the shop, in all processes.

    Calls come back on a ramp. If the system still throttles, its next 429 closes it again.
    Events that wait for the gate come at their own time; replay one to have it come now.
    """
    settings = settings_of(config)
    if shop == (environment is not None) or (shop and token):
        fail("Name an environment, with --token or without, or give --shop.")
    if settings.redis.is_embedded:
        fail(f"Nothing can be said to others: {_ALONE}.")
    name = "shop" if shop else f"{environment}:sync{':tokens' if token else ''}"
    known = gates_of(settings)
    if name not in known:
        names = ", ".join(sorted(settings.environments))
        fail(f"There is no environment {environment}; configured are: {names}.")
    carry_out(_open(settings, name, known[name], by=operator(by)))
    typer.echo(f"{name} is open, in all processes within two seconds.")


def gates_of(settings: SyncSettings) -> Mapping[str, str]:
    """Return the gates of the sync: how they are called, and under which name they are shared."""
    gates = {"shop": shop_gate(settings.sync.magento.url)}
    for name, environment in settings.environments.items():
        app = app_gate(environment.url, "sync")
        gates[f"{name}:sync"] = app
        gates[f"{name}:sync:tokens"] = tokens_of(app)
    return gates


def options_of(name: str) -> str:
    """Return what `gate open` is given to open the gate that is called so."""
    environment, _, rest = name.partition(":")
    if not rest:
        return "--shop"
    return f"{environment} --token" if rest.endswith(":tokens") else environment


async def read_gates(settings: SyncSettings) -> Mapping[str, timedelta] | str:
    """Return for how long each closed gate stays so; a text where nobody can tell."""
    if settings.redis.is_embedded:
        return f"unknown: {_ALONE}"
    gates = gates_of(settings)
    try:
        async with redis_client(settings.redis) as redis:
            closed = await closed_gates(redis, gates.values())
    except SharedStateError as error:
        return f"unknown: Redis does not answer ({error})"
    return {name: closed[shared] for name, shared in gates.items() if shared in closed}


async def _open(settings: SyncSettings, name: str, shared: str, *, by: str) -> None:
    async with stores(settings) as opened, redis_client(settings.redis) as redis:
        try:
            await SharedGate(redis, shared, clock=SystemClock()).open()
        except SharedStateError as error:
            fail(f"Redis does not answer ({error}); nobody was told.")
        await opened.audit.note(by=by, action="open", subject=f"gate {name}", after={})
