"""The control port's part for what F&O posts of orders; the lines are named by their numbers.

POST /systems/fo/orders/000697/ship     {"lines": {"1": 2, "2": null}, "warehouse": "14",
                                        "slip": "PS-9", "day": "2026-11-20", "carrier": "DHL",
                                        "services": false, "over": true,
                                        "also": ["000698"], "summary": true}
POST /systems/fo/orders/000697/track    {"parcel": "1Z999", "slip": "PS-9", "url": "https://…"}
POST /systems/fo/orders/000697/correct  {"lines": {"1": 1}, "slip": "PS-9"}; no lines: cancelled

POST /systems/fo/orders/000697/invoice  {"lines": {"1": 2}, "number": "CIV-9", "day": "2026-11-20",
                                        "also": ["000698"]}
POST /systems/fo/orders/000697/credit   {"lines": {"1": 1}} or {"amount": 5, "tax_group": "VAT19"},
                                        "number", "day"; of a return: all of it

POST /systems/fo/orders/000697/confirm       {"ships": "2026-12-01"}
POST /systems/fo/orders/000697/promise       {"ships": "2026-12-04", "lines": {"1": null}}
POST /systems/fo/orders/000697/start-picking {"lines": {"1": 2}}
POST /systems/fo/orders/000697/close-short   {"lines": {"1": null}}; all of an unshipped order
                                             is its cancellation

An order is named by its number, or by the shop's. What may be left out is
whatever has a default: all but `parcel`, and `ships` of a promise.
"""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from aiohttp import web

from pricing_proxy.sandbox.control_answers import (
    checked,
    number_of,
    problem,
    read_members,
    unprocessable,
)
from pricing_proxy.sandbox.dials import BadMemberError
from pricing_proxy.sandbox.documents.fulfilment import SlipTerms
from pricing_proxy.sandbox.documents.invoice_rows import Invoice
from pricing_proxy.sandbox.documents.invoicing import InvoiceTerms
from pricing_proxy.sandbox.documents.refusals import Refusal
from pricing_proxy.sandbox.documents.schema import DOCUMENT_SETS
from pricing_proxy.sandbox.documents.store import Documents
from pricing_proxy.sandbox.fo_members import text_of, warehouse_of
from pricing_proxy.sandbox.stock.ledger import StockRefusedError
from pricing_proxy.sandbox.stock.places import WAREHOUSES
from pricing_proxy.sandbox.wire import from_json, json_answer

_LINES = DOCUMENT_SETS["SalesOrderLinesV3"]
_SHIP = (
    *("lines", "warehouse", "slip", "day", "carrier"),
    *("services", "over", "also", "summary"),
)


def add_document_routes(app: web.Application, documents: Documents) -> None:
    """Add the routes under `/systems/fo/orders`."""
    control = _DocumentControl(documents)
    for name, act in control.actions.items():
        app.router.add_post(
            f"/systems/fo/orders/{{number}}/{name}", control.handler(act), name=f"fo-{name}"
        )


class _DocumentControl:
    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._lines = documents.fulfilment.lines
        self.actions: Mapping[str, Callable[[str, Mapping[str, Any]], Any]] = {
            "ship": self.ship,
            "track": self.track,
            "correct": self.correct,
            "invoice": self.invoice,
            "credit": self.credit,
            "confirm": self.confirm,
            "promise": self.promise,
            "start-picking": self.start_picking,
            "close-short": self.close_short,
        }

    def handler(self, act: Callable[[str, Mapping[str, Any]], Any]) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.Response:
            body = await request.read()
            members = read_members(body, from_json) if body else {}
            try:
                with self._documents.transaction():
                    order = self._order(request.match_info["number"])
                    return json_answer(act(order, members))
            except BadMemberError as error:
                raise unprocessable(error) from error
            except (Refusal, StockRefusedError) as refused:
                text = str(refused)
                raise web.HTTPConflict(**problem("refused", 409, text, [])) from refused

        return handle

    def ship(self, order: str, members: Mapping[str, Any]) -> Any:
        checked(members, *_SHIP)
        asked = {order: self._quantities(order, members.get("lines"))}
        asked |= {self._order(str(one)): {} for one in members.get("also") or ()}
        if "warehouse" in members:
            for one, quantities in asked.items():
                self._move(one, quantities, warehouse_of(members))
        terms = SlipTerms(
            number=text_of(members, "slip"),
            day=_day(members),
            carrier=text_of(members, "carrier") or "",
            with_services=members.get("services", True) is not False,
            is_over=members.get("over") is True,
        )
        posted = self._documents.fulfilment.ship_together(
            asked, terms, is_summary=members.get("summary") is True
        )
        return [
            {
                "slip": slip.number,
                "order": slip.order,
                "day": slip.day,
                "lines": self._told(slip.quantities),
            }
            for slip in posted
        ]

    def track(self, order: str, members: Mapping[str, Any]) -> Any:
        checked(members, "parcel", "slip", "url")
        parcel = text_of(members, "parcel")
        if parcel is None:
            raise BadMemberError("parcel", "expected the carrier's number")
        row = self._documents.slip_changes.track(
            order, parcel, slip=text_of(members, "slip"), url=text_of(members, "url")
        )
        return {"slip": row["PackingSlipNumber"], "parcel": parcel, "url": row["TrackingURL"]}

    def correct(self, order: str, members: Mapping[str, Any]) -> Any:
        checked(members, "lines", "slip")
        asked = self._quantities(order, members.get("lines"))
        right = {lot: Decimal(0) if one is None else one for lot, one in asked.items()}
        head = self._documents.slip_changes.correct(order, right, slip=text_of(members, "slip"))
        return {"slip": head["PackingSlipId"], "quantity": head["Qty"]}

    def invoice(self, order: str, members: Mapping[str, Any]) -> Any:
        checked(members, "lines", "number", "day", "also")
        asked = {order: self._quantities(order, members.get("lines"))}
        asked |= {self._order(str(one)): {} for one in members.get("also") or ()}
        return self._billed(self._documents.invoicing.invoice(asked, _invoice_terms(members)))

    def credit(self, order: str, members: Mapping[str, Any]) -> Any:
        checked(members, "lines", "amount", "tax_group", "number", "day")
        posting, terms = self._documents.credits, _invoice_terms(members)
        if "amount" in members:
            amount = number_of("amount", members["amount"])
            group = text_of(members, "tax_group") or ""
            return self._billed(posting.credit_amount(order, amount, terms, tax_group=group))
        if not self._documents.returns.headers.having("ReturnOrderNumber", order):
            order = posting.enter_return(order, self._quantities(order, members.get("lines")))
        return self._billed(posting.credit(order, terms))

    def confirm(self, order: str, members: Mapping[str, Any]) -> Any:
        checked(members, "ships")
        row = self._documents.promises.confirm(order, _day(members, "ships"))
        return {"confirmation": row["ConfirmationNumber"], "total": row["TotalConfirmedAmount"]}

    def promise(self, order: str, members: Mapping[str, Any]) -> Any:
        checked(members, "ships", "lines")
        ships = _day(members, "ships")
        if ships is None:
            raise BadMemberError("ships", "expected a date such as 2026-11-20")
        asked = self._quantities(order, members.get("lines"))
        moved = self._documents.promises.move(order, asked, ships)
        return {"lines": [f"{self._lines.row(lot)['LineNumber']:f}" for lot in moved]}

    def start_picking(self, order: str, members: Mapping[str, Any]) -> Any:
        checked(members, "lines")
        asked = self._quantities(order, members.get("lines"))
        self._documents.fulfilment.pick(order, asked)
        return self._status(order)

    def close_short(self, order: str, members: Mapping[str, Any]) -> Any:
        checked(members, "lines")
        self._documents.fulfilment.close(order, self._quantities(order, members.get("lines")))
        return self._status(order)

    def _status(self, order: str) -> Any:
        return {
            "order": order,
            "status": self._lines.header(order)["SalesOrderProcessingStatus"],
            "lines": {
                f"{row['LineNumber']:f}": row["SalesOrderLineStatus"]
                for row in self._lines.of(order)
            },
        }

    def _billed(self, invoice: Invoice) -> Any:
        return {
            "invoice": invoice.number,
            "order": invoice.order,
            "day": f"{invoice.day}",
            "rma": invoice.rma or None,
            "total": invoice.total,
            "tax": invoice.tax,
            "currency": invoice.currency,
            "lines": [
                {
                    "item": line.row["ItemNumber"],
                    "reference": line.row["OrderLineReference"],
                    "quantity": line.quantity,
                    "order": line.order,
                }
                for line in invoice.lines
            ],
        }

    def _order(self, named: str) -> str:
        """Return the number of an order, or of a return, by itself or by the shop's."""
        if self._documents.returns.headers.having("ReturnOrderNumber", named):
            return named
        headers = self._documents.orders.headers
        for field in ("SalesOrderNumber", "CustomersOrderReference"):
            if found := headers.having(field, named):
                return str(found[-1]["SalesOrderNumber"])
        raise StockRefusedError(f"There is no order {named}.")

    def _quantities(self, order: str, told: Any) -> dict[str, Decimal | None]:
        if told is None:
            return {}
        if not isinstance(told, dict):
            raise BadMemberError("lines", 'expected an object such as {"1": 2, "2": null}')
        lots = {f"{row['LineNumber']:f}": row["InventoryLotId"] for row in self._lines.of(order)}
        for number in told:
            if number not in lots:
                raise BadMemberError("lines", f"{number}: there are {', '.join(lots)}")
        return {
            lots[number]: None if one is None else number_of("lines", one)
            for number, one in told.items()
        }

    def _move(self, order: str, quantities: Mapping[str, Any], warehouse: str) -> None:
        """Have lines delivered from a warehouse."""
        for row in self._lines.of(order):
            is_meant = row["InventoryLotId"] in (quantities or self._lines.stocked(order))
            if is_meant and row["ShippingWarehouseId"] != warehouse:
                site = WAREHOUSES[warehouse].site
                changes = {"ShippingWarehouseId": warehouse, "ShippingSiteId": site}
                self._documents.change(_LINES, row, changes)

    def _told(self, quantities: Mapping[str, Decimal]) -> dict[str, Any]:
        rows = {lot: self._lines.row(lot) for lot in quantities}
        return {
            f"{row['LineNumber']:f}": {
                "item": row["ItemNumber"],
                "reference": row["OrderLineReference"],
                "quantity": quantities[lot],
                "warehouse": row["ShippingWarehouseId"],
            }
            for lot, row in rows.items()
        }


def _invoice_terms(members: Mapping[str, Any]) -> InvoiceTerms:
    return InvoiceTerms(number=text_of(members, "number"), day=_day(members))


def _day(members: Mapping[str, Any], name: str = "day") -> date | None:
    told = text_of(members, name)
    try:
        return None if told is None else date.fromisoformat(told)
    except ValueError:
        raise BadMemberError(name, "expected a date such as 2026-11-20") from None
