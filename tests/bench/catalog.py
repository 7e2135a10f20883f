"""An ERP with a large catalog, in a process of its own: python -m tests.bench.catalog PORTFILE.

Pages are made once, so that it answers as fast as a network would. `POST /change` makes every
product another one, which is the worst that a re-read can meet.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

PRODUCTS, MASTERS, VARIANTS_EACH, CUSTOMERS = 200_000, 5000, 10, 50_000
SKUS = PRODUCTS + MASTERS * VARIANTS_EACH
_PAGE = 10_000
_COMPANY = "demf"
_TEXTS = (
    "ProductType ProductLifecycleStateId InventoryUnitSymbol SalesLineDiscountProductGroupCode"
    " SalesMultilineDiscountProductGroupCode IsSalesPriceIncludingCharges"
    " WillTotalSalesDiscountCalculationIncludeProduct"
)
_PRODUCT: dict[str, Any] = {
    **dict.fromkeys(_TEXTS.split()),
    "SalesUnitSymbol": "PCS",
    "SalesPriceQuantity": 1,
    "SalesPriceDate": "1900-01-01T12:00:00Z",
    "FixedSalesPriceCharges": 0,
    "SalesChargesQuantity": 0,
}
_CUSTOMER_TEXTS = (
    "CustomerGroupId LineDiscountCode MultiLineDiscountCode TotalDiscountCode InvoiceAccount"
    " OnHoldStatus IsSalesTaxIncludedInPrices"
)


def _products(price: float) -> list[dict[str, Any]]:
    numbers = [(f"ITEM-{number:07}", "Product") for number in range(PRODUCTS)]
    numbers += [(f"MASTER-{number:05}", "ProductMaster") for number in range(MASTERS)]
    more = {"SalesPrice": price, **_PRODUCT}
    return [
        {"ItemNumber": name, "ProductNumber": name, "ProductSubType": kind, **more}
        for name, kind in numbers
    ]


def _variants() -> list[dict[str, Any]]:
    return [
        {
            "ItemNumber": f"MASTER-{master:05}",
            "ProductMasterNumber": f"MASTER-{master:05}",
            "ProductVariantNumber": f"MASTER-{master:05}-{size:02}",
            "ProductColorId": "Red",
            "ProductSizeId": f"{size:02}",
            "ProductStyleId": "",
            "ProductConfigurationId": "",
            "ProductVersionId": "",
        }
        for master in range(MASTERS)
        for size in range(VARIANTS_EACH)
    ]


def _customers() -> list[dict[str, Any]]:
    members = {**dict.fromkeys(_CUSTOMER_TEXTS.split()), "SalesCurrencyCode": "EUR"}
    return [
        {"CustomerAccount": f"C-{number:06}", "DiscountPriceGroupId": f"G{number % 50}", **members}
        for number in range(CUSTOMERS)
    ]


def _pages(rows: list[dict[str, Any]]) -> list[bytes]:
    pages: list[bytes] = []
    for start in range(0, len(rows), _PAGE):
        chunk = [{"dataAreaId": _COMPANY, **row} for row in rows[start : start + _PAGE]]
        page: dict[str, Any] = {"@odata.count": len(rows), "value": chunk}
        if start + _PAGE < len(rows):
            page["@odata.nextLink"] = f"?$skiptoken={len(pages) + 1}"
        pages.append(json.dumps(page).encode())
    return pages


def _book(price: float) -> Mapping[str, list[bytes]]:
    products = _products(price)
    stopped = [
        {"ItemNumber": each["ItemNumber"], "IsSalesProcessingStopped": "No"} for each in products
    ]
    return {
        "ReleasedProductsV2": _pages(products),
        "ReleasedProductVariantsV2": _pages(_variants()),
        "ProductDefaultOrderSettings": _pages(stopped),
        "CustomersV3": _pages(_customers()),
    }


def catalog() -> web.Application:
    """Return the ERP as an application."""
    books = [_book(19.9), _book(20.9)]

    async def page(request: web.Request) -> web.Response:
        pages = books[0][request.match_info["name"]]
        body = pages[int(request.query.get("$skiptoken", "0"))]
        return web.Response(body=body, content_type="application/json")

    async def change(_: web.Request) -> web.Response:
        books.reverse()
        return web.Response()

    app = web.Application()
    app.router.add_get("/data/{name}", page)
    app.router.add_post("/change", change)
    return app


async def serve(port_file: Path) -> None:
    """Serve until killed; the address is written into a file once it is known."""
    runner = web.AppRunner(catalog())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    begun = port_file.with_suffix(".part")
    begun.write_text(f"http://{host}:{port}", encoding="ascii")
    begun.rename(port_file)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
