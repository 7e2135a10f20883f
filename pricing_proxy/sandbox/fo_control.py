"""The control port's part for F&O: what people and other channels do there.

GET    /systems/fo/stock/LAMP-01             what is where, and which lines want it
POST   /systems/fo/stock/LAMP-01             {"warehouse": "13", "quantity": 12}, or
                                             {"change": -3}, {"ordered": 50}
DELETE /systems/fo/stock/LAMP-01?warehouse=  no row any more, of one or of all warehouses
PATCH  /systems/fo/stock                     {"LAMP-01": {"13": 12, "14": -3}} changes of many
POST   /systems/fo/orders                    {"customer": "C-1001", "lines": [{"sku": "LAMP-01",
                                             "quantity": 2, "warehouse": "13"}]}
PUT    /systems/fo/orders                    {"orders": [{"number": "W00001", …}]}: many at once
PATCH  /systems/fo/orders/000697             {"lot": "011001", "quantity": 1, "warehouse": "14"}
POST   /systems/fo/orders/000697/reserve     {"lots": {"011001": 2}}; without: all that is left
       likewise /unreserve, /pick, /slip, /close, /stop, /release
GET    /systems/fo/slips
POST   /systems/fo/products/LAMP-01          {"name": "Lamp"}, {"is_stopped": true} …
PUT    /systems/fo/products/LAMP-99          releases a new one; DELETE withdraws one
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from aiohttp import web

from pricing_proxy.sandbox.book import Book, Variant, fold
from pricing_proxy.sandbox.control_answers import (
    checked,
    number_of,
    problem,
    read_members,
    unprocessable,
)
from pricing_proxy.sandbox.dials import BadMemberError
from pricing_proxy.sandbox.documents.fulfilment import Fulfilment
from pricing_proxy.sandbox.documents.open_lines import Quantities
from pricing_proxy.sandbox.documents.refusals import Refusal
from pricing_proxy.sandbox.documents.schema import DOCUMENT_SETS
from pricing_proxy.sandbox.documents.store import Documents
from pricing_proxy.sandbox.fo_members import text_of, warehouse_of
from pricing_proxy.sandbox.product_changes import change_product, release_product, withdraw_product
from pricing_proxy.sandbox.stock.ledger import StockRefusedError, place_of, warehouses_of
from pricing_proxy.sandbox.stock.places import WAREHOUSES
from pricing_proxy.sandbox.wire import from_json, json_answer

_HEADERS = DOCUMENT_SETS["SalesOrderHeadersV3"]
_LINES = DOCUMENT_SETS["SalesOrderLinesV3"]
_FO = "/systems/fo"


def add_fo_routes(app: web.Application, book: Book, documents: Documents) -> None:
    """Add the routes under `/systems/fo`."""
    control = _FoControl(book, documents)
    router = app.router
    router.add_get(f"{_FO}/stock/{{sku}}", control.stock)
    router.add_post(f"{_FO}/stock/{{sku}}", control.set_stock)
    router.add_delete(f"{_FO}/stock/{{sku}}", control.drop_stock)
    router.add_patch(f"{_FO}/stock", control.change_much)
    router.add_post(f"{_FO}/orders", control.enter_order)
    router.add_put(f"{_FO}/orders", control.enter_orders)
    router.add_patch(f"{_FO}/orders/{{number}}", control.change_line)
    router.add_post(f"{_FO}/orders/{{number}}/{{action}}", control.act)
    router.add_get(f"{_FO}/slips", control.slips)
    router.add_post(f"{_FO}/products/{{sku}}", control.change_product)
    router.add_put(f"{_FO}/products/{{sku}}", control.release_product)
    router.add_delete(f"{_FO}/products/{{sku}}", control.withdraw_product)


class _FoControl:
    def __init__(self, book: Book, documents: Documents) -> None:
        self._book = book
        self._documents = documents

    async def stock(self, request: web.Request) -> web.Response:
        return json_answer(self._told(request.match_info["sku"]))

    async def set_stock(self, request: web.Request) -> web.Response:
        members = read_members(await request.read(), from_json)
        sku = request.match_info["sku"]
        return self._done(lambda: self._set(sku, members))

    async def change_much(self, request: web.Request) -> web.Response:
        members = read_members(await request.read(), from_json)
        return self._done(lambda: self._change_much(members))

    async def drop_stock(self, request: web.Request) -> web.Response:
        sku, one = request.match_info["sku"], request.query.get("warehouse")
        ledger = self._documents.stock
        for warehouse in (one,) if one else WAREHOUSES:
            ledger.drop(place_of(sku, warehouse_of({"warehouse": warehouse})))
        return self._done(lambda: self._told(sku))

    async def enter_order(self, request: web.Request) -> web.Response:
        members = read_members(await request.read(), from_json)
        return self._done(lambda: self._entered(members), status=201)

    async def enter_orders(self, request: web.Request) -> web.Response:
        members = read_members(await request.read(), from_json)
        return self._done(lambda: self._entered_together(members), status=201)

    async def change_line(self, request: web.Request) -> web.Response:
        members = read_members(await request.read(), from_json)
        return self._done(lambda: self._changed(members))

    async def act(self, request: web.Request) -> web.Response:
        body = await request.read()
        members = read_members(body, from_json) if body else {}
        action, number = request.match_info["action"], request.match_info["number"]
        return self._done(lambda: self._acted(action, number, members))

    async def slips(self, _: web.Request) -> web.Response:
        return json_answer([asdict(slip) for slip in self._documents.fulfilment.slips])

    async def change_product(self, request: web.Request) -> web.Response:
        members = read_members(await request.read(), from_json)
        sku = request.match_info["sku"]
        return self._done(lambda: _card(change_product(self._book, sku, members)))

    async def release_product(self, request: web.Request) -> web.Response:
        members = read_members(await request.read(), from_json)
        sku = request.match_info["sku"]
        return self._done(lambda: _card(release_product(self._book, sku, members)), status=201)

    async def withdraw_product(self, request: web.Request) -> web.Response:
        return self._done(lambda: withdraw_product(self._book, request.match_info["sku"]))

    def _told(self, sku: str) -> dict[str, Any]:
        ledger = self._documents.stock
        is_known = fold(sku) in self._book.items or fold(sku) in self._book.variants
        warehouses = warehouses_of(fold(sku), ledger.others.get(fold(sku), {})) if is_known else ()
        return {"sku": sku, "warehouses": {one: self._place(sku, one) for one in warehouses}}

    def _place(self, sku: str, warehouse: str) -> dict[str, Any]:
        place = place_of(sku, warehouse)
        balance = self._documents.stock.balance(place)
        lines = self._documents.stock.lines_at(place)
        return {**asdict(balance), "available": balance.available, "lines": [*map(asdict, lines)]}

    def _set(self, sku: str, members: Mapping[str, Any]) -> dict[str, Any]:
        if fold(sku) not in self._book.items and fold(sku) not in self._book.variants:
            raise BadMemberError("sku", f"there is no released product {sku}")
        known = ("warehouse", "quantity", "change", "ordered")
        checked(members, *known)
        place, ledger = place_of(sku, warehouse_of(members)), self._documents.stock
        if "quantity" in members:
            ledger.put(place, number_of("quantity", members["quantity"]))
        if "change" in members:
            change = number_of("change", members["change"])
            ledger.put(place, ledger.balance(place).on_hand + change)
        if "ordered" in members:
            ledger.expect(place, number_of("ordered", members["ordered"]))
        return self._told(sku)

    def _change_much(self, changes: Mapping[str, Any]) -> dict[str, int]:
        for sku, places in changes.items():
            if not isinstance(places, dict):
                raise BadMemberError(sku, 'expected an object such as {"13": 12}')
            for warehouse, change in places.items():
                self._set(sku, {"warehouse": warehouse, "change": change})
        return {"skus": len(changes)}

    def _entered_together(self, members: Mapping[str, Any]) -> dict[str, Any]:
        checked(members, "orders")
        orders = members.get("orders")
        if not isinstance(orders, list) or not all(isinstance(one, dict) for one in orders):
            raise BadMemberError("orders", 'expected a list such as [{"lines": []}]')
        with self._documents.transaction():
            return {"orders": [self._entered(one) for one in orders]}

    def _entered(self, members: Mapping[str, Any]) -> dict[str, Any]:
        header = {
            "SalesOrderNumber": text_of(members, "number") or "",
            "dataAreaId": self._book.company,
            "OrderingCustomerAccountNumber": members.get("customer", "C-1003"),
            "CustomersOrderReference": members.get("reference", ""),
            "SalesOrderOriginCode": members.get("origin", "PHONE"),
            "IsSalesProcessingStopped": "Yes" if members.get("is_stopped") else "No",
        }
        lines = members.get("lines")
        if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
            raise BadMemberError("lines", 'expected a list such as [{"sku": "LAMP-01"}]')
        with self._documents.transaction():
            number = self._documents.create(_HEADERS, header)["SalesOrderNumber"]
            lots = [self._line(number, line) for line in lines]
        return {"number": number, "lots": lots}

    def _line(self, number: str, line: Mapping[str, Any]) -> str:
        asked = {
            "OrderedSalesQuantity": number_of("quantity", line.get("quantity", 1)),
            "SalesUnitSymbol": line.get("unit"),
            "ShippingWarehouseId": warehouse_of(line),
            "InventoryReservationMethod": line.get("reservation"),
            "OrderLineReference": line.get("reference"),
        }
        row = self._documents.create(
            _LINES,
            {
                "dataAreaId": self._book.company,
                "SalesOrderNumber": number,
                "ShippingSiteId": WAREHOUSES[warehouse_of(line)].site,
                **self._item_of(str(line.get("sku", ""))),
                **{name: value for name, value in asked.items() if value is not None},
            },
        )
        return str(row["InventoryLotId"])

    def _item_of(self, sku: str) -> dict[str, str]:
        variant: Variant | None = self._book.variants.get(fold(sku))
        if variant is None:
            return {"ItemNumber": sku}
        dimensions = variant.dimensions
        return {
            "ItemNumber": variant.item,
            "ProductColorId": dimensions.color,
            "ProductSizeId": dimensions.size,
        }

    def _changed(self, members: Mapping[str, Any]) -> None:
        lot = str(members.get("lot", ""))
        row = self._documents.orders.lines.get(self._book.company, lot)
        if row is None:
            raise BadMemberError("lot", "expected a line's lot id")
        changes: dict[str, Any] = {}
        if "quantity" in members:
            changes["OrderedSalesQuantity"] = number_of("quantity", members["quantity"])
        if "warehouse" in members:
            changes["ShippingWarehouseId"] = warehouse_of(members)
            changes["ShippingSiteId"] = WAREHOUSES[warehouse_of(members)].site
        self._documents.change(_LINES, row, changes)

    def _acted(self, action: str, number: str, members: Mapping[str, Any]) -> Any:
        fulfilment = self._documents.fulfilment
        if action in ("stop", "release"):
            return self._stop(number, is_stopped=action == "stop")
        if action not in _ACTIONS:
            raise BadMemberError(
                "action", f"unknown; there are stop, release, {', '.join(_ACTIONS)}"
            )
        told = members.get("lots", {})
        if not isinstance(told, dict):
            raise BadMemberError("lots", 'expected an object such as {"011001": 2}')
        lots = {
            lot: None if quantity is None else number_of("lots", quantity)
            for lot, quantity in told.items()
        }
        with self._documents.transaction():
            return {"done": _ACTIONS[action](fulfilment, number, lots)}

    def _stop(self, number: str, *, is_stopped: bool) -> None:
        row = self._documents.orders.headers.get(self._book.company, number)
        if row is None:
            raise BadMemberError("number", "there is no such order")
        said = "Yes" if is_stopped else "No"
        self._documents.change(_HEADERS, row, {"IsSalesProcessingStopped": said})

    def _done(self, act: Callable[[], Any], *, status: int = 200) -> web.Response:
        try:
            return json_answer(act(), status=status)
        except BadMemberError as error:
            raise unprocessable(error) from error
        except (Refusal, StockRefusedError) as refused:
            raise web.HTTPConflict(**problem("refused", 409, str(refused), [])) from refused


def _slip(fulfilment: Fulfilment, number: str, lots: Quantities) -> Any:
    return asdict(fulfilment.ship(number, lots))


_ACTIONS: Mapping[str, Callable[[Fulfilment, str, Quantities], Any]] = {
    "reserve": Fulfilment.reserve,
    "unreserve": Fulfilment.unreserve,
    "pick": Fulfilment.pick,
    "slip": _slip,
    "close": Fulfilment.close,
}


def _card(card: Any) -> dict[str, Any]:
    told = asdict(card)
    return {
        name: str(value) if name.startswith("sell_") and value else value
        for name, value in told.items()
    }
