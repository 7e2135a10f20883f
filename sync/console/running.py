"""Run one command: its settings, its work, and how each failure is told."""

import getpass
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
import uvloop
from sqlalchemy.exc import SQLAlchemyError

from pricing_proxy import command_line
from pricing_proxy.command_line import fail
from pricing_proxy.exit_codes import Exit
from pricing_proxy.listening.listener import ListenError
from pricing_proxy.resilience.errors import UpstreamError
from pricing_proxy.shared_state.shop_claim import OtherShopError
from sync.engine.database_health import is_of_document, words_of
from sync.serve.postgres import StoreError
from sync.serve.stores import Stores, stores
from sync.settings import SyncSettings, load
from sync.store.interventions import InterventionError
from sync.store.mirror_run_record import RunDecisionError

T = TypeVar("T")

By = Annotated[
    str | None,
    typer.Option("--by", help="Who does this, for the audit; else your user name here."),
]


def settings_of(config: Path | None) -> SyncSettings:
    """Return the settings; end the command with all mistakes when there are any."""
    return command_line.settings_of(load, config)


def carry_out(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work; end the command with a message when it cannot be done."""
    try:
        return uvloop.run(work)
    except (StoreError, InterventionError, RunDecisionError) as error:
        fail(str(error))
    except (ListenError, OtherShopError) as error:
        fail(str(error), Exit.MISTAKEN)
    except UpstreamError as error:
        fail(f"{error}; see what is reachable with: d365-sync check")
    except SQLAlchemyError as error:
        # Its own text holds the statement, whose values may be a customer's.
        advice = (
            "check the numbers and texts of the command"
            if is_of_document(error)
            else "when it is well again, give the command once more"
        )
        fail(f"PostgreSQL refuses this ({words_of(error)}): {advice}")


def with_stores(config: Path | None, work: Callable[[Stores], Awaitable[T]]) -> T:
    """Run work over what the sync keeps."""
    settings = settings_of(config)

    async def run() -> T:
        async with stores(settings) as opened:
            return await work(opened)

    return carry_out(run())


def operator(by: str | None) -> str:
    """Return whom an intervention is written down for."""
    return by or getpass.getuser()
