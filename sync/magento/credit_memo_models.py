"""Credit memos of Magento, under its own field names.

Lines point to the order's by `order_item_id`, and also list companions without a value
(the child of a configurable, the parent of a bundle). In contrast to an order's,
`row_total` is before discount here. The memo's own totals count, not the sum of
its lines: with a discounted shipping they differ.
"""

from decimal import Decimal
from typing import Annotated

from sync.magento.document_bodies import Comments
from sync.magento.wire_types import (
    Amount,
    Instant,
    InstantOrNone,
    Members,
    Number,
    OpenMembers,
    Rows,
    ShopModel,
    Text,
)


class DocumentLine(ShopModel):
    """A line of a credit memo, or of an invoice."""

    entity_id: int
    order_item_id: int
    product_id: int | None = None
    sku: Text = ""
    name: Text = ""
    qty: Amount = Decimal(0)
    price: Amount = Decimal(0)
    row_total: Amount = Decimal(0)
    row_total_incl_tax: Amount = Decimal(0)
    tax_amount: Amount = Decimal(0)
    discount_amount: Amount = Decimal(0)
    discount_tax_compensation_amount: Amount = Decimal(0)

    @property
    def net(self) -> Decimal:
        """What it comes to after discount, without tax."""
        return self.row_total - self.discount_amount + self.discount_tax_compensation_amount


class MemoExtension(OpenMembers):
    """What Magento and its modules add; these amounts of Commerce are not in `grand_total`."""

    gift_cards_amount: Amount = Decimal(0)
    customer_balance_amount: Amount = Decimal(0)
    reward_currency_amount: Amount = Decimal(0)

    @property
    def credited(self) -> Decimal:
        """What goes back to where it came from beside money."""
        return self.gift_cards_amount + self.customer_balance_amount + self.reward_currency_amount


class CreditMemoHead(ShopModel):
    """What a poll needs to know of a credit memo.

    Attributes:
        store_id: None where the store view was deleted, and then nobody knows whose it is.
        state: 2 is refunded, 3 is cancelled.
    """

    entity_id: int
    increment_id: Number
    store_id: int
    state: int
    updated_at: Instant


class CreditMemo(CreditMemoHead):
    """A credit memo; adjustments change the total only, without tax.

    Attributes:
        discount_amount: Negative.
    """

    order_id: int
    order_currency_code: str
    created_at: InstantOrNone = None
    subtotal: Amount = Decimal(0)
    discount_amount: Amount = Decimal(0)
    discount_tax_compensation_amount: Amount = Decimal(0)
    shipping_amount: Amount = Decimal(0)
    shipping_tax_amount: Amount = Decimal(0)
    tax_amount: Amount = Decimal(0)
    adjustment_positive: Amount = Decimal(0)
    adjustment_negative: Amount = Decimal(0)
    grand_total: Amount = Decimal(0)
    extension_attributes: Annotated[MemoExtension, Members] = MemoExtension()
    items: Annotated[tuple[DocumentLine, ...], Rows] = ()
    comments: Comments = ()
