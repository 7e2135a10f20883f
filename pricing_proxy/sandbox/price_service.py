"""The custom price service over `PriceDisc`: body in, priced lines out.

A request names company, customer, currency, date and at most 100 lines. A line that cannot
be priced says so in its own `error` and fails no other; a request that cannot be understood
is refused whole, with the application's error envelope. Discounts follow the policy "Line":
a question about prices is no document, so there is nothing whose quantities a multiline
discount could add up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

from orjson import Fragment

from pricing_proxy.sandbox.agreement_match import Question
from pricing_proxy.sandbox.book import ZERO, Book, Customer, Dimensions, Item, fold
from pricing_proxy.sandbox.dials import Dials
from pricing_proxy.sandbox.discount_search import find_line_discount, line_net, rounded
from pricing_proxy.sandbox.price_search import conversion_factor, find_price

MAX_LINES = 100
_NET_DECIMALS = 2
_DEADLOCK = (
    "Cannot select a record in Price/discount agreements (PriceDiscTable). Transaction was "
    "deadlocked on lock resources with another process and has been chosen as the deadlock victim."
)
# Decimal numbers of X++ have this many digits; a longer quantity is a slip, or an attack.
_MAX_QUANTITY = Decimal(10) ** 15
_MAX_DECIMALS = 12
_DIMENSION_MEMBERS = {
    "colorId": "color",
    "sizeId": "size",
    "styleId": "style",
    "configId": "config",
    "versionId": "version",
    "siteId": "site",
    "warehouseId": "warehouse",
}


# By the words of the dial `odd_lines`.
_SPOILED = {
    "null": None,
    "text": "on request",
    "NaN": Fragment(b"NaN"),
    "1e99": Fragment(b"1e99"),
    "0": ZERO,
    "-1": Decimal(-1),
}


class UnpricedError(Exception):
    """The request as a whole cannot be answered; the message goes into the envelope."""


class InvalidLineError(UnpricedError):
    """One of its lines fails a validation of the application."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    ref: str
    item_number: str
    dimensions: Dimensions
    unit: str
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    customer: str
    currency: str
    on: date
    lines: tuple[_Line, ...]


class ErpPriceService:
    """Answers `getPrices` out of the book as it is now."""

    def __init__(self, book: Book, dials: Dials, *, seed: str) -> None:
        self._book = book
        self._dials = dials
        self._random = Random(seed)  # noqa: S311 - faults must repeat, not surprise

    @property
    def page_status(self) -> int | None:
        """The status of the page that stands where the service should be; None for the service."""
        return self._dials.price_page

    def get_prices(self, body: Any) -> dict[str, Any]:
        """Return the answer's body for a request's.

        Raises:
            UnpricedError: The request is not the contract's, holds a poisoned SKU, or is a
                deadlock's victim.
            InvalidLineError: It holds a line that is poison for its customer.
        """
        request = _parse(body, company=self._book.company)
        if self._random.random() < self._dials.deadlock_rate:
            raise UnpricedError(_DEADLOCK)
        self._refuse_poison(request)
        dropped = {fold(sku) for sku in self._dials.drop_lines}
        kept = [line for line in request.lines if fold(self._sku(line)) not in dropped]
        odd = {fold(sku): said for sku, said in self._dials.odd_lines.items()}
        answers = [
            answer
            for line in kept
            for answer in _spoiled(self._answer(request, line), odd.get(fold(self._sku(line))))
        ]
        return {
            "$id": "1",
            "lines": [
                {"$id": str(number), **answer} for number, answer in enumerate(answers, start=2)
            ],
        }

    def _sku(self, line: _Line) -> str:
        return self._book.sku_of(line.item_number, line.dimensions)

    def _refuse_poison(self, request: _Request) -> None:
        everybodys = {fold(sku) for sku in self._dials.poison_skus}
        customers = {
            fold(line["sku"])
            for line in self._dials.poison_lines
            if fold(line["customer"]) == fold(request.customer)
        }
        for line in request.lines:
            if fold(self._sku(line)) in everybodys:
                raise UnpricedError(f"Update has been canceled for item '{line.item_number}'.")
            if fold(self._sku(line)) in customers:
                raise InvalidLineError(f"Item '{line.item_number}' is blocked for 'Sales order'.")

    def _answer(self, request: _Request, line: _Line) -> dict[str, Any]:
        customer = self._book.customers.get(fold(request.customer))
        if customer is None:
            return _failed(request, line, "CustomerNotFound")
        item = self._item(line)
        if item is None:
            return _failed(request, line, "ItemNotFound")
        if item.is_stopped:
            return _failed(request, line, "NotForSale")
        if conversion_factor(self._book, item, line.unit, item.sales_unit) is None:
            return _failed(request, line, "UnitNotConvertible")
        return self._priced(request, line, customer, item)

    def _item(self, line: _Line) -> Item | None:
        """Return the released item, None also when the dimensions name no variant of it."""
        if any(line.dimensions.product) and fold(self._sku(line)) not in self._book.variants:
            return None
        return self._book.items.get(fold(line.item_number))

    def _priced(
        self, request: _Request, line: _Line, customer: Customer, item: Item
    ) -> dict[str, Any]:
        question = Question(
            customer=customer,
            item=item,
            dimensions=line.dimensions,
            unit=line.unit,
            quantity=line.quantity,
            currency=request.currency,
            on=request.on,
        )
        price = find_price(self._book, question)
        if price is None:
            return _failed(request, line, "NoPriceFound")
        discount = find_line_discount(self._book, question)
        net = line_net(line.quantity, price, discount, rules=self._book.rules)
        return {
            "ref": line.ref,
            "unitPrice": price.price,
            "priceUnit": price.price_unit,
            "priceCharges": price.charges,
            "lineDiscPercent": discount.percent_as_decimal,
            "lineDiscAmount": discount.amount,
            "multilineDiscPercent": ZERO,
            "netAmount": rounded(net, _NET_DECIMALS),
            "currency": request.currency,
            "source": price.source,
            "error": None,
        }


def _spoiled(answer: dict[str, Any], said: str | None) -> list[dict[str, Any]]:
    """Return the lines that are answered for one, by what the dial says; None leaves it well."""
    if said is None:
        return [answer]
    if said == "twice":
        return [answer, answer]
    if said == "nameless":
        return [{name: value for name, value in answer.items() if name != "ref"}]
    if said == "USD":
        return [answer | {"currency": said}]
    if said not in _SPOILED:
        return [answer | {"error": said}]
    return [answer | dict.fromkeys(("unitPrice", "netAmount"), _SPOILED[said])]


def _failed(request: _Request, line: _Line, error: str) -> dict[str, Any]:
    numbers = (
        "unitPrice",
        "priceUnit",
        "priceCharges",
        "lineDiscPercent",
        "lineDiscAmount",
        "multilineDiscPercent",
        "netAmount",
    )
    zeros = dict.fromkeys(numbers, ZERO)
    rest = {"currency": request.currency, "source": "", "error": error}
    return {"ref": line.ref, **zeros, **rest}


def _parse(body: Any, *, company: str) -> _Request:
    request = _member(body, "_request", dict)
    lines = _member(request, "lines", list)
    if len(lines) > MAX_LINES:
        raise UnpricedError(f"At most {MAX_LINES} lines are priced in one call.")
    entity = _member(request, "dataAreaId", str)
    if fold(entity) != fold(company):
        raise UnpricedError(f"The legal entity '{entity}' does not exist.")
    return _Request(
        customer=_member(request, "customerAccount", str),
        currency=_member(request, "currency", str).upper(),
        on=_date(_member(request, "date", str)),
        lines=tuple(_line(line) for line in lines),
    )


def _member(owner: Any, name: str, kind: type) -> Any:
    value = owner.get(name) if isinstance(owner, dict) else None
    if not isinstance(value, kind):
        raise UnpricedError(f"Parameter '{name}' is missing or has the wrong type.")
    return value


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UnpricedError("Parameter 'date' is not a date.") from None


def _line(line: Mapping[str, Any]) -> _Line:
    return _Line(
        ref=_member(line, "ref", str),
        item_number=_member(line, "itemNumber", str),
        dimensions=Dimensions(
            **{ours: _optional(line, theirs) for theirs, ours in _DIMENSION_MEMBERS.items()}
        ),
        unit=_member(line, "unit", str),
        quantity=_quantity(line),
    )


def _optional(line: Mapping[str, Any], name: str) -> str:
    return "" if line.get(name) is None else str(_member(line, name, str))


def _quantity(line: Mapping[str, Any]) -> Decimal:
    value = line.get("quantity")
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        quantity = Decimal(value)
        if abs(quantity) < _MAX_QUANTITY and -int(quantity.as_tuple().exponent) <= _MAX_DECIMALS:
            return quantity
    raise UnpricedError("Parameter 'quantity' is missing or not a number.")
