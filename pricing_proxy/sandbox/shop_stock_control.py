"""The control port's part for the shop's stock: what nobody else may see or do from outside.

A source item is edited by hand, as in the shop's back office; sources and stocks are made; and
a judge reads what the shop tells no client, reservations row by row.

    POST /systems/magento/stock/LAMP-01  {"source": "berlin", "quantity": 12, "status": 1}
    GET  /systems/magento/stock/LAMP-01
    GET  /systems/magento/source-items?source=berlin&after=0&most=1000    after so many of its rows
    POST /systems/magento/sources        {"source_code": "lyon", "name": "Lyon"}
    POST /systems/magento/stocks         {"name": "France", "websites": [], "sources": ["lyon"]}
    GET  /systems/magento/stocks
"""

from collections.abc import Collection, Mapping
from typing import Any

from aiohttp import web

from pricing_proxy.sandbox.control_answers import checked, number_of, read_members, whole
from pricing_proxy.sandbox.dials import BadMemberError
from pricing_proxy.sandbox.shop.inventory.inventory import Inventory
from pricing_proxy.sandbox.shop.inventory.source_items import IN_STOCK, OUT_OF_STOCK
from pricing_proxy.sandbox.shop.stores import WEBSITES
from pricing_proxy.sandbox.shop_answers import answered, done
from pricing_proxy.sandbox.wire import from_json

_MAGENTO = "/systems/magento"
_WEBSITES = tuple(store.website for store in WEBSITES)


def add_stock_routes(app: web.Application, inventory: Inventory) -> None:
    """Add the routes under `/systems/magento`."""
    control = _StockControl(inventory)
    app.router.add_get(f"{_MAGENTO}/stock/{{sku}}", control.told)
    app.router.add_post(f"{_MAGENTO}/stock/{{sku}}", control.edit)
    app.router.add_get(f"{_MAGENTO}/source-items", control.held)
    app.router.add_post(f"{_MAGENTO}/sources", control.make_source)
    app.router.add_get(f"{_MAGENTO}/stocks", control.network)
    app.router.add_post(f"{_MAGENTO}/stocks", control.make_stock)


class _StockControl:
    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    async def told(self, request: web.Request) -> web.Response:
        return answered(self._told(request.match_info["sku"]))

    async def edit(self, request: web.Request) -> web.Response:
        members = read_members(await request.read(), from_json)
        return done(lambda: self._edited(request.match_info["sku"], members))

    async def held(self, request: web.Request) -> web.Response:
        return done(lambda: self._held(request.query))

    async def make_source(self, request: web.Request) -> web.Response:
        members = read_members(await request.read(), from_json)
        return done(lambda: self._made_source(members), status=201)

    async def network(self, _: web.Request) -> web.Response:
        return answered(self._network())

    async def make_stock(self, request: web.Request) -> web.Response:
        members = read_members(await request.read(), from_json)
        return done(lambda: self._made_stock(members), status=201)

    def _told(self, sku: str) -> dict[str, Any]:
        inventory = self._inventory
        return {
            "sku": sku,
            "source_items": [item.body() for item in inventory.items.of(sku)],
            "reservations": [row.body() for row in inventory.reservations.rows(sku)],
            "stocks": [
                {
                    "stock_id": stock_id,
                    "indexed": inventory.indexed(sku, stock_id),
                    "reserved": -inventory.reservations.of(sku, stock_id),
                    "salable": inventory.salable(sku, stock_id),
                }
                for stock_id in inventory.network.stocks
            ],
        }

    def _held(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        source = query.get("source", "")
        self._check_sources("source", [source])
        after, most = (whole(name, query.get(name, "0")) for name in ("after", "most"))
        page = self._inventory.items.page(source, after=after, most=most)
        return [item.body() for item in page]

    def _edited(self, sku: str, members: Mapping[str, Any]) -> dict[str, Any]:
        checked(members, "source", "quantity", "status")
        source, status = members.get("source"), members.get("status", IN_STOCK)
        self._check_sources("source", [source])
        if status not in (IN_STOCK, OUT_OF_STOCK):
            raise BadMemberError("status", "expected 1 for in stock, or 0")
        quantity = number_of("quantity", members.get("quantity"))
        self._inventory.write(sku, str(source), quantity, status)
        return self._told(sku)

    def _made_source(self, members: Mapping[str, Any]) -> dict[str, Any]:
        checked(members, "source_code", "name", "enabled")
        code = members.get("source_code")
        if not isinstance(code, str) or not code or any(letter.isspace() for letter in code):
            raise BadMemberError("source_code", "expected a code without blanks")
        self._inventory.network.save_source(
            {"name": code, "country_id": "DE", "postcode": "10115", **members}
        )
        return self._inventory.network.sources[code]

    def _made_stock(self, members: Mapping[str, Any]) -> dict[str, Any]:
        checked(members, "name", "websites", "sources")
        websites, sources = members.get("websites", []), members.get("sources", [])
        if not _are_of(websites, _WEBSITES):
            raise BadMemberError("websites", f"expected some of {', '.join(_WEBSITES)}")
        self._check_sources("sources", sources)
        stock = self._inventory.network.save_stock(str(members.get("name", "Stock")), websites)
        for priority, source in enumerate(sources, start=1):
            self._inventory.network.link(stock.id, source, priority)
        return stock.body()

    def _network(self) -> dict[str, Any]:
        network = self._inventory.network
        return {
            "sources": list(network.sources.values()),
            "stocks": [stock.body() for stock in network.stocks.values()],
            "links": network.links(),
        }

    def _check_sources(self, name: str, codes: Any) -> None:
        known = self._inventory.network.sources
        if not _are_of(codes, known):
            raise BadMemberError(name, f"expected sources; there are {', '.join(known)}")


def _are_of(given: Any, known: Collection[str]) -> bool:
    is_list = isinstance(given, list)
    return is_list and all(isinstance(one, str) and one in known for one in given)
