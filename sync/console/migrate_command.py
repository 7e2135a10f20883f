"""The command `migrate`: the schema first, then the programs, so that none has to stop for it."""

from collections.abc import Sequence
from typing import Annotated

import typer

from pricing_proxy.command_line import Config, fail, output
from pricing_proxy.configuration.reading import secret_text
from sync.console.running import carry_out, settings_of
from sync.engine.database import migrate, schema_state
from sync.sections import EMBEDDED, Postgres
from sync.serve.postgres import require_direct, with_password
from sync.store.schema import SchemaState, SchemaStep, SchemaVersionError, newest_version

Plan = Annotated[
    bool, typer.Option("--plan", help="Only say what would be done.", show_default=False)
]


def migrate_command(*, plan: Plan = False, config: Config = None) -> None:
    """Bring the database's schema up to date, while workers of the version before go on.

    `run` does the same when it starts; this is for upgrades of several workers: the schema
    first, by one job, then one worker after the other. All is done, or nothing. Exit code 1:
    the database cannot be reached, a pooler in transaction mode is before it, a table was
    locked by somebody for too long (try again), or it belongs to a newer program.
    """
    postgres = settings_of(config).sync.postgres
    if postgres.url == EMBEDDED:
        output().print("An embedded PostgreSQL is brought up to date by d365-sync run.")
        return
    try:
        found = carry_out(_looked_at(postgres) if plan else _migrated(postgres))
    except SchemaVersionError as error:
        fail(str(error))
    if found.is_newer:
        output().print(f"The schema is of a newer program ({found.version}): it is left as it is.")
    elif not found.missing:
        output().print(f"The schema is up to date: {found.version}.")
    else:
        _print_steps(found.missing, before=found.version, is_plan=plan)


async def _looked_at(postgres: Postgres) -> SchemaState:
    return await schema_state(await _address(postgres))


async def _migrated(postgres: Postgres) -> SchemaState:
    return await migrate(await _address(postgres))


async def _address(postgres: Postgres) -> str:
    await require_direct(postgres)
    return with_password(postgres.url, secret_text(postgres.password))


def _print_steps(steps: Sequence[SchemaStep], *, before: str | None, is_plan: bool) -> None:
    done = "would be brought" if is_plan else "was brought"
    output().print(f"The schema {done} from {before or 'nothing'} to {newest_version()}:")
    for step in steps:
        output().print(f"  {step.version}  {step.about}", markup=False)
