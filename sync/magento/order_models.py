"""Orders of Magento, under its own field names: what is read of them, and nothing else.

How to read a line, which lines carry value and which sums hold stands in the flow's
mapping; here nothing is computed. Amounts without `base_` are in the order's currency.
A body that does not fit raises pydantic's error, which `calls` turns into
`UpstreamContractError`.
"""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from sync.magento.address_models import PostalAddress
from sync.magento.order_line_models import ItemizedTax, LineHead, OrderLine
from sync.magento.wire_types import (
    Amount,
    Flag,
    Instant,
    Members,
    Number,
    OpenMembers,
    Rows,
    ShopModel,
    StateName,
    Text,
)


class OrderHead(ShopModel):
    """What a poll needs to know of an order.

    Attributes:
        ext_order_id: The ERP's number once written back.
        store_id: The store view it was placed in, which belongs to a website.
        state: Nobody knows of an order without one whether it is paid, cancelled or on hold.
        updated_at: Moves with most changes, our own write of `ext_order_id` included, but not
            with comments, further partial shipments or tracks.
        items: Absent where nobody asked for them.
    """

    entity_id: int
    increment_id: Number
    store_id: int
    state: StateName
    status: Text = ""
    ext_order_id: Text = ""
    created_at: Instant
    updated_at: Instant
    items: Annotated[tuple[LineHead, ...], Rows] = ()

    @property
    def cancelled(self) -> str:
        """How much of which lines is cancelled, as one text; empty where nothing is."""
        amounts = (
            f"{line.item_id}={line.qty_canceled.normalize():f}"
            for line in self.items
            if line.qty_canceled
        )
        return ",".join(amounts)


class ShopAddress(PostalAddress):
    """An order's address.

    Attributes:
        region_code: Holds the region's free text where the country has no list.
    """

    region_code: Text = ""
    region_id: int | None = None


class ShopPayment(ShopModel):
    """How the order is paid; `method` is the code that payment maps name."""

    method: str
    po_number: Text = ""


class ShippingExtension(OpenMembers):
    """What modules add to the shipping."""

    pickup_location_code: Text = ""


class Shipping(ShopModel):
    """Where to and how; without address and method when everything is virtual."""

    address: ShopAddress | None = None
    method: Text = ""
    extension_attributes: Annotated[ShippingExtension, Members] = ShippingExtension()


class ShippingAssignment(ShopModel):
    """Magento's envelope around the shipping; there is one."""

    shipping: Annotated[Shipping, Members] = Shipping()


class AppliedTax(ShopModel):
    """A tax and what it comes to."""

    code: Text = ""
    title: Text = ""
    percent: Amount = Decimal(0)
    amount: Amount = Decimal(0)


class ItemTaxes(ShopModel):
    """The taxes of one line (`type` "product") or of the shipping (`type` "shipping").

    Attributes:
        item_id: The line's; None for shipping, and where the shop did not note it.
    """

    type: Text = ""
    item_id: int | None = None
    applied_taxes: Annotated[tuple[AppliedTax, ...], Rows] = ()


class OrderExtension(OpenMembers):
    """What Magento and its modules add to an order.

    Attributes:
        pickup_location_code: Set for pick-up in a shop, whose address is then the shipping
            address.
        additional_itemized_taxes: Taxes without a line's id: of shipping, and of lines where the
            shop noted none.
        gift_cards_amount: Commerce: paid by gift card, as are `customer_balance_amount` by store
            credit and `reward_currency_amount` by points; not in `grand_total`.
    """

    shipping_assignments: Annotated[tuple[ShippingAssignment, ...], Rows] = ()
    applied_taxes: Annotated[tuple[AppliedTax, ...], Rows] = ()
    item_applied_taxes: Annotated[tuple[ItemTaxes, ...], Rows] = ()
    additional_itemized_taxes: Annotated[tuple[ItemizedTax, ...], Rows] = ()
    pickup_location_code: Text = ""
    gift_cards_amount: Amount = Decimal(0)
    customer_balance_amount: Amount = Decimal(0)
    reward_currency_amount: Amount = Decimal(0)


class ShippedOrder(OrderHead):
    """What the sweep needs to know of an order that is in the ERP and may still change."""

    extension_attributes: Annotated[OrderExtension, Members] = OrderExtension()

    @property
    def shipping(self) -> Shipping:
        """Where to and how; empty when everything is virtual."""
        assignments = self.extension_attributes.shipping_assignments
        return assignments[0].shipping if assignments else Shipping()


class Order(ShippedOrder):
    """An order in full.

    Attributes:
        relation_parent_id: Of an order that somebody edited in the back office: the id of the one
            that it replaces, which the shop has cancelled.
        relation_child_real_id: The number of the one that replaces this one.
        customer_id: None for a guest.
        customer_group_id: 0 for a guest; has one tax class.
        customer_taxvat: The tax number of the customer's account, as it was typed.
        discount_amount: Negative, shipping's part included.
        grand_total: Usually cents, but up to four decimals with fractional quantities.
        customer_note: What the customer wrote to the shop.
        coupon_code: Also set when the coupon gave nothing.
    """

    relation_parent_id: Text = ""
    relation_child_real_id: Text = ""
    is_virtual: Flag = False
    customer_id: int | None = None
    customer_is_guest: Flag = False
    customer_group_id: int | None = None
    customer_email: Text = ""
    customer_taxvat: Text = ""
    customer_firstname: Text = ""
    customer_lastname: Text = ""
    order_currency_code: str
    subtotal: Amount = Decimal(0)
    discount_amount: Amount = Decimal(0)
    discount_tax_compensation_amount: Amount = Decimal(0)
    coupon_code: Text = ""
    shipping_amount: Amount = Decimal(0)
    shipping_tax_amount: Amount = Decimal(0)
    shipping_discount_amount: Amount = Decimal(0)
    shipping_discount_tax_compensation_amount: Amount = Decimal(0)
    tax_amount: Amount = Decimal(0)
    grand_total: Amount = Decimal(0)
    total_refunded: Amount = Decimal(0)
    total_qty_ordered: Amount = Decimal(0)
    items: Annotated[tuple[OrderLine, ...], Field(min_length=1)]
    billing_address: ShopAddress | None = None
    payment: ShopPayment
    customer_note: Text = ""

    @property
    def is_of_guest(self) -> bool:
        """Whether nobody was logged in; a customer whom the shop deleted was."""
        return self.customer_id is None and self.customer_is_guest
