"""The schema first, then the programs."""

from pathlib import Path

import pytest
from sqlalchemy import text

from sync.engine.database import database
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
