"""What mirrors read of F&O, read from the simulated one: all of it, once, as the contract says."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession

from pricing_proxy.clock import SystemClock
from pricing_proxy.d365.fo.documents import DocumentCalls
from pricing_proxy.d365.fo.metadata import MetadataReader
from pricing_proxy.d365.fo.mirror_contracts import STOCK_ROWS, read_contracts
from pricing_proxy.d365.fo.mirror_reads import SetReads
from pricing_proxy.d365.fo.models import Row
from pricing_proxy.d365.fo.product_models import (
    AttributeValueRow,
    CatalogOrderSettingsRow,
    CatalogProductRow,
    CatalogVariantRow,
    NumberedBarcodeRow,
    ProductTranslationRow,
)
from pricing_proxy.d365.fo.schema_contract import compare_entity
from pricing_proxy.d365.fo.stock import StockReads
from pricing_proxy.d365.transport import Transport
from pricing_proxy.sandbox.book import fold
from pricing_proxy.sandbox.server import Sandbox
from tests.d365.loopback import DirectPolicy
from tests.sandbox.conftest import Client, settings

_PRODUCT_ROWS: tuple[type[Row], ...] = (
    CatalogProductRow,
    CatalogVariantRow,
    ProductTranslationRow,
    CatalogOrderSettingsRow,
    NumberedBarcodeRow,
    AttributeValueRow,
)


class _Tokens:
    def __init__(self, client: Client) -> None:
        self._client = client

    async def token(self) -> str:
        return self._client.token

    def invalidate(self, token: str) -> None:
        raise AssertionError(f"refused: {len(token)} letters")


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with (
        Sandbox(settings(tmp_path, page_size=50)) as sandbox,
        ClientSession() as session,
    ):
        signed_in = Client(sandbox, session)
        await signed_in.sign_in()
        yield signed_in


@pytest.fixture
def transport(client: Client) -> Transport:
    return Transport(
        client.session,
        base_url=client.sandbox.fo_url,
        tokens=_Tokens(client),
        clock=SystemClock(),
        system="fo",
    )


def reads(transport: Transport) -> SetReads:
    return SetReads(transport, policy=DirectPolicy(), clock=SystemClock(), chunk_rows=40)


async def test_all_stock_comes_once_and_can_be_gone_on_after(
    client: Client, transport: Transport
) -> None:
    stock = StockReads(reads(transport))
    chunks = [chunk async for chunk in stock.on_hand("demf", ["13", "24"])]
    rows = [row for chunk in chunks for row in chunk.rows]
    assert len(rows) == chunks[0].total
    assert {row.InventoryWarehouseId for row in rows} == {"13", "24"}
    ledger, book = client.sandbox.documents.stock, client.sandbox.book
    for row in rows:
        if fold(row.ItemNumber) in book.items and not row.ProductColorId:
            balance = ledger.balance((fold(row.ItemNumber), row.InventoryWarehouseId))
            assert row.AvailableOnHandQuantity.value == balance.available
    middle = chunks[len(chunks) // 2]
    later = [chunk async for chunk in stock.on_hand("demf", ["13", "24"], after=middle.last)]
    known = [row for chunk in chunks[: len(chunks) // 2 + 1] for row in chunk.rows]
    assert [*known, *(row for chunk in later for row in chunk.rows)] == rows


async def test_open_lines_of_an_item_are_found_and_closed_ones_not(
    client: Client, transport: Transport
) -> None:
    lines = [{"sku": "LAMP-01", "quantity": 2}, {"sku": "LAMP-02"}, {"sku": "LAMP-01"}]
    entered = await (await client.control("POST", "fo/orders", {"lines": lines})).json()
    first, _, third = entered["lots"]
    await client.control("POST", f"fo/orders/{entered['number']}/close", {"lots": {third: None}})
    [chunk] = [each async for each in StockReads(reads(transport)).open_lines("demf", ["lamp-01"])]
    assert [(row.InventoryLotId, row.ShippingWarehouseId) for row in chunk.rows] == [(first, "13")]


async def test_names_come_with_the_products_of_a_chunk(
    client: Client, transport: Transport
) -> None:
    await client.control("POST", "fo/products/LAMP-01", {"names": {"de": "Tischlampe"}})
    chunk = await reads(transport).between(
        ProductTranslationRow, "ProductNumber", "LAMP-01", "LAMP-03", company="demf"
    )
    names = {(row.ProductNumber, row.LanguageId): row.ProductName for row in chunk.rows}
    assert len(names) == 6
    assert names["LAMP-01", "de"] == "Tischlampe"
    assert names["LAMP-01", "en-us"] == "Lamp 1"


async def test_the_simulated_metadata_fits_what_mirrors_rely_on(transport: Transport) -> None:
    calls = DocumentCalls(
        transport, policy=DirectPolicy(), clock=SystemClock(), request_time=timedelta(seconds=30)
    )
    reader = MetadataReader(calls)
    for contract in read_contracts((*STOCK_ROWS, *_PRODUCT_ROWS)):
        name = await reader.entity_of(contract.entity_set)
        assert name, contract.entity_set
        entity = await reader.entity(name)
        assert entity is not None
        assert compare_entity(contract, entity) == []
