"""Mistakes in the configuration and faults in the middle of a check: one red row each."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from pricing_proxy.check.run import run_checks
from pricing_proxy.clock import SystemClock
from pricing_proxy.diagnosis.board import RowState
from pricing_proxy.diagnosis.report import Report
from pricing_proxy.sandbox import price_service
from pricing_proxy.sandbox.discount_search import rounded
from pricing_proxy.settings import Settings
from tests.check.conftest import World
from tests.check.patience import CALM, findings, red


@pytest.mark.parametrize(
    ("setting", "value", "row", "told"),
    [
        ("environment.pricing_client_secret", "wrong", "token issued", "secret"),
        ("environment.pricing_client_id", "nobody", "token issued", "client id"),
        ("environment.tenant", "other", "token issued", "tenant"),
        ("environment.authority", "https://127.0.0.1:9", "Entra ID reachable", "authority"),
        ("environment.ca_file", None, "Entra ID reachable", "ca_file"),
        ("environment.ca_file", "/nowhere.pem", "Entra ID reachable", "ca_file"),
        ("environment.time_zone", "America/New_York", "ERP time zone", "time_zone"),
        ("environment.price_service_path", "/api/x", "price service accepts", "Deploy"),
        ("market.legal_entity", "usmf", "company", "legal_entity"),
        ("market.currencies", ["EUR", "XXX"], "currency", "XXX"),
        ("market.company_currency", "YYY", "currency", "YYY"),
        ("market.probe_customer", "C-9999", "probe customer", "probe_customer"),
        ("market.probe_customer", "C-*", "probe customer", "probe_customer"),
        ("market.probe_skus", ["LAMP-01", "LAMP-99"], "probe SKUs", "LAMP-99"),
        ("market.probe_skus", ["LAMP-*"], "probe SKUs", "LAMP-*"),
        ("market.probe_skus", ["NEW-0001"], "one price adds up", "probe_skus"),
    ],
)
async def test_wrong_setting_turns_one_row_red_that_names_it(
    world: World, setting: str, value: Any, row: str, told: str
) -> None:
    section, _, key = setting.partition(".")
    {"environment": world.environment, "market": world.market}[section][key] = value
    failed = red(await world.check())

    assert [name for name in failed if name.startswith(row)] == list(failed) != []
    (finding,) = failed.values()
    assert told in finding.found + finding.next_step


async def test_wrong_address_of_the_erp_shows_beside_the_token_that_it_does_not_get(
    world: World,
) -> None:
    """Entra ID issues no token for an address that it does not know either."""
    world.environment["url"] = "http://127.0.0.1:9"
    failed = red(await world.check())

    assert set(failed) == {"token issued", "F&O reachable"}
    assert "url" in failed["F&O reachable"].next_step
    assert "url" in failed["token issued"].next_step


async def test_without_probe_settings_the_first_customer_and_skus_are_asked_for(
    world: World,
) -> None:
    del world.market["probe_customer"], world.market["probe_skus"]
    report = await world.check()

    assert report.is_ok
    assert findings(report)["probe customer"].found == "C-1001"
    assert "BULB-0001" in findings(report)["probe SKUs"].found
    assert "SHADE-0001" in findings(report)["probe SKUs"].found


async def test_set_rows_show_their_counts(world: World) -> None:
    shown = findings(await world.check())

    book = world.sandbox.book
    assert shown["CustomersV3"].found == f"{len(book.customers)} rows"
    assert shown["ReleasedProductsV2"].found == f"{len(book.items)} rows"
    assert shown["ReleasedProductVariantsV2"].found == f"{len(book.variants)} rows"


async def test_skipped_rows_name_the_red_one(world: World) -> None:
    await world.turn("entra", dead=True)
    shown = findings(await world.check())

    assert shown["F&O reachable"].state is RowState.OK
    assert shown["F&O accepts the token"].needs == "Entra ID reachable"
    assert shown["one price adds up"].needs == "Entra ID reachable"


async def _check_with_fault(world: World, at: str, **dials: Any) -> Report:
    def turn(what: str) -> None:
        if what == at:
            world.sandbox.systems["fo"].dials.patch(dials)

    return await run_checks(
        Settings.model_validate(world.document),
        clock=SystemClock(),
        limits=replace(CALM, wait=timedelta(seconds=3)),
        on_progress=turn,
    )


@pytest.mark.parametrize(
    ("dials", "row"),
    [
        ({"error_rate": 1}, "F&O answers without errors"),
        ({"retry_after": 5}, "F&O not throttling"),
        ({"token_revoked": True}, "F&O accepts the token"),
    ],
)
async def test_fault_that_shows_late_turns_the_erps_row_red(
    world: World, dials: dict[str, Any], row: str
) -> None:
    """A rare failure may miss the samples: the call that meets it blames the ERP, not itself."""
    report = await _check_with_fault(world, "b2b_de: prices", **dials)

    assert list(red(report)) == [row]
    assert findings(report)["CustomersV3"].state is RowState.OK
    assert findings(report)["one price adds up"].needs == row


async def test_call_that_is_never_answered_is_its_own_row_while_others_are_quick(
    world: World,
) -> None:
    report = await _check_with_fault(world, "b2b_de: company and catalog", black_hole=True)

    assert list(red(report)) == ["company"]
    assert findings(report)["CustomersV3"].needs == "company"


async def test_several_poisoned_skus_are_all_named(world: World) -> None:
    await world.turn("fo", poison_skus=["LAMP-02", "LAMP-03", "LAMP-24"])
    (finding,) = red(await world.check()).values()

    assert "LAMP-02, LAMP-03, LAMP-24" in finding.next_step
    assert "LAMP-04" not in finding.found


async def test_refusal_of_every_line_blames_no_sku(world: World) -> None:
    await world.turn("fo", poison_skus=world.market["probe_skus"])
    (finding,) = red(await world.check()).values()

    assert "whatever the line" in finding.found


async def test_small_calls_price_all_lines(world: World) -> None:
    world.environment["max_lines_per_call"] = 5
    await world.turn("fo", drop_lines=["LAMP-07", "LAMP-23"])
    (finding,) = red(await world.check()).values()

    assert "LAMP-07, LAMP-23" in finding.found


async def test_net_amount_that_does_not_follow_from_the_price_is_red(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_cent_more(amount: Any, scale: int) -> Decimal:
        return rounded(amount, scale) + Decimal("0.01")

    monkeypatch.setattr(price_service, "rounded", one_cent_more)
    failed = red(await world.check())

    assert list(failed) == ["one price adds up"]
    assert "LAMP-01" in failed["one price adds up"].found


async def test_two_markets_share_the_rows_of_their_environment(world: World) -> None:
    world.document["markets"]["b2b_us"] = {**world.market, "legal_entity": "usmf"}
    report = await world.check()

    assert [board.title for board in report.boards] == [
        "This machine",
        "Redis",
        "Environment sandbox",
        "Market b2b_de",
        "Market b2b_us",
    ]
    states = [{row.name: row.finding.state for row in board.rows()} for board in report.boards[3:]]
    assert set(states[0].values()) == {RowState.OK}
    assert states[1]["company"] is RowState.FAILED
    assert states[1]["CustomersV3"] is RowState.SKIPPED


async def test_check_only_reads(world: World) -> None:
    before = len(world.sandbox.book.journals)
    await world.check()

    operations = set(world.sandbox.systems["fo"].calls.counts()["operations"])
    assert operations <= {
        "application_version",
        "price_batch",
        "customer_read",
        "products",
        "variants",
        "order_settings",
        "currencies",
        "legal_entities",
    }
    assert len(world.sandbox.book.journals) == before
