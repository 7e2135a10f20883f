"""The ERP's two tax groups for what the shop charges, or for why it charges nothing. Pure.

No tax has many reasons, and each books differently: delivered to another member state on a VAT
number, exported, exempt, or untaxed at home. The first configured reason that fits the order's
country, VAT number and customer group is taken; without one the order is held.
"""

from sync.engine.outcomes import HeldError
from sync.magento.order_models import Order
from sync.orders.codes import mapped
from sync.orders.line_tax import Rate
from sync.orders.rules import OrderRules
from sync.orders.selling import Selling
from sync.orders.tax_places import country_of, has_vat_id
from sync.orders.tax_rules import TaxGroups

Fields = dict[str, str | bool]
# The map's entry for the line that closes cents: it bears no tax wherever things are delivered.
_ROUNDING = "none"


def tax_fields(
    rate: Rate, order: Order, *, selling: Selling, rules: OrderRules, field: str
) -> Fields:
    """Return a line's tax groups; nothing where the ERP alone decides.

    Args:
        rate: What the shop charges.
        order: On which order.
        selling: The market.
        rules: Its rules.
        field: Where the rate stands in the order.

    Raises:
        HeldError: A rate without a map entry, or no tax without a reason.
    """
    if rules.tax is None:
        return {}
    if rate.code:
        return _fields(
            mapped(rules.tax, rate.code, field=field, name="orders.tax", market=selling.market)
        )
    return _fields(_reason(order, rules, market=selling.market, field=field))


def rounding_fields(rules: OrderRules, *, market: str) -> Fields:
    """Return the groups of the rounding line; raises `HeldError`."""
    if rules.tax is None:
        return {}
    return _fields(
        mapped(rules.tax, _ROUNDING, field="grand_total", name="orders.tax", market=market)
    )


def _reason(order: Order, rules: OrderRules, *, market: str, field: str) -> TaxGroups:
    country, is_vat_known = country_of(order), has_vat_id(order)
    group = order.customer_group_id
    for one in rules.untaxed:
        if one.fits(country=country, has_vat_id=is_vat_known, customer_group=group):
            return one
    known = ", ".join(one.reason for one in rules.untaxed) or "none is configured"
    number = "a VAT number" if is_vat_known else "no VAT number"
    told = "true" if is_vat_known else "false"
    raise HeldError(
        field=field,
        text=f"no tax, and no reason fits ({known}): delivered to {country or 'nowhere'}, "
        f"{number}, customer group {group}",
        advice=f"add to sync.markets.{market}.orders.untaxed what fits it, such as "
        f'{{ reason = "…", countries = ["{country}"], vat_id = {told}, sales_tax_group = "…", '
        'item_group = "…" }, then replay',
    )


def _fields(groups: TaxGroups) -> Fields:
    return {
        "SalesTaxGroupCode": groups.sales_tax_group,
        "SalesTaxItemGroupCode": groups.item_group,
        "OverrideSalesTax": True,
    }
