"""One line of the shop's order under the ERP's field names. Pure."""

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from pricing_proxy.d365.fo.order_models import SalesOrderLineBody
from pricing_proxy.shared_state.item_map import Item
from sync.engine.outcomes import HeldError
from sync.magento.order_models import Order
from sync.orders.codes import mapped
from sync.orders.draft import DraftLine
from sync.orders.line_tax import Rate, rate_of_line
from sync.orders.named_items import how_to_name
from sync.orders.rules import OrderRules
from sync.orders.selling import Sellable, Selling, SoldThing, is_called
from sync.orders.tax_groups import tax_fields
from sync.sales.amounts import UnitPrice, unit_price
from sync.sales.value_lines import ValueLine, line_reference

_REFERENCE = "OrderLineReference"
# The shop's price is net of discounts, and charges are lines or the header's.
_ALWAYS = {"LineDiscountPercentage": Decimal(0), "SkipCreateAutoCharges": True}
# A file option is one text: MIME type, name, then a path on the server and a secret key.
_FILE_OPTION = re.compile(r"^\w+/[\w.+-]+,\s*([^,]*),")


def asked_of(value: ValueLine, named: Mapping[int, str]) -> SoldThing:
    """Return by what a line's item is found: by what a person named, if one did."""
    return SoldThing(value.product_id, value.sku, named.get(value.key))


def sale_line(
    value: ValueLine,
    asked: SoldThing,
    sellable: Sellable,
    *,
    order: Order,
    selling: Selling,
    rules: OrderRules,
) -> DraftLine:
    """Return the line for goods.

    Raises:
        HeldError: A product, tax or unit without its counterpart in the ERP, a tax that the order
            contradicts, or a price that the ERP cannot hold within the tolerance.
    """
    where = f"items[{value.index}]"
    item = _item(value, asked, sellable, company=selling.company, where=where)
    reference = line_reference(order.increment_id, value.key)
    texts = {
        "LineDescription": _description(value, rules, where=where),
        "SalesUnitSymbol": _unit(item, sellable, rules, selling=selling, where=where),
    }
    rate = rate_of_line(value, order, codes=rules.tax_codes, market=selling.market)
    groups = tax_fields(rate, order, selling=selling, rules=rules, field=f"{where}.tax_percent")
    fitted = rules.fitted({**texts, _REFERENCE: reference}, sources=_SOURCES, where=where)
    line = priced_line(
        reference,
        item_number=item.item_number,
        source=where,
        quantity=value.quantity,
        net=value.net,
        rate=rate,
        extra={
            **{name: text for name, text in _dimensions(item).items() if text},
            **{name: text for name, text in fitted.fields.items() if name != _REFERENCE},
            **groups,
        },
        rules=rules,
    )
    return replace(line, cut=fitted.cut)


def priced_line(
    reference: str,
    *,
    item_number: str,
    source: str,
    quantity: Decimal,
    net: Decimal,
    rate: Rate,
    extra: Mapping[str, str | bool],
    rules: OrderRules,
) -> DraftLine:
    """Return a line whose net amount in the ERP is `net` within the tolerance.

    Args:
        reference: Its name in the ERP.
        item_number: What is sold.
        source: Where it comes from in the shop's order.
        quantity: Not zero; below zero, the line takes its amount off.
        net: Of the whole line, of the sign of `quantity`.
        rate: What the shop charges, to foretell the ERP's tax.
        extra: More fields.
        rules: The market's.
    """
    price, amount = _price(net, quantity, rules, source=source)
    return DraftLine(
        source=source,
        body=SalesOrderLineBody.model_validate(
            {
                "ItemNumber": item_number,
                "OrderedSalesQuantity": quantity,
                "SalesPrice": price.price,
                "SalesPriceQuantity": Decimal(price.unit),
                "OrderLineReference": reference,
                **_ALWAYS,
                **extra,
            }
        ),
        net=amount,
        rate=rate,
    )


def _price(
    net: Decimal, quantity: Decimal, rules: OrderRules, *, source: str
) -> tuple[UnitPrice, Decimal]:
    """Return a price, and what the ERP makes of it, of the sign of the quantity."""
    price = unit_price(
        abs(net),
        abs(quantity),
        price_decimals=rules.price_decimals,
        amount_decimals=rules.amount_decimals,
    )
    amount = price.amount if quantity > 0 else -price.amount
    if abs(amount - net) > rules.line_tolerance:
        raise HeldError(
            field=source,
            text=f"net {net} for {quantity} pieces would be {amount} in the ERP",
            advice="raise orders.price_decimals or orders.line_tolerance, then replay",
        )
    return price, amount


def _item(
    value: ValueLine, asked: SoldThing, sellable: Sellable, *, company: str, where: str
) -> Item:
    item, now = sellable.item, sellable.shop_sku
    if asked.named is None and now is not None and not _is_called(value, now):
        raise HeldError(
            field=f"{where}.sku",
            text=f"the line is of {value.sku}, and its product {value.product_id} is now {now}",
            advice=f"give the product its SKU back; or {how_to_name(value.key)}",
        )
    if item is None:
        text, advice = _no_item(value, asked, sellable, company=company)
        raise HeldError(field=f"{where}.product_id", text=text, advice=advice)
    if not item.is_sold:
        raise HeldError(
            field=f"{where}.product_id",
            text=f"item {item.item_number} is stopped for sales in {company}",
            advice="allow it to be sold in the ERP, then replay",
        )
    return item


def _dimensions(item: Item) -> dict[str, str]:
    return {
        "ProductColorId": item.color,
        "ProductSizeId": item.size,
        "ProductStyleId": item.style,
        "ProductConfigurationId": item.configuration,
        "ProductVersionId": item.version,
    }


def _is_called(value: ValueLine, now: str) -> bool:
    """Return whether a line's SKU is its product's, SKUs of what was chosen set aside."""
    may_have_suffix = bool(value.row.options.custom_options) or value.row.product_type == "bundle"
    # A variant or a part of a bundle is called by its own SKU alone.
    has_suffix = may_have_suffix and value.sku == value.row.sku
    return is_called(value.sku, now, has_suffix=has_suffix)


def _no_item(
    value: ValueLine, asked: SoldThing, sellable: Sellable, *, company: str
) -> tuple[str, str]:
    """Return what is wrong, and what to do."""
    if asked.named is not None:
        return f"{asked.named}, named for line {value.key}, is no item of {company}", (
            "correct the payload with d365-sync edit, then replay"
        )
    if sellable.shop_sku is None:
        return (
            f"product {value.product_id} was deleted in the shop, and {value.sku} is no item of "
            f"{company}"
        ), how_to_name(value.key)
    return f"{value.sku} (product {value.product_id}) is no item of {company}", (
        f"release the item in {company}, or correct the SKU in the shop; then replay"
    )


def _unit(
    item: Item, sellable: Sellable, rules: OrderRules, *, selling: Selling, where: str
) -> str:
    if rules.unit_attribute is None:
        return item.sales_unit
    return mapped(
        rules.units,
        sellable.shop_unit,
        field=f"{where}.{rules.unit_attribute}",
        name="orders.units",
        market=selling.market,
    )


def _description(value: ValueLine, rules: OrderRules, *, where: str) -> str:
    """Return a text that holds the custom options, empty without any."""
    options = value.row.options.custom_options
    if not options:
        return ""
    if rules.options == "hold":
        raise HeldError(
            field=f"{where}.product_option",
            text=f"{value.sku} has custom options",
            advice='set options = "text" to send them as the line\'s text, then replay',
        )
    chosen = (f"{option.option_id}: {_shown(option.option_value)}" for option in options)
    return "; ".join((value.row.name, *chosen))


def _shown(text: str) -> str:
    file = _FILE_OPTION.match(text)
    return file.group(1).strip() if file else text


_SOURCES = {"LineDescription": "product_option", _REFERENCE: "item_id"}
