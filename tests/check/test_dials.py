"""Each dial of the sandbox turns exactly its row red, and the row names a next step."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from pricing_proxy.diagnosis.board import RowState
from pricing_proxy.sandbox.dials import Dials
from tests.check.conftest import World
from tests.check.patience import findings, limits_for, red, red_rows

IN_A_MINUTE = format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)

ENTRA: list[tuple[dict[str, Any], str]] = [
    ({"latency_ms": 1300}, "Entra ID latency"),
    ({"latency_spread_ms": 1500}, "Entra ID latency steady"),
    ({"error_rate": 1}, "Entra ID answers without errors"),
    ({"gateway_page": 502}, "Entra ID answers without errors"),
    ({"error_rate": 0.3}, "Entra ID answers without errors"),
    ({"retry_after": 7}, "Entra ID not throttling"),
    ({"retry_after": IN_A_MINUTE}, "Entra ID not throttling"),
    ({"throttle_rate": 1}, "Entra ID not throttling"),
    ({"dead": True}, "Entra ID reachable"),
    ({"black_hole": True}, "Entra ID reachable"),
    ({"token_revoked": True}, "token issued"),
    ({"proof_faults": {"secret": "expired"}}, "token issued"),
]
FO: list[tuple[dict[str, Any], str]] = [
    ({"latency_ms": 1300}, "F&O latency"),
    ({"latency_spread_ms": 1500}, "F&O latency steady"),
    ({"error_rate": 1}, "F&O answers without errors"),
    ({"gateway_page": 502}, "F&O answers without errors"),
    ({"error_rate": 0.3}, "F&O answers without errors"),
    ({"error_rate": 0.2}, "F&O answers without errors"),
    ({"retry_after": 7}, "F&O not throttling"),
    ({"retry_after": IN_A_MINUTE}, "F&O not throttling"),
    ({"throttle_rate": 1}, "F&O not throttling"),
    ({"dead": True}, "F&O reachable"),
    ({"black_hole": True}, "F&O reachable"),
    ({"token_revoked": True}, "F&O accepts the token"),
    ({"drop_lines": ["LAMP-03"]}, "price service answers every line"),
    ({"odd_lines": {"LAMP-03": "NaN"}}, "price service answers every line"),
    ({"odd_lines": {"LAMP-03": "CustomerBlocked"}}, "price service answers every line"),
    ({"odd_lines": {"LAMP-03": "0"}}, "price service answers every line"),
    ({"poison_skus": ["LAMP-03"]}, "price service accepts the probe lines"),
    (
        {"poison_lines": [{"customer": "C-1001", "sku": "LAMP-03"}]},
        "price service accepts the probe lines",
    ),
    ({"deadlock_rate": 1}, "price service accepts the probe lines"),
    ({"short_sets": {"ReleasedProductsV2": 0}}, "ReleasedProductsV2"),
    ({"hidden_sets": {"CustomersV3": 0}}, "CustomersV3"),
    ({"absent_sets": ["CustomersV3"]}, "CustomersV3"),
    ({"price_page": 404}, "price service accepts the probe lines"),
]
# Entra ID knows no SKUs.
WITHOUT_EFFECT_ON_ENTRA = {
    "drop_lines",
    "odd_lines",
    "poison_skus",
    "poison_lines",
    "deadlock_rate",
    "short_sets",
    "hidden_sets",
    "absent_sets",
    "price_page",
}
# The price service writes no document and reads none.
OF_DOCUMENTS = {"commit_then_drop", "rename_fields", "mandatory_fields"}
OF_DOCUMENTS |= {"tax_rounding", "return_price_unit"}
# Nor does it look at stock, or at how much of the catalog is told.
OF_MIRRORS = {"reservation", "zero_stock", "zero_prices", "catalog_share", "event_loss"}
# It stops nothing: a warning.
OF_CLOCKS = {"clock_ahead_seconds"}
# Apps prove themselves to Entra ID alone.
OF_APPS = {"proof_faults"}
# How the shop numbers and what its customers have is no illness of a system.


async def test_healthy_systems_turn_no_row_red(world: World) -> None:
    report = await world.check()

    assert red(report) == {}
    assert all(finding.state is RowState.OK for finding in findings(report).values())


@pytest.mark.parametrize(("dials", "row"), ENTRA)
async def test_dial_of_entra_turns_exactly_its_row_red(
    world: World, dials: dict[str, Any], row: str
) -> None:
    await world.turn("entra", **dials)
    failed = await red_rows(world.check, row, limits=limits_for(dials))

    assert list(failed) == [row]


@pytest.mark.parametrize(("dials", "row"), FO)
async def test_dial_of_fo_turns_exactly_its_row_red(
    world: World, dials: dict[str, Any], row: str
) -> None:
    await world.turn("fo", **dials)
    failed = await red_rows(world.check, row, limits=limits_for(dials))

    assert list(failed) == [row]


@pytest.mark.parametrize(
    ("ahead", "told"),
    [(0, "as"), (50, " s ahead of"), (90, " s ahead of"), (-50, " s behind"), (-3600, " s behind")],
)
async def test_clock_that_is_off_by_more_than_a_minute_is_a_warning(
    world: World, ahead: int, told: str
) -> None:
    await world.turn("fo", clock_ahead_seconds=ahead)
    report = await world.check()

    clock = findings(report)["F&O's clock"]
    assert report.is_ok
    assert clock.state is (RowState.WARNED if abs(ahead) > 60 else RowState.OK)
    assert f"{told} this machine's" in clock.found
    assert ("NTP" in clock.next_step) is (abs(ahead) > 60)


def test_every_dial_is_tried() -> None:
    members = set(Dials().members()) - OF_DOCUMENTS - OF_MIRRORS - OF_CLOCKS

    assert {name for dials, _ in FO for name in dials} == members - OF_APPS
    assert {name for dials, _ in ENTRA for name in dials} == members - WITHOUT_EFFECT_ON_ENTRA
