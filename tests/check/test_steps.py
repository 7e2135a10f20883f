"""A call of a market that fails for a reason of its own keeps its row, and says what to do."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from pricing_proxy.diagnosis.board import Board, Finding, RowState
from pricing_proxy.diagnosis.steps import Advice, Steps
from pricing_proxy.resilience.errors import (
    UpstreamContractError,
    UpstreamDeniedError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
)
from pricing_proxy.sandbox import entities
from pricing_proxy.sandbox.book import Book
from pricing_proxy.sandbox.documents.schema import DOCUMENT_SETS
from pricing_proxy.sandbox.row_values import Row
from tests.check.conftest import World
from tests.check.patience import CALM, LOOKS, findings, red
from tests.check.test_vitals import GOOD, VITALS, judged, taking

ADVICE = Advice(what="set Foo", when_missing="publish it", who="user Bar")


async def run(erp: Board, error: UpstreamError, *, is_over: Callable[[], bool]) -> Finding:
    async def fail() -> Finding:
        raise error

    board = Board("market", ("row",))
    await Steps(board, system=erp, vitals=VITALS, is_over=is_over).run("row", fail, advice=ADVICE)
    return board.rows()[0].finding


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (UpstreamDeniedError("403", system="fo", status=403), "Give user Bar the right"),
        (UpstreamRejectedError("404", system="fo", status=404), "publish it"),
        (UpstreamRejectedError("400", system="fo", status=400), "set Foo"),
        (UpstreamTimeoutError("late", system="fo"), "look at set Foo"),
        (UpstreamContractError("odd", system="fo"), "set Foo answers otherwise"),
    ],
)
async def test_own_failure_names_what_to_do(error: UpstreamError, told: str) -> None:
    finding = await run(judged(*GOOD), error, is_over=lambda: False)

    assert finding.state is RowState.FAILED
    assert told in finding.next_step


async def test_reasons_of_the_application_are_shown() -> None:
    error = UpstreamRejectedError("400", system="fo", status=400, reasons=("No such field.",))
    finding = await run(judged(*GOOD), error, is_over=lambda: False)

    assert "No such field." in finding.found


async def test_time_that_ran_out_is_the_fault_of_what_took_it() -> None:
    slow = judged(*[taking(1500)] * 5)
    late = UpstreamTimeoutError("no time left", system="fo")
    finding = await run(slow, late, is_over=lambda: True)

    assert (finding.state, finding.needs) == (RowState.SKIPPED, VITALS.latency)


async def test_slow_entra_that_uses_up_the_time_is_the_only_red_row(world: World) -> None:
    await world.turn("entra", latency_ms=1500)
    await world.turn("fo", latency_ms=900)
    hurried = replace(
        CALM,
        total=timedelta(milliseconds=3600),
        sampling=timedelta(milliseconds=300),
        entra_slow=timedelta(milliseconds=300),
    )
    report = await world.check(hurried)
    for _ in range(LOOKS):
        if list(red(report)) == ["Entra ID latency"]:
            break
        report = await world.check(hurried)

    assert list(red(report)) == ["Entra ID latency"]
    assert findings(report)["F&O reachable"].state is RowState.OK
    assert findings(report)["company"].needs == "Entra ID latency"


async def test_entity_that_is_not_public_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(DOCUMENT_SETS, "CustomersV3")
    failed = red(await world.check())

    assert list(failed) == ["CustomersV3"]
    assert "public" in failed["CustomersV3"].next_step


def read_as(monkeypatch: pytest.MonkeyPatch, entity_set: str, change: Callable[[Row], Row]) -> None:
    known = entities.ENTITY_SETS[entity_set]

    def rows(book: Book) -> list[Row]:
        return [change(row) for row in known.rows(book)]

    # Listed one by one or not, they are what is read.
    changed = replace(known, rows=rows, listing=None)
    monkeypatch.setitem(entities.ENTITY_SETS, entity_set, changed)


async def test_company_without_customers_is_red(world: World) -> None:
    customers = world.sandbox.documents.customers.customers
    for row in tuple(customers):
        customers.remove(row)
    failed = red(await world.check())

    assert list(failed) == ["CustomersV3"]
    assert "demf" in failed["CustomersV3"].next_step


async def test_row_that_does_not_fit_is_red_and_names_the_field(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_as(monkeypatch, "ReleasedProductsV2", lambda row: {**row, "SalesPrice": "ten"})
    failed = red(await world.check())

    assert list(failed) == ["ReleasedProductsV2"]
    assert "SalesPrice" in failed["ReleasedProductsV2"].found
    assert "ten" not in failed["ReleasedProductsV2"].found


async def test_company_in_an_unknown_time_zone_is_noted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_as(monkeypatch, "LegalEntities", lambda row: {**row, "TimeZone": "Somewhere"})
    report = await world.check()

    assert report.is_ok
    assert "no offset to compare" in findings(report)["ERP time zone"].found


async def test_prices_with_tax_are_not_compared_and_say_so(world: World) -> None:
    world.market["tax_included"] = True
    report = await world.check()

    assert report.is_ok
    assert "not compared" in findings(report)["one price adds up"].found
