"""Which rate of the shop a line bears. Pure.

The shop notes the rates of each line beside it, but not always: of an order placed in one go
they stand at the order without the line's id, and of a line that costs nothing nowhere. Then a
percentage finds its rate among all that the order says, or in the configuration. Members
that contradict each other hold the order; none is believed more than another.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from sync.engine.outcomes import HeldError
from sync.magento.order_models import AppliedTax, Order
from sync.orders.codes import entry
from sync.orders.tax_places import country_of
from sync.sales.value_lines import ValueLine

# Percentages have four decimals; those of two rates on one line are rounded each.
_SAME_PERCENT = Decimal("0.001")
_SAME_AMOUNT = Decimal("0.01")
_HUNDRED = Decimal(100)
_PRODUCT, _SHIPPING = "product", "shipping"
_ADVICE = "correct the order in the shop and replay, or enter it by hand and skip"


@dataclass(frozen=True, slots=True)
class Rate:
    """What is charged on an amount; `code` is empty where nothing is.

    Attributes:
        code: The shop's name of the rate; of several on one amount "A+B".
        percent: Of all of them.
    """

    code: str
    percent: Decimal

    def __str__(self) -> str:
        return f"{self.code} ({_shown(self.percent)} %)"


UNTAXED = Rate("", Decimal(0))


def rate_of_line(value: ValueLine, order: Order, *, codes: Mapping[str, str], market: str) -> Rate:
    """Return what a line bears.

    Args:
        value: The line.
        order: Its order.
        codes: The market's rates by percent, for what the order does not say.
        market: Its code, for messages.

    Raises:
        HeldError: The order contradicts itself, or says no rate.
    """
    row, where = value.row, f"items[{value.index}]"
    percent = row.tax_percent
    noted = _joined(
        (tax.tax_code, tax.tax_percent) for tax in row.extension_attributes.itemized_taxes
    )
    noted = noted or _of_item(order, row.item_id)
    if noted is not None:
        if percent is not None and not _is_same(noted.percent, percent):
            raise _contradiction(f"{where}.tax_percent", _shown(percent), f"the rate {noted}")
        return noted
    if not percent:
        if value.tax:
            raise _contradiction(f"{where}.tax_percent", "0", f"tax_amount {value.tax}")
        return UNTAXED
    return _found(value, order, percent, codes=codes, market=market)


def rate_of_shipping(order: Order, *, net: Decimal, tax: Decimal) -> Rate:
    """Return what the shipping bears.

    Args:
        order: The order.
        net: What it costs, without tax.
        tax: The shop's on it.

    Raises:
        HeldError: There is a tax, and the order does not say which.
    """
    extra = order.extension_attributes
    noted = _joined(
        (each.code, each.percent)
        for taxes in extra.item_applied_taxes
        if taxes.type == _SHIPPING
        for each in taxes.applied_taxes
    ) or _joined(
        (each.tax_code, each.tax_percent)
        for each in extra.additional_itemized_taxes
        if each.taxable_item_type == _SHIPPING
    )
    if noted is not None:
        return noted
    if not tax:
        return UNTAXED
    fitting = {
        rate for rate in _all_of(order) if abs(net * rate.percent / _HUNDRED - tax) <= _SAME_AMOUNT
    }
    if len(fitting) == 1:
        return fitting.pop()
    raise HeldError(
        field="shipping_tax_amount",
        text=f"{tax} on {net}, and no member of the order says by which rate",
        advice=_ADVICE,
    )


def _found(
    value: ValueLine,
    order: Order,
    percent: Decimal,
    *,
    codes: Mapping[str, str],
    market: str,
) -> Rate:
    """Return the rate of a percentage from elsewhere."""
    field = f"items[{value.index}].tax_percent"
    known = set(_all_of(order))
    fitting = {rate for rate in known if _is_same(rate.percent, percent)}
    if len(fitting) == 1:
        return fitting.pop()
    if fitting:
        both = " and ".join(sorted(map(str, fitting)))
        raise HeldError(field=field, text=f"{_shown(percent)} may be {both}", advice=_ADVICE)
    text = _shown(percent)
    keys = (f"{country_of(order)}/{text}", text)
    code = next((codes[key] for key in keys if key in codes), None)
    if value.tax and (others := _of_products(order)):
        told = " and ".join(sorted(map(str, others)))
        raise _contradiction(field, text, f"the order's rates {told}")
    if code is None:
        raise HeldError(
            field=field,
            text=f"{text} % by no rate: itemized_taxes is empty, and no member of the order "
            "says it",
            advice=f"add {entry(market, 'orders.tax_codes', text)}, then replay",
        )
    return Rate(code, percent)


def _all_of(order: Order) -> Iterator[Rate]:
    """Yield every rate that some member of the order says."""
    yield from _of_products(order)
    for row in order.items:
        itemized = row.extension_attributes.itemized_taxes
        yield from _present(_joined((tax.tax_code, tax.tax_percent) for tax in itemized))
    extra = order.extension_attributes
    yield from _present(*(_applied(taxes.applied_taxes) for taxes in extra.item_applied_taxes))
    yield from _present(*(_applied([tax]) for tax in extra.applied_taxes))


def _of_products(order: Order) -> set[Rate]:
    """Return the rates that are said of lines, without saying of which."""
    extra = order.extension_attributes
    grouped = [
        _applied(taxes.applied_taxes)
        for taxes in extra.item_applied_taxes
        if taxes.type == _PRODUCT and taxes.item_id is None
    ]
    single = [
        _joined([(each.tax_code, each.tax_percent)])
        for each in extra.additional_itemized_taxes
        if each.taxable_item_type == _PRODUCT
    ]
    # Of a line with two rates, only the former says that they belong together.
    return set(_present(*(grouped if any(grouped) else single)))


def _of_item(order: Order, item_id: int) -> Rate | None:
    taxes = order.extension_attributes.item_applied_taxes
    return next(
        _present(*(_applied(one.applied_taxes) for one in taxes if one.item_id == item_id)), None
    )


def _applied(taxes: Iterable[AppliedTax]) -> Rate | None:
    return _joined((each.code, each.percent) for each in taxes)


def _joined(taxes: Iterable[tuple[str, Decimal]]) -> Rate | None:
    """Return the rates of one amount as one, None for none."""
    named = {code: percent for code, percent in taxes if code}
    if not named:
        return None
    return Rate("+".join(sorted(named)), sum(named.values(), Decimal(0)).normalize())


def _present(*rates: Rate | None) -> Iterator[Rate]:
    yield from (rate for rate in rates if rate is not None)


def _is_same(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) <= _SAME_PERCENT


def _contradiction(field: str, said: str, other: str) -> HeldError:
    return HeldError(field=field, text=f"is {said}, which contradicts {other}", advice=_ADVICE)


def _shown(percent: Decimal) -> str:
    return f"{percent.normalize():f}"
