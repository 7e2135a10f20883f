"""From the shop's credit memo to the ERP's return order: pure, and never a guess.

Lines take goods back, so their quantities are below zero, and name the lot of the order
line they return. A credit memo's `row_total` is before discount, in contrast to an order's:
net = `row_total` - `discount_amount` + `discount_tax_compensation_amount`. The memo's own
totals count, so the shipping's share of the discount is what its lines leave of it, and may be
what no line explains. Refunds beside goods, and fees that are kept back, have lines of
their own; without an item for them the return is held.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pricing_proxy.d365.fo.order_models import SalesOrderLineRow
from pricing_proxy.d365.fo.return_models import ReturnHeaderBody, ReturnLineBody
from pricing_proxy.money import divide
from pricing_proxy.names import same_name_key
from sync.engine.outcomes import HeldError
from sync.magento.credit_memo_models import CreditMemo, DocumentLine
from sync.magento.order_models import Order
from sync.returns.rules import ReturnRules
from sync.sales.amounts import line_amount, shared
from sync.sales.value_lines import (
    SHIPPING_KEY,
    Splitting,
    ValueLine,
    line_reference,
    value_lines,
)

_DELIVERED = ("Delivered", "Invoiced")
_QUANTITY_DECIMALS = 4
_BY_HAND = "enter the return by hand, then skip the event"

VERSION = 2
"""Raise when the same credit memo would become another document; the journal keeps it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnDraft:
    """A return as it is going to be.

    Attributes:
        reference: The shop's number of the credit memo, marked as one, with its prefix.
        net: What the credit memo gives back, without tax.
    """

    reference: str
    header: ReturnHeaderBody
    lines: tuple[ReturnLineBody, ...]
    net: Decimal


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of the memo: what is taken back, and for how much."""

    source: str
    reference: str
    quantity: Decimal
    net: Decimal


def map_return(
    memo: CreditMemo,
    order: Order,
    sold: Sequence[SalesOrderLineRow],
    *,
    reference: str,
    account: str,
    splitting: Splitting,
    rules: ReturnRules,
) -> ReturnDraft:
    """Return the return order.

    Args:
        memo: The credit memo.
        order: The shop's order.
        sold: The lines of the ERP's order.
        reference: By which the return is found again.
        account: The ERP's customer account.
        splitting: How the order's bundles were sold.
        rules: The market's.

    Raises:
        HeldError: Something that a person must decide; it names the field.
    """
    by_reference = {same_name_key(line.OrderLineReference): line for line in sold}
    pieces = [*_goods(memo, order, splitting), *_shipping(memo, order)]
    decimals = splitting.amount_decimals
    lines = [_line(piece, by_reference, rules, decimals=decimals) for piece in pieces]
    lines += _adjustments(memo, pieces, rules)
    if not lines:
        raise HeldError(field="items", text="gives nothing back", advice=_BY_HAND)
    return ReturnDraft(
        reference=reference,
        header=_header(memo, order, account, rules),
        lines=tuple(lines),
        net=_net_of(memo, rules),
    )


def _header(memo: CreditMemo, order: Order, account: str, rules: ReturnRules) -> ReturnHeaderBody:
    return ReturnHeaderBody(
        CustomerAccountNumber=account,
        InvoiceCustomerAccountNumber=account,
        CurrencyCode=memo.order_currency_code,
        CustomerRequisitionNumber=order.increment_id,
        CustomerReturnReasonCode=rules.reason,
        DefaultReturnSiteId=rules.site,
        DefaultReturnWarehouseId=rules.warehouse,
    )


def _goods(memo: CreditMemo, order: Order, splitting: Splitting) -> Iterator[_Piece]:
    values: dict[int, list[ValueLine]] = {}
    for value in value_lines(order.items, splitting):
        values.setdefault(value.row.item_id, []).append(value)
    for index, line in enumerate(memo.items):
        # The memo also lists companions without a value: children, or parents of bundles.
        for value, net in _shares(line, values.get(line.order_item_id, []), splitting):
            if line.qty <= 0 or net < 0:
                continue
            yield _Piece(
                source=f"items[{index}]",
                reference=line_reference(order.increment_id, value.key),
                quantity=_share_of(value.quantity, line.qty, of=value.row.qty_ordered),
                net=net,
            )


def _share_of(quantity: Decimal, returned: Decimal, *, of: Decimal) -> Decimal:
    # Multiplied first: a third of three pieces is one, and quantities have four decimals.
    return Decimal(divide(quantity * returned, of, scale=_QUANTITY_DECIMALS))


def _shares(
    line: DocumentLine, values: Sequence[ValueLine], splitting: Splitting
) -> list[tuple[ValueLine, Decimal]]:
    if not values:
        return []
    weights = [value.quantity for value in values]
    nets = shared(max(line.net, Decimal(0)), weights, decimals=splitting.amount_decimals)
    return list(zip(values, nets, strict=True))


def _shipping(memo: CreditMemo, order: Order) -> Iterator[_Piece]:
    net = memo.shipping_amount - _shipping_discount(memo)
    if memo.shipping_amount and net > 0:
        yield _Piece(
            source="shipping_amount",
            reference=line_reference(order.increment_id, SHIPPING_KEY),
            quantity=Decimal(1),
            net=net,
        )


def _shipping_discount(memo: CreditMemo) -> Decimal:
    """Return the net discount that is not on the memo's lines."""
    discount = -memo.discount_amount - memo.discount_tax_compensation_amount
    on_lines = (line.discount_amount - line.discount_tax_compensation_amount for line in memo.items)
    return discount - sum(on_lines, Decimal(0))


def price_unit(line: SalesOrderLineRow | None, rules: ReturnRules) -> int:
    """Return for how many pieces the price of a return's line is.

    Args:
        line: The order's line that it takes back; None for none.
        rules: The market's.
    """
    if line is None or rules.price_unit == "one":
        return 1
    return max(1, int(line.SalesPriceQuantity.value))


def _line(
    piece: _Piece, sold: Mapping[str, SalesOrderLineRow], rules: ReturnRules, *, decimals: int
) -> ReturnLineBody:
    line = sold.get(same_name_key(piece.reference))
    if line is None:
        raise HeldError(
            field=piece.source,
            text=f"the ERP's order has no line {piece.reference}",
            advice=_BY_HAND,
        )
    if line.SalesOrderLineStatus not in _DELIVERED and rules.undelivered == "hold":
        raise HeldError(
            field=piece.source,
            text=f"{line.ItemNumber} is refunded, and not delivered yet in the ERP "
            f"({line.SalesOrderLineStatus or 'no status'})",
            advice="reduce the order in the ERP and skip the event; or replay once it is delivered",
        )
    return ReturnLineBody(
        ItemNumber=line.ItemNumber,
        ReturnSalesQuantity=-piece.quantity,
        ReturningInventoryLotId=line.InventoryLotId,
        SalesPrice=_price(piece, price_unit(line, rules), rules, decimals=decimals),
        SalesUnitSymbol=line.SalesUnitSymbol or None,
        ReturnDispositionCode=rules.disposition,
        ReturnSiteId=rules.site,
        ReturnWarehouseId=rules.warehouse,
        ProductConfigurationId=line.ProductConfigurationId or None,
        ProductColorId=line.ProductColorId or None,
        ProductSizeId=line.ProductSizeId or None,
        ProductStyleId=line.ProductStyleId or None,
        ProductVersionId=line.ProductVersionId or None,
    )


def _price(piece: _Piece, unit: int, rules: ReturnRules, *, decimals: int) -> Decimal:
    """Return the price by which the ERP gives the piece's amount back."""
    price = Decimal(divide(piece.net * unit, piece.quantity, scale=rules.price_decimals))
    amount = line_amount(price, piece.quantity, unit=unit, decimals=decimals)
    if abs(amount - piece.net) > rules.line_tolerance:
        raise HeldError(
            field=piece.source,
            text=f"net {piece.net} for {piece.quantity} pieces would be {amount} in the ERP",
            advice="raise returns.price_decimals or returns.line_tolerance, or set "
            'returns.price_unit = "order_line" where the ERP takes the price for as many pieces as '
            "the order's line; then replay",
        )
    return price


def _adjustments(
    memo: CreditMemo, pieces: Sequence[_Piece], rules: ReturnRules
) -> Iterator[ReturnLineBody]:
    """Yield lines for what is refunded, and what is kept back, beside goods and shipping."""
    given, kept = memo.adjustment_positive, memo.adjustment_negative
    rest = _net_of(memo, rules) - sum((piece.net for piece in pieces), Decimal(0)) - given + kept
    if abs(rest) > rules.tolerance:
        given, kept = given + max(rest, Decimal(0)), kept - min(rest, Decimal(0))
    if rules.fee_item is None and given >= kept:
        given, kept = given - kept, Decimal(0)
    for amount, item, key, text in (
        (given, rules.adjustment_item, "adjustment_item", f"gives {given} back"),
        (-kept, rules.fee_item, "fee_item", f"keeps {kept} back"),
    ):
        if not amount:
            continue
        if item is None:
            raise HeldError(
                field="grand_total",
                text=f"{text} beside its lines, by an adjustment or a discounted shipping",
                advice=f"set returns.{key}, then replay; or {_BY_HAND}",
            )
        # Quantities of a return are below zero in any case, so what is kept has such a price.
        yield ReturnLineBody(
            ItemNumber=item,
            ReturnSalesQuantity=Decimal(-1),
            SalesPrice=amount,
            ReturnDispositionCode=rules.disposition,
        )


def _net_of(memo: CreditMemo, rules: ReturnRules) -> Decimal:
    """Return what the memo gives back without tax, whatever it is paid with."""
    credited = memo.extension_attributes.credited
    if credited and rules.credits == "hold":
        raise HeldError(
            field="extension_attributes.customer_balance_amount",
            text=f"{credited} of it go back to gift cards, store credit or points",
            advice='set returns.credits = "payment" where finance settles them, then replay',
        )
    return memo.grand_total + credited - memo.tax_amount
