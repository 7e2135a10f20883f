"""Tax rates by country, and the lists of taxes that an order shows beside its lines."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pricing_proxy.sandbox.shop.catalog import REDUCED, UNTAXED
from pricing_proxy.sandbox.shop.order_lines import Line
from pricing_proxy.sandbox.shop.totals import ZERO, Amounts

_STANDARD_RATES = {"DE": Decimal(19), "NL": Decimal(21), "AT": Decimal(20)}
_REDUCED_RATES = {"DE": Decimal(7), "NL": Decimal(9), "AT": Decimal(10)}


class Rates:
    """The tax rates of a country; none is charged where the shop has no rate."""

    def __init__(self, country: str) -> None:
        self._country = country

    def of(self, tax_class: str) -> Decimal:
        """Return the percent of a tax class, 0 where the shop has no rate."""
        if tax_class == UNTAXED:
            return ZERO
        table = _REDUCED_RATES if tax_class == REDUCED else _STANDARD_RATES
        return table.get(self._country, ZERO)

    def code(self, rate: Decimal) -> str:
        """Return the name of a rate, such as DE-19."""
        return f"{self._country}-{rate}"


def tax_lists(
    items: list[dict[str, Any]],
    lines: list[Line],
    *,
    shipping: Amounts,
    rates: Rates,
    taxes: Mapping[Decimal, Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the four lists of taxes; each adds up to `tax_amount`.

    A tax of which nothing is due is in none of them, though lines have its rate.
    """
    by_item = [
        {
            "type": "product",
            "item_id": item["item_id"],
            "applied_taxes": [_applied(rates, line.amounts.rate, line.amounts.tax)],
        }
        for item, line in zip(items, lines, strict=True)
        if line.is_value and line.amounts.rate in taxes
    ]
    of_shipping: list[dict[str, Any]] = []
    additional: list[dict[str, Any]] = []
    if shipping.rate in taxes:
        charged = _applied(rates, shipping.rate, shipping.tax)
        of_shipping = [{"type": "shipping", "applied_taxes": [charged]}]
        additional = [_itemized(shipping, taxes[shipping.rate])]
    return {
        "applied_taxes": [_applied(rates, rate, tax["amount"]) for rate, tax in taxes.items()],
        "item_applied_taxes": [*of_shipping, *by_item],
        "taxes": [_whole(tax) for tax in taxes.values()],
        "additional_itemized_taxes": additional,
    }


def without_line_taxes(order: dict[str, Any]) -> dict[str, Any]:
    """Return an order as it is when a cart was made an order in one go.

    The lines name no taxes, and what the order says of them names no line: one entry for all
    products, where the last line of a code stands for all.
    """
    lists, applied = order["_taxes"], order["_taxes"]["item_applied_taxes"]
    by_code = {
        tax["code"]: tax
        for one in applied
        if one["type"] == "product"
        for tax in one["applied_taxes"]
    }
    of_products = [{"type": "product", "applied_taxes": list(by_code.values())}] if by_code else []
    named = [
        {name: value for name, value in row.items() if name != "item_id"}
        for item in order["items"]
        for row in item["extension_attributes"]["itemized_taxes"]
    ]
    bare: dict[str, Any] = {"extension_attributes": {"itemized_taxes": []}}
    return order | {
        "items": [item | bare for item in order["items"]],
        "_taxes": lists
        | {
            "item_applied_taxes": of_products
            + [one for one in applied if one["type"] != "product"],
            "additional_itemized_taxes": named + lists["additional_itemized_taxes"],
        },
    }


def _applied(rates: Rates, rate: Decimal, amount: Decimal) -> dict[str, Any]:
    code = rates.code(rate)
    shown = {"code": code, "title": code, "percent": rate}
    return {**shown, "amount": amount, "base_amount": amount}


def _itemized(shipping: Amounts, tax: Mapping[str, Any]) -> dict[str, Any]:
    shown = ("amount", "base_amount", "real_amount", "real_base_amount")
    return {
        "tax_item_id": 0,
        "tax_id": tax["tax_id"],
        "tax_code": tax["code"],
        "tax_percent": shipping.rate,
        "taxable_item_type": "shipping",
        **dict.fromkeys(shown, shipping.tax),
    }


def _whole(tax: Mapping[str, Any]) -> dict[str, Any]:
    amounts = {"base_amount": tax["amount"], "base_real_amount": tax["amount"]}
    return {**tax, **amounts, "priority": 0, "position": 0, "process": 0}
