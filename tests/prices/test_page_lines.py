"""What becomes of the lines of one request, one by one and together."""

from dataclasses import replace

import pytest

from pricing_proxy.domain.freshness import Mode, State
from pricing_proxy.prices.query import Line, PriceQuery, canonical_quantity
from tests.fakes.master_data import make_item
from tests.fakes.price_world import MARKET, context_of, key_of, price_service


async def test_order_and_duplicates_are_kept() -> None:
    world = price_service()
    asked: list[str | Line] = ["S-3", "S-1", Line("S-3", "5"), "S-2", "S-1", "S-3"]
    quote = await world.ask(*asked)
    assert [line.line for line in quote.lines] == [
        Line(line) if isinstance(line, str) else line for line in asked
    ]
    assert [line.is_served for line in quote.lines] == [True] * 6
    assert world.erp.lines == 4
    again = await world.ask(*asked)
    assert [line.entry for line in again.lines] == [line.entry for line in quote.lines]


@pytest.mark.parametrize("mode", Mode)
async def test_a_sku_outside_the_map_never_reaches_the_erp(mode: Mode) -> None:
    world = price_service()
    quote = await world.ask("nonsense", "S-1", mode=mode)
    unknown, known = quote.lines
    assert (unknown.state, unknown.is_served, unknown.reason) == (
        State.NO_PRICE,
        True,
        "unknown_sku",
    )
    assert (unknown.unit, unknown.entry, unknown.is_verified) == (None, None, True)
    assert known.state is State.FRESH
    assert world.erp.asked("nonsense") == 0


async def test_an_item_that_is_not_sold_never_reaches_the_erp() -> None:
    world = price_service(items=[make_item("S-0", is_sold=False)])
    for line, unit in ((Line("S-0"), "PCS"), (Line("S-0", "1", "BOX"), "BOX")):
        quoted = await world.ask_one(line)
        assert (quoted.state, quoted.reason, quoted.unit) == (State.NO_PRICE, "not_sold", unit)
    assert world.erp.batches == []


@pytest.mark.parametrize("mode", Mode)
async def test_before_the_items_were_read_every_line_is_unavailable(mode: Mode) -> None:
    world = price_service()
    world.master.catalog = None
    quote = await world.ask("S-1", Line("S-2", "1", "BOX"), mode=mode)
    assert {(line.state, line.is_served, line.reason) for line in quote.lines} == {
        (State.ABSENT, False, "starting")
    }
    assert [line.unit for line in quote.lines] == [None, "BOX"]
    assert await world.warmer.warm(context_of(), world.master.everybody["C-1"], ["S-1"]) == 0


async def test_a_customer_that_could_not_be_checked_gets_what_is_known() -> None:
    """The ERP is away and there is no customer map: prices in memory still answer."""
    world = price_service()
    await world.load("S-1")
    query = PriceQuery(
        market=MARKET,
        customer=None,
        account="C-1",
        currency="EUR",
        mode=Mode.BROWSE,
        lines=[Line("S-1"), Line("S-2")],
    )
    known, unknown = (await world.service.quote(query)).lines
    assert (known.state, known.is_served) == (State.FRESH, True)
    assert (unknown.is_served, unknown.reason) == (False, "customer_not_checked")
    assert world.erp.batches == []


async def test_a_stale_price_of_an_unchecked_customer_is_served_without_a_refresh() -> None:
    world = price_service()
    await world.load("S-1")
    world.verification.verified = False
    query = world.query("S-1")
    unchecked = PriceQuery(
        market=MARKET,
        customer=None,
        account=query.account,
        currency="EUR",
        mode=Mode.BROWSE,
        lines=query.lines,
    )
    (line,) = (await world.service.quote(unchecked)).lines
    assert (line.state, line.is_served) == (State.UNVERIFIED, True)
    assert world.loader.flights.count == 0


@pytest.mark.parametrize(
    ("texts", "shortest"),
    [
        (["1", "1.0", "01", "1.000000"], "1"),
        (["10", "10.0", "0010"], "10"),
        (["0.5", "0.50", "00.500000"], "0.5"),
        (["999999999.999999"], "999999999.999999"),
        (["0.000001"], "0.000001"),
    ],
)
def test_equal_quantities_have_one_text(texts: list[str], shortest: str) -> None:
    assert {canonical_quantity(text) for text in texts} == {shortest}


async def test_equal_lines_written_differently_share_one_price() -> None:
    world = price_service()
    quote = await world.ask("S-1", Line("S-1", "1.0"), Line("S-1", "1", "PCS"))
    assert [line.line.quantity for line in quote.lines] == ["1", "1.0", "1"]
    assert world.erp.batches[0].keys == (key_of("S-1"),)


async def test_a_list_price_is_told_only_in_its_own_unit_and_currency() -> None:
    """Elsewhere it would need a rate that nobody has."""
    world = price_service()
    quote = await world.ask("S-1", Line("S-1", "1", "BOX"))
    told = [
        '"list_price":"19.90"' in line.entry.fragment
        for line in quote.lines
        if line.entry is not None
    ]
    assert told == [True, False]
    dollars = PriceQuery(
        market=MARKET,
        customer=world.master.customer("C-1"),
        account="C-1",
        currency="USD",
        mode=Mode.BROWSE,
        lines=[Line("S-1")],
    )
    (line,) = (await world.service.quote(dollars)).lines
    assert line.entry is not None
    assert '"list_price":null' in line.entry.fragment


@pytest.mark.parametrize(
    ("decimals", "unit", "told"),
    [(4, "100", '"0.1990"'), (2, "100", '"0.20"'), (2, "1", '"19.90"'), (4, "3.0", '"6.6333"')],
)
async def test_a_list_price_for_many_units_has_the_decimals_of_now(
    decimals: int, unit: str, told: str
) -> None:
    """The map it comes from may have been read under others."""
    item = replace(make_item("S-1"), list_price_unit=unit)
    world = price_service(items=[item], decimals=decimals)
    line = await world.ask_one()
    assert line.entry is not None
    assert f'"list_price":{told}' in line.entry.fragment
