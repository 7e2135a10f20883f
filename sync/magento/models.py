"""Orders of Magento, under its own field names: all that an ERP order is made of.

How to read a line, which lines carry value and which sums hold stands in the flow's
mapping; here nothing is computed. Amounts without `base_` are in the order's currency.
A body that does not fit raises pydantic's error, which `client` turns into
`UpstreamContractError`.
"""

from decimal import Decimal
from typing import Annotated

from pydantic import ConfigDict, Field

from sync.magento.wire_types import (
    Amount,
    Flag,
    Instant,
    Members,
    OptionText,
    Rows,
    Text,
    WireModel,
)


class OrderHead(WireModel):
    """What a poll needs to know of an order.

    Attributes:
        ext_order_id: The ERP's number once written back.
        store_id: The store view it was placed in, which belongs to a website.
        updated_at: Moves with most changes, our own write of `ext_order_id` included, but not
            with comments, further partial shipments or tracks.
    """

    entity_id: int
    increment_id: str
    store_id: int
    state: Text = ""
    status: Text = ""
    ext_order_id: Text = ""
    created_at: Instant
    updated_at: Instant


class Address(WireModel):
    """An order's address.

    Attributes:
        street: One entry per line; may be more than the shop's form allows, may be empty.
        region_code: Holds the region's free text where the country has no list.
    """

    entity_id: int | None = None
    firstname: Text = ""
    lastname: Text = ""
    prefix: Text = ""
    middlename: Text = ""
    suffix: Text = ""
    company: Text = ""
    vat_id: Text = ""
    street: Annotated[tuple[Text, ...], Rows] = ()
    postcode: Text = ""
    city: Text = ""
    region: Text = ""
    region_code: Text = ""
    region_id: int | None = None
    country_id: Text = ""
    telephone: Text = ""
    fax: Text = ""
    email: Text = ""
    customer_address_id: int | None = None


class CustomOption(WireModel):
    """A custom option's choice; ids only, the titles are the product's."""

    option_id: Text
    option_value: OptionText = ""


class BundleOption(WireModel):
    """What was chosen of one part of a bundle."""

    option_id: Text
    option_qty: Amount = Decimal(0)
    option_selections: Annotated[tuple[Text, ...], Rows] = ()


class ChosenOptions(WireModel):
    """Everything chosen for a line."""

    custom_options: Annotated[tuple[CustomOption, ...], Rows] = ()
    configurable_item_options: Annotated[tuple[CustomOption, ...], Rows] = ()
    bundle_options: Annotated[tuple[BundleOption, ...], Rows] = ()


class ProductOption(WireModel):
    """The envelope around what was chosen."""

    extension_attributes: Annotated[ChosenOptions, Members] = ChosenOptions()


class ItemizedTax(WireModel):
    """One tax of one line."""

    tax_code: Text = ""
    tax_percent: Amount = Decimal(0)
    amount: Amount = Decimal(0)
    taxable_item_type: Text = ""


class OpenMembers(WireModel):
    """Extension attributes, those of the shop's own modules included, in `model_extra`."""

    model_config = ConfigDict(extra="allow")


class LineExtension(OpenMembers):
    """What modules add to a line."""

    itemized_taxes: Annotated[tuple[ItemizedTax, ...], Rows] = ()


class OrderLine(WireModel):
    """A line; children of configurables and bundles are lines of their own.

    Attributes:
        sku: Of the variant for a configurable and its child; with option suffixes. Never parsed:
            `product_id` says which product it is.
        row_total: Net, after discount, and cut at 0.
        row_total_incl_tax: Gross, after discount.
        discount_amount: Positive; gross where prices include tax.
        discount_tax_compensation_amount: The tax part of `discount_amount`.
        tax_percent: None on a bundle whose price is in its children.
    """

    item_id: int
    parent_item_id: int | None = None
    product_id: int | None = None
    product_type: Text = "simple"
    sku: Text = ""
    name: Text = ""
    is_virtual: Flag = False
    is_qty_decimal: Flag = False
    free_shipping: Flag = False
    qty_ordered: Amount = Decimal(0)
    qty_canceled: Amount = Decimal(0)
    qty_invoiced: Amount = Decimal(0)
    qty_refunded: Amount = Decimal(0)
    qty_shipped: Amount = Decimal(0)
    price: Amount = Decimal(0)
    original_price: Amount = Decimal(0)
    price_incl_tax: Amount = Decimal(0)
    row_total: Amount = Decimal(0)
    row_total_incl_tax: Amount = Decimal(0)
    tax_amount: Amount = Decimal(0)
    tax_percent: Decimal | None = None
    discount_amount: Amount = Decimal(0)
    discount_percent: Amount = Decimal(0)
    discount_tax_compensation_amount: Amount = Decimal(0)
    base_row_total_incl_tax: Amount = Decimal(0)
    base_tax_amount: Amount = Decimal(0)
    row_weight: Amount = Decimal(0)
    applied_rule_ids: Text = ""
    product_option: Annotated[ProductOption, Members] = ProductOption()
    extension_attributes: Annotated[LineExtension, Members] = LineExtension()

    @property
    def options(self) -> ChosenOptions:
        """What was chosen for the line."""
        return self.product_option.extension_attributes


class Payment(WireModel):
    """How the order is paid; `method` is the code that payment maps name."""

    method: str
    po_number: Text = ""
    last_trans_id: Text = ""
    cc_type: Text = ""
    amount_ordered: Amount = Decimal(0)
    amount_authorized: Amount = Decimal(0)
    amount_paid: Amount = Decimal(0)
    amount_refunded: Amount = Decimal(0)
    additional_information: Annotated[tuple[Text, ...], Rows] = ()


class ShippingExtension(OpenMembers):
    """What modules add to the shipping."""

    pickup_location_code: Text = ""


class Shipping(WireModel):
    """Where to and how; without address and method when everything is virtual."""

    address: Address | None = None
    method: Text = ""
    extension_attributes: Annotated[ShippingExtension, Members] = ShippingExtension()


class ShippingAssignment(WireModel):
    """Magento's envelope around the shipping; there is one."""

    shipping: Shipping


class AppliedTax(WireModel):
    """A tax and what it comes to."""

    code: Text = ""
    title: Text = ""
    percent: Amount = Decimal(0)
    amount: Amount = Decimal(0)


class ItemTaxes(WireModel):
    """The taxes of one line (`type` "product") or of the shipping (`type` "shipping")."""

    type: Text = ""
    item_id: int | None = None
    applied_taxes: Annotated[tuple[AppliedTax, ...], Rows] = ()


class OrderExtension(OpenMembers):
    """What Magento and its modules add to an order.

    Attributes:
        pickup_location_code: Set for pick-up in a shop, whose address is then the shipping
            address.
        gift_cards_amount: Commerce: paid by gift card, as are `customer_balance_amount` by store
            credit and `reward_currency_amount` by points; not in `grand_total`.
    """

    shipping_assignments: Annotated[tuple[ShippingAssignment, ...], Rows] = ()
    applied_taxes: Annotated[tuple[AppliedTax, ...], Rows] = ()
    item_applied_taxes: Annotated[tuple[ItemTaxes, ...], Rows] = ()
    pickup_location_code: Text = ""
    gift_cards_amount: Amount = Decimal(0)
    customer_balance_amount: Amount = Decimal(0)
    reward_currency_amount: Amount = Decimal(0)


class Order(OrderHead):
    """An order in full.

    Attributes:
        customer_id: None for a guest.
        discount_amount: Negative, shipping's part included.
        grand_total: Usually cents, but up to four decimals with fractional quantities.
        coupon_code: Also set when the coupon gave nothing.
    """

    is_virtual: Flag = False
    customer_id: int | None = None
    customer_is_guest: Flag = False
    customer_group_id: int | None = None
    customer_email: Text = ""
    customer_firstname: Text = ""
    customer_lastname: Text = ""
    customer_taxvat: Text = ""
    customer_note: Text = ""
    store_name: Text = ""
    base_currency_code: str
    order_currency_code: str
    base_to_order_rate: Amount = Decimal(0)
    subtotal: Amount = Decimal(0)
    discount_amount: Amount = Decimal(0)
    discount_tax_compensation_amount: Amount = Decimal(0)
    discount_description: Text = ""
    coupon_code: Text = ""
    applied_rule_ids: Text = ""
    shipping_description: Text = ""
    shipping_amount: Amount = Decimal(0)
    shipping_incl_tax: Amount = Decimal(0)
    shipping_tax_amount: Amount = Decimal(0)
    shipping_discount_amount: Amount = Decimal(0)
    shipping_discount_tax_compensation_amount: Amount = Decimal(0)
    tax_amount: Amount = Decimal(0)
    grand_total: Amount = Decimal(0)
    base_grand_total: Amount = Decimal(0)
    total_due: Amount = Decimal(0)
    total_paid: Amount = Decimal(0)
    total_invoiced: Amount = Decimal(0)
    total_refunded: Amount = Decimal(0)
    total_canceled: Amount = Decimal(0)
    total_qty_ordered: Amount = Decimal(0)
    weight: Amount = Decimal(0)
    items: Annotated[tuple[OrderLine, ...], Field(min_length=1)]
    billing_address: Address | None = None
    payment: Payment
    extension_attributes: Annotated[OrderExtension, Members] = OrderExtension()

    @property
    def shipping(self) -> Shipping:
        """Where to and how; empty when everything is virtual."""
        assignments = self.extension_attributes.shipping_assignments
        return assignments[0].shipping if assignments else Shipping()
