"""Each line counts for one source of its stock, and against one of each that shares a warehouse."""

from dataclasses import replace
from decimal import Decimal

from sync.stock.layout import Layout, Shares
from tests.stock.lines import GERMANY, TRADE, line

BOTH = Layout([GERMANY, TRADE])
NOTHING = Decimal(0)


def test_a_line_is_added_back_where_the_erp_ships_it_from() -> None:
    shares = BOTH.shares(GERMANY, [(line(warehouse="21"), True)])
    assert shares == {
        "berlin": Shares(NOTHING, NOTHING),
        "hamburg": Shares(Decimal(5), NOTHING),
    }


def test_a_line_of_no_known_warehouse_counts_for_the_default_source() -> None:
    for warehouse in ("", "99"):
        shares = BOTH.shares(GERMANY, [(line(warehouse=warehouse), True)])
        assert shares["berlin"].added_back == 5


def test_what_is_not_in_the_erp_is_not_added_back() -> None:
    shares = BOTH.shares(GERMANY, [(line(), False)])
    assert {each.added_back for each in shares.values()} == {NOTHING}


def test_another_stocks_order_takes_from_the_shared_warehouse_until_the_erp_knows() -> None:
    theirs = line(store_id=3)
    assert BOTH.shares(GERMANY, [(theirs, False)])["hamburg"].elsewhere == 5
    assert BOTH.shares(GERMANY, [(theirs, True)])["hamburg"].elsewhere == 0


def test_what_ships_from_a_warehouse_that_is_not_shared_concerns_nobody_else() -> None:
    theirs = line(store_id=3, warehouse="31")
    shares = BOTH.shares(GERMANY, [(theirs, False)])
    assert {each.elsewhere for each in shares.values()} == {NOTHING}


def test_warehouses_of_two_companies_are_not_the_same() -> None:
    abroad = replace(TRADE, company="prod/frmf")
    shares = Layout([GERMANY, abroad]).shares(GERMANY, [(line(store_id=3), False)])
    assert shares["hamburg"].elsewhere == 0


def test_orders_that_another_company_gets_are_never_in_this_ones_on_hand() -> None:
    stock = replace(GERMANY, outside=frozenset({2}))
    shares = Layout([stock]).shares(stock, [(line(store_id=2), True)])
    assert shares["berlin"].added_back == 0
