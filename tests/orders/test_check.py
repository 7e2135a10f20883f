"""What `d365-sync check` says of where a market's orders begin."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from pricing_proxy.diagnosis.board import RowState
from sync.given import ConfiguredMarket
from sync.magento.shop import Shop
from sync.orders.check import start_row
from tests.fakes.order_shop import FakeShop
from tests.orders import recorded

SAMPLE = recorded.orders()["tax_excl_row__mixed_rates"]


def market(start_at: str) -> ConfiguredMarket:
    rules = recorded.rules(start_at=start_at)
    own: Any = SimpleNamespace(rules=lambda _: rules, store_ids=[1])
    return cast("ConfiguredMarket", SimpleNamespace(own=own))


@pytest.mark.parametrize(
    ("number", "state"), [("DE000001", RowState.WARNED), ("3000000002", RowState.OK)]
)
async def test_a_start_by_number_is_told_until_the_shop_has_such_a_number(
    number: str, state: RowState
) -> None:
    """Until then orders whose numbers have letters are not sent."""
    shop = FakeShop()
    shop.put(recorded.numbered(SAMPLE, 1, number, 1))

    (row,) = start_row({"b2b_de": market("3000000001")})
    found = await row.look(cast("Shop", SimpleNamespace(orders=shop)))

    assert found.state is state


def test_a_start_by_instant_decides_on_every_order() -> None:
    assert list(start_row({"b2b_de": market("2026-01-01T00:00:00Z")})) == []
