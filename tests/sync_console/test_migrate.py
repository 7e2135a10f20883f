"""The schema first, then the programs."""

from pathlib import Path

import pytest
from sqlalchemy import text

from sync.engine.database import database, schema_state
from sync.store.schema import newest_version
from tests.sync_console.conftest import CommandLine


async def test_a_schema_that_is_up_to_date_is_left_as_it_is(d365_sync: CommandLine) -> None:
    for options in (["--plan"], []):
        result = await d365_sync("migrate", *options)
        assert result.exit_code == 0, result.output
        assert f"up to date: {newest_version()}" in result.output


async def test_an_empty_database_is_planned_for_and_then_made(
    tmp_path: Path, d365_sync: CommandLine, database_url: str, empty_database_url: str
) -> None:
    settings = d365_sync.file.read_text(encoding="utf-8")
    file = tmp_path / "empty.toml"
    file.write_text(settings.replace(database_url, empty_database_url), encoding="utf-8")
    empty = CommandLine(file)

    for options, said in ((["--plan"], "would be brought"), ([], "was brought")):
        result = await empty("migrate", *options)
        assert result.exit_code == 0, result.output
        assert f"{said} from nothing to {newest_version()}:" in result.output
        assert f"{newest_version()}  Keep how a watched order was seen last" in result.output

    assert "up to date" in (await empty("migrate")).output


async def test_a_newer_schema_that_this_program_cannot_work_on_ends_it(
    d365_sync: CommandLine, database_url: str
) -> None:
    async with database(database_url, connections=1) as opened, opened.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        await connection.execute(
            text("COMMENT ON TABLE alembic_version IS 'programs work since 9999'")
        )
    result = await d365_sync("migrate")
    assert result.exit_code == 1
    assert "schema version 9999" in result.output


async def test_an_embedded_database_is_left_to_run(
    d365_sync: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRICING_PROXY_SYNC__POSTGRES__URL", "embedded")
    result = await d365_sync("migrate")
    assert result.exit_code == 0
    assert "brought up to date by d365-sync run" in result.output


@pytest.fixture
def left_alone(
    tmp_path: Path, d365_sync: CommandLine, database_url: str, empty_database_url: str
) -> CommandLine:
    """Return the command line over an empty database that only `migrate` may change."""
    settings = d365_sync.file.read_text(encoding="utf-8").replace(database_url, empty_database_url)
    file = tmp_path / "left.toml"
    file.write_text(f"{settings}migrate = false\n", encoding="utf-8")
    return CommandLine(file)


@pytest.mark.parametrize("arguments", [["status"], ["run", "--yes"]])
async def test_a_schema_that_is_to_be_left_is_waited_for_and_never_changed(
    left_alone: CommandLine, empty_database_url: str, arguments: list[str]
) -> None:
    result = await left_alone(*arguments)

    assert result.exit_code == 1
    assert f"has no schema, this program needs {newest_version()}" in result.output
    assert "d365-sync migrate" in result.output
    assert (await schema_state(empty_database_url)).version is None
    assert (await left_alone("migrate")).exit_code == 0
    assert (await left_alone("status")).exit_code == 0


async def test_run_brings_a_schema_up_to_date_that_is_to_be_left_where_it_is_told_so(
    left_alone: CommandLine, empty_database_url: str
) -> None:
    """The shop is away, so that nothing is run behind it."""
    result = await left_alone("run", "--yes", "--migrate")

    assert result.exit_code == 1
    assert "no schema" not in result.output
    assert (await schema_state(empty_database_url)).version == newest_version()
