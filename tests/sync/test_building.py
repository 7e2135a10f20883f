"""Settings become flows and sources: those that are on, with each market's own rules."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pricing_proxy.clock import SystemClock
from pricing_proxy.d365.fo.documents import DocumentCalls
from sync import settings
from sync.flows import FLOWS
from sync.given import Given
from sync.magento.shop import Shop
from sync.orders.building import order_source
from tests.fakes.customer_links import FakeCompany
from tests.fakes.entering import FakeEvents, FakeWatermarks
from tests.fakes.given import given
from tests.fakes.order_shop import FakeShop
from tests.orders import recorded
from tests.sync import files
from tests.sync.test_settings import SECOND, secrets

__all__ = ["secrets"]
SUBJECTS = (
    *("orders", "customers", "credit_memos", "products", "order_notes"),
    *("reserving_orders", "shipments", "shipping_sources", "invoices"),
)
SAMPLE = recorded.orders()["tax_excl_row__mixed_rates"]


def built(
    folder: Path, text: str, shop: FakeShop, *, events: FakeEvents, kept: FakeCompany
) -> Given:
    return given(
        settings.load(files.write(folder, text)),
        shop=cast("Shop", SimpleNamespace(**dict.fromkeys(SUBJECTS, shop))),
        erps={"erp": cast("DocumentCalls", object())},
        kept=kept,
        events=events,
        watermarks=FakeWatermarks(),
        clock=SystemClock(),
    )


async def test_each_order_goes_to_the_market_of_its_store_view(tmp_path: Path) -> None:
    shop, events = FakeShop(), FakeEvents()
    for store in (1, 2, 3):
        members: dict[str, Any] = {"entity_id": store, "increment_id": f"{store}", "state": "new"}
        shop.put(SAMPLE.model_copy(update={**members, "store_id": store}))
    text = files.CONFIGURATION + SECOND

    await order_source(built(tmp_path, text, shop, events=events, kept=FakeCompany())).poll()

    markets = {event["key"]: event["market"] for event in events.entered.values()}
    assert markets == {"1": "b2b_de", "2": "b2c"}


async def test_a_flow_that_is_off_enters_nothing(tmp_path: Path) -> None:
    shop, events = FakeShop(), FakeEvents()
    shop.put(SAMPLE)
    text = files.CONFIGURATION.replace("store_ids = [1]", 'store_ids = [1]\nflows = ["customers"]')
    source = order_source(built(tmp_path, text, shop, events=events, kept=FakeCompany()))

    assert await source.poll() == 0


@pytest.mark.parametrize("text", [files.CONFIGURATION, files.CONFIGURATION + SECOND])
def test_there_are_flows_for_every_market(tmp_path: Path, text: str) -> None:
    kept = FakeCompany()

    parts = built(tmp_path, text, FakeShop(), events=FakeEvents(), kept=kept)

    assert [flow.build(parts).flow.name for flow in FLOWS] == [flow.name for flow in FLOWS]
    # Both are of one company, whose documents each of them must be able to tell apart.
    assert set(kept.links) == ({"b2b_de", "b2c"} if SECOND in text else {"b2b_de"})
