"""The recorded lives of products and prices happen again, from the first creation to the end.

Each recording is sent in its turn to a shop that begins as the recorded one did, without
configurables, so that answers can be compared by value: only what is counted or dated differs.
"""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from pricing_proxy.clock import SystemClock
from pricing_proxy.sandbox.catalog import CatalogSize
from pricing_proxy.sandbox.server import Sandbox, SandboxSettings
from tests.magento.recordings import Recording, recordings
from tests.shop.conftest import Wire
from tests.shop.lives import plain, same
from tests.shop.replay import replay

CATALOG = recordings("catalog")
PRICES = recordings("prices")
# The attribute's id is the next one; the group is one that the shop has.
WORDS = {"137": "144", "Tier A dealers": "Dealers"}
# Sets of attributes, categories and custom options are nobody's business here.
NOT_SERVED = (
    "04_attribute_assign_to_set",
    "05_category_create",
    "17_product_custom_options_create",
    "18_product_get_with_options",
)
# As they were sent; their numbers are by subject. Special prices and single ones are not served.
PRICES_IN_TURN = (
    *("01", "02", "02b", "02c", "02d", "02e", "02f", "02g", "02h"),
    *("10", "12", "13", "14", "14b", "15", "15b", "15c", "30"),
    *("11", "11b", "11c", "11d", "11e", "11f", "11g", "12b", "16", "16b", "18"),
)


@pytest.fixture
async def young(tmp_path: Path) -> AsyncIterator[Wire]:
    """Return a way to a shop whose attributes have no options yet."""
    size = CatalogSize(skus=1, customers=3)
    settings = SandboxSettings(state_dir=tmp_path, latency_ms=0, entra_latency_ms=0, size=size)
    async with Sandbox(settings) as sandbox, ClientSession() as session:
        yield Wire(sandbox, session, SystemClock())


async def lived(wire: Wire, recording: Recording) -> None:
    answer = await replay(wire, recording, WORDS)
    if recording.status == 200:
        assert same(plain(recording.answer, WORDS), answer.body) == [], recording.name


async def made(wire: Wire, **members: Any) -> None:
    product: Mapping[str, Any] = {"attribute_set_id": 4, "price": 1, **members}
    answer = await wire.send("POST", "/rest/all/V1/products", {"product": product})
    assert answer.status == 200, answer.body


async def test_the_recorded_lives_of_products_and_prices_happen_again(young: Wire) -> None:
    """From an attribute's first option to the last price row, each in its turn."""
    for name, recording in CATALOG.items():
        if name == "15_configurable_link_child_blue":
            # Recorded between the others, under no name of its own.
            blue = [{"attribute_code": "lab_color", "value": "5"}]
            await made(
                young, sku="LAB-C1-BLUE", name="Lab conf Blue", price=32, custom_attributes=blue
            )
        if name not in NOT_SERVED and not name.startswith("sku_case"):
            await lived(young, recording)
    await made(young, sku="LAB-O1", name="Lab custom options", price=50)
    for turn in PRICES_IN_TURN:
        if turn == "11d":
            # Left there by calls that were not recorded.
            rows = [tier_row(quantity=3), tier_row(quantity=4)]
            await young.send("POST", "/rest/V1/products/tier-prices", {"prices": rows})
        if turn == "18":
            cost = {"attribute_code": "cost", "value": 9.5}
            stock = {"stock_item": {"qty": 1, "is_in_stock": True}}
            changed = {"name": "Lab simple 1", "weight": 1, "custom_attributes": [cost]}
            changed |= {"extension_attributes": stock}
            await young.send("PUT", "/rest/all/V1/products/LAB-S1", {"product": changed})
        [recording] = [one for name, one in PRICES.items() if name.startswith(f"{turn}_")]
        await lived(young, recording)


def tier_row(**members: Any) -> Any:
    row = {"price": 20, "price_type": "fixed", "website_id": 0, "sku": "LAB-S1"}
    return {**row, "customer_group": WORDS["Tier A dealers"], **members}
