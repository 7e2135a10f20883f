"""Each dial of the sandbox turns exactly its row of `d365-sync check` red, and back again."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from pricing_proxy.diagnosis.board import RowState
from pricing_proxy.sandbox.dials import Dials
from pricing_proxy.sandbox.shop.dials import ShopDials
from pricing_proxy.sandbox.shop.odd_rows import odd_row
from tests.check.patience import findings, limits_for
from tests.sync.checked_world import CheckedWorld, checked_world

IN_A_MINUTE = format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)
LABELS = {"entra": "Entra ID", "fo": "F&O", "magento": "Magento"}
# Of every system: what is turned, the row that turns red, and a word of its next step.
OF_ALL: list[tuple[dict[str, Any], str, dict[str, str]]] = [
    (
        {"latency_ms": 700},
        "{} latency",
        {"entra": "Measure the way", "fo": "load", "magento": "PHP workers"},
    ),
    (
        {"latency_spread_ms": 1200},
        "{} latency steady",
        {"entra": "Measure the way", "fo": "load", "magento": "PHP workers"},
    ),
    (
        {"error_rate": 1},
        "{} answers without errors",
        {"entra": "service health", "fo": "Lifecycle Services", "magento": "var/log"},
    ),
    (
        {"error_rate": 0.3},
        "{} answers without errors",
        {"entra": "service health", "fo": "Lifecycle Services", "magento": "var/log"},
    ),
    (
        {"gateway_page": 502},
        "{} answers without errors",
        {"entra": "service health", "fo": "Lifecycle Services", "magento": "var/log"},
    ),
    (
        {"retry_after": 7},
        "{} not throttling",
        {"entra": "sign-in logs", "fo": "priority Low", "magento": "WAF"},
    ),
    (
        {"retry_after": IN_A_MINUTE},
        "{} not throttling",
        {"entra": "sign-in logs", "fo": "priority Low", "magento": "WAF"},
    ),
    (
        {"throttle_rate": 1},
        "{} not throttling",
        {"entra": "sign-in logs", "fo": "priority Low", "magento": "WAF"},
    ),
    (
        {"dead": True},
        "{} reachable",
        {"entra": "sandbox.authority", "fo": "sandbox.url", "magento": "sync.magento.url"},
    ),
    (
        {"black_hole": True},
        "{} reachable",
        {"entra": "firewall", "fo": "firewall", "magento": "firewall"},
    ),
]
REFUSED = [
    ("entra", "token issued", "the secret is wrong"),
    ("fo", "F&O accepts the token", "Register client demo-sync"),
    ("magento", "Magento accepts the signature", "four texts of the integration"),
]
RENAMED = [
    ("SalesOrderHeadersV3", "DeliveryModeCode", "DeliveryMode"),
    ("SalesOrderHeadersV3", "CustomersOrderReference", "CustomerReference"),
    ("SalesOrderLinesV3", "SalesPrice", "UnitSalesPrice"),
    ("CustomersV3", "CustomerGroupId", "CustomerGroup"),
    ("CustomerPostalAddresses", "AddressStreet", "Street"),
    ("ReturnOrderHeadersV2", "RMANumber", "RMA"),
    ("ReturnOrderLinesV2", "ReturningInventoryLotId", "InventoryLot"),
]
CLOCKS = {"fo": "F&O's clock", "magento": "Magento's clock"}
MANDATORY = [
    ("SalesOrderHeadersV3", "SalesOrderPoolId"),
    ("SalesOrderLinesV3", "ProjectId"),
    ("CustomersV3", "LanguageId"),
    ("CustomerPostalAddresses", "AddressCountyId"),
    ("ReturnOrderHeadersV2", "ContactPersonId"),
    ("ReturnOrderLinesV2", "OriginStateId"),
]
# The check sends no price lines and writes nothing; Entra ID and the shop have no sets.
WITHOUT_EFFECT: list[tuple[str, dict[str, Any]]] = [
    (
        "fo",
        {
            "drop_lines": ["LAMP-03"],
            "odd_lines": {"LAMP-03": "NaN"},
            "poison_skus": ["LAMP-03"],
            "poison_lines": [{"customer": "C-1001", "sku": "LAMP-03"}],
            "deadlock_rate": 1,
            "price_page": 404,
            "commit_then_drop": 1,
        },
    ),
    *[
        (
            system,
            {
                "drop_lines": ["LAMP-03"],
                "odd_lines": {"LAMP-03": "NaN"},
                "poison_skus": ["LAMP-03"],
                "poison_lines": [{"customer": "C-1001", "sku": "LAMP-03"}],
                "deadlock_rate": 1,
                "price_page": 404,
                "commit_then_drop": 1,
                "rename_fields": {"CustomersV3.CustomerGroupId": "Group"},
                "mandatory_fields": ["CustomersV3.LanguageId"],
            },
        )
        for system in ("entra", "magento")
    ],
    ("magento", {"number_prefix": "9", "bare_taxes": 1, "row_latency_ms": 1}),
    # It writes nothing, and asks for no pages or bulks.
    (
        "magento",
        {
            "search_down": True,
            "commit_then_refuse": 1,
            "write_cost": 10,
            "consumer_speed": 0.01,
            "consumer_dead": True,
            "page_latency_ms": 9000,
            "page_ms_per_write": 900,
            "index_seconds": 0,
            "stock_index_seconds": 60,
            "order_save_ms": 900,
            "website_prices": True,
        },
    ),
    # Its pages are small.
    ("magento", {"input_limit": True, "array_limit": 20}),
    ("magento", {"input_limit": True, "max_page_size": 300, "default_page_size": 10}),
    # It reads the first row of a set, and how many there are.
    *[
        (system, {"short_sets": {"CustomersV3": 1}, "hidden_sets": {"CustomersV3": 60}})
        for system in LABELS
    ],
    ("entra", {"clock_ahead_seconds": 3600}),
    # Its app has a secret, and no other system asks an app for a proof.
    ("entra", {"proof_faults": {"certificate": "expired", "token": "unknown"}}),
    *[(system, {"proof_faults": {"secret": "expired"}}) for system in ("fo", "magento")],
    # What the ERP says of its catalog is no illness, and no set for analytics is asked for here.
    *[
        (
            system,
            {
                "reservation": "Automatic",
                "zero_stock": True,
                "zero_prices": True,
                "catalog_share": 0.5,
                "event_loss": 1,
                "absent_sets": ["SalesLineBiEntities"],
            },
        )
        for system in LABELS
    ],
    # How cents are rounded shows with the first document, and is no illness.
    *[(system, {"tax_rounding": "line", "return_price_unit": True}) for system in LABELS],
]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[CheckedWorld]:
    async with checked_world(tmp_path) as opened:
        yield opened


async def _turned(
    world: CheckedWorld, system: str, dials: dict[str, Any], row: str, told: str
) -> None:
    await world.turn(system, dials)
    failed = await world.failed(row, limits=limits_for(dials))
    await world.turn(system, {})

    assert list(failed) == [row], (system, dials)
    assert told in failed[row].next_step, (system, dials)


async def test_dial_turns_exactly_its_row_red(tmp_path: Path) -> None:
    """Each system in a world of its own, side by side: slow ones are what takes the time."""

    async def try_all(system: str) -> None:
        async with checked_world(tmp_path / system) as world:
            for dials, row, told in OF_ALL:
                await _turned(world, system, dials, row.format(LABELS[system]), told[system])
            assert await world.failed() == {}

    async with asyncio.TaskGroup() as group:
        for system in LABELS:
            group.create_task(try_all(system))


@pytest.mark.parametrize(("system", "row", "told"), REFUSED)
async def test_revoked_credentials_turn_the_row_of_admission_red(
    world: CheckedWorld, system: str, row: str, told: str
) -> None:
    await _turned(world, system, {"token_revoked": True}, row, told)
    assert await world.failed() == {}


async def test_changed_field_turns_the_row_of_its_set_red(world: CheckedWorld) -> None:
    for entity_set, old, new in RENAMED:
        await world.turn("fo", {"rename_fields": {f"{entity_set}.{old}": new}})
        failed = await world.failed(f"{entity_set} schema")
        assert list(failed) == [f"{entity_set} schema"]
        found = failed[f"{entity_set} schema"]
        assert f"{entity_set} has no field {old!r} any more" in found.found
        assert "Correct the mapping" in found.next_step
    for entity_set, field in MANDATORY:
        await world.turn("fo", {"mandatory_fields": [f"{entity_set}.{field}"]})
        failed = await world.failed(f"{entity_set} schema")
        assert list(failed) == [f"{entity_set} schema"]
        assert f"{entity_set}.{field} is mandatory" in failed[f"{entity_set} schema"].found
    await world.turn("fo", {})
    assert await world.failed() == {}


@pytest.mark.parametrize(("system", "dials"), WITHOUT_EFFECT)
async def test_dial_of_what_the_check_does_not_do_turns_no_row_red(
    world: CheckedWorld, system: str, dials: dict[str, Any]
) -> None:
    await world.turn(system, dials)
    assert await world.failed() == {}


async def test_clocks_that_are_off_by_more_than_a_minute_are_warnings(world: CheckedWorld) -> None:
    for system, row in CLOCKS.items():
        for ahead, state in ((30, RowState.OK), (90, RowState.WARNED), (-90, RowState.WARNED)):
            await world.turn(system, {"clock_ahead_seconds": ahead})
            report = await world.check()
            assert report.is_ok
            assert {name: findings(report)[name].state for name in CLOCKS.values()} == {
                **dict.fromkeys(CLOCKS.values(), RowState.OK),
                row: state,
            }
        await world.turn(system, {})


async def test_a_shop_that_refuses_in_another_language_is_a_warning(world: CheckedWorld) -> None:
    """What passes by itself is told from what does not by its words alone."""
    assert findings(await world.check())["words of refusals"].found == "in English"
    await world.turn("magento", {"translated": True})
    report = await world.check()
    found = findings(report)["words of refusals"]
    assert report.is_ok
    assert found.state is RowState.WARNED
    assert "Réqüést döés nöt mätch änÿ röüté." in found.found
    assert "translations" in found.next_step


async def test_the_check_leaves_nothing_behind_in_the_systems(world: CheckedWorld) -> None:
    """It only reads: no order, customer or return of its own is anywhere."""
    before = world.sandbox.documents.customers.told()
    await world.check()
    assert world.sandbox.documents.orders.told() == []
    assert world.sandbox.documents.returns.told() == []
    assert world.sandbox.documents.customers.told() == before
    called = {
        name
        for system in ("fo", "magento")
        for name in world.sandbox.systems[system].calls.counts()["operations"]
    }
    assert {"application_version", "metadata", "orders", "customers"} <= called
    assert not [name for name in called if name.endswith(("_create", "_update", "_delete"))]
    assert not [name for name in called if name.startswith(("save_", "create_", "add_"))]


def test_every_dial_of_every_system_is_tried() -> None:
    for system in LABELS:
        members = set(ShopDials().members() if system == "magento" else Dials().members())
        tried = {name for dials, _, _ in OF_ALL for name in dials}
        tried |= {"token_revoked"} if system in [each[0] for each in REFUSED] else set()
        tried |= {"account_attribute", "translated"} if system == "magento" else set()
        tried |= {name for other, dials in WITHOUT_EFFECT if other == system for name in dials}
        tried |= {"rename_fields", "mandatory_fields"} if system == "fo" else set()
        tried |= {"clock_ahead_seconds"} if system in CLOCKS else set()
        assert tried == members


async def test_rows_tell_what_was_found(world: CheckedWorld) -> None:
    shown = findings(await world.check())
    book = world.sandbox.book
    assert shown["F&O accepts the token"].found == "F&O 10.0.44"
    assert shown["company"].found.startswith("demf, ")
    assert shown["guest account"].found == "C-1003"
    assert shown["CustomersV3"].found == f"{len(book.customers)} rows in demf"
    assert shown["SalesOrderHeadersV3"].found == "0 rows in demf"
    assert shown["ReleasedProductsV2"].found == f"{len(book.items)} rows in demf"


async def test_a_row_that_a_poll_could_not_read_is_named(world: CheckedWorld) -> None:
    """It stops nothing, so it is yellow; of whom nothing changed lately, nobody asks."""
    odd = {"members": {"website_id": None}, "dated_seconds": -60}
    world.sandbox.shop.write_row("customers", 2, odd_row(odd))

    report = await world.check()

    found = findings(report)["customers"]
    assert report.is_ok
    assert found.state is RowState.WARNED
    assert "1 cannot be read: #2: website_id is missing" in found.found
    assert "d365-sync failed" in found.next_step
