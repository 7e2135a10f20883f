"""From the shop's credit memo to the ERP's return order: pure, and never a guess.

Lines take goods back, so their quantities are below zero, and name the lot of the order
line they return. A credit memo's `row_total` is before discount, in contrast to an order's:
net = `row_total` - `discount_amount` + `discount_tax_compensation_amount`. The memo's own
totals count: with a discounted shipping its lines do not add up to them, and the rest goes
on the adjustment's line, or holds the return.
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
    lines += _adjustment(memo, pieces, rules)
    if not lines:
        raise HeldError(field="items", text="gives nothing back", advice=_BY_HAND)
    return ReturnDraft(
        reference=reference,
        header=_header(memo, order, account, rules),
        lines=tuple(lines),
        net=_net_of(memo),
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
    net = line.row_total - line.discount_amount + line.discount_tax_compensation_amount
    weights = [value.quantity for value in values]
    nets = shared(max(net, Decimal(0)), weights, decimals=splitting.amount_decimals)
    return list(zip(values, nets, strict=True))


def _shipping(memo: CreditMemo, order: Order) -> Iterator[_Piece]:
    if memo.shipping_amount:
        yield _Piece(
            source="shipping_amount",
            reference=line_reference(order.increment_id, SHIPPING_KEY),
            quantity=Decimal(1),
            net=memo.shipping_amount,
        )


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


def _adjustment(
    memo: CreditMemo, pieces: Sequence[_Piece], rules: ReturnRules
) -> list[ReturnLineBody]:
    """Return the line for what is refunded beside goods and shipping, none for nothing."""
    rest = _net_of(memo) - sum((piece.net for piece in pieces), Decimal(0))
    if abs(rest) <= rules.tolerance:
        return []
    if rest < 0 or rules.adjustment_item is None:
        raise HeldError(
            field="grand_total",
            text=f"gives {rest} back beside its lines, by an adjustment or a discounted shipping",
            advice=_BY_HAND if rest < 0 else "set returns.adjustment_item, then replay",
        )
    return [
        ReturnLineBody(
            ItemNumber=rules.adjustment_item,
            ReturnSalesQuantity=Decimal(-1),
            SalesPrice=rest,
            ReturnDispositionCode=rules.disposition,
        )
    ]


def _net_of(memo: CreditMemo) -> Decimal:
    return memo.grand_total - memo.tax_amount
