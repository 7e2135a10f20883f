"""Lines of Magento's orders, and what was chosen for them, under its own field names."""

from decimal import Decimal
from typing import Annotated

from sync.magento.wire_types import (
    Amount,
    Flag,
    Members,
    OpenMembers,
    OptionText,
    Rows,
    ShopModel,
    Text,
)


class CustomOption(ShopModel):
    """A custom option's choice; ids only, the titles are the product's."""

    option_id: Text
    option_value: OptionText = ""


class BundleOption(ShopModel):
    """What was chosen of one part of a bundle."""

    option_id: Text


class ChosenOptions(ShopModel):
    """Everything chosen for a line."""

    custom_options: Annotated[tuple[CustomOption, ...], Rows] = ()
    configurable_item_options: Annotated[tuple[CustomOption, ...], Rows] = ()
    bundle_options: Annotated[tuple[BundleOption, ...], Rows] = ()


class ProductOption(ShopModel):
    """The envelope around what was chosen."""

    extension_attributes: Annotated[ChosenOptions, Members] = ChosenOptions()


class ItemizedTax(ShopModel):
    """One tax of one line, or of what `taxable_item_type` says.

    Attributes:
        item_id: The line's; None where the shop did not note it.
    """

    tax_code: Text = ""
    tax_percent: Amount = Decimal(0)
    amount: Amount = Decimal(0)
    item_id: int | None = None
    taxable_item_type: Text = ""


class LineExtension(OpenMembers):
    """What modules add to a line.

    Attributes:
        itemized_taxes: Empty where the shop noted taxes without the line's id, as it does with
            orders placed in one go, and on a line that costs nothing.
    """

    itemized_taxes: Annotated[tuple[ItemizedTax, ...], Rows] = ()


class LineHead(ShopModel):
    """What a poll needs to know of a line.

    Attributes:
        qty_canceled: Stays 0 on the child of a configurable.
    """

    item_id: int
    qty_canceled: Amount = Decimal(0)


class OrderLine(LineHead):
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

    parent_item_id: int | None = None
    product_id: int | None = None
    product_type: Text = "simple"
    sku: Text = ""
    name: Text = ""
    is_virtual: Flag = False
    qty_ordered: Amount = Decimal(0)
    qty_invoiced: Amount = Decimal(0)
    qty_refunded: Amount = Decimal(0)
    price: Amount = Decimal(0)
    row_total: Amount = Decimal(0)
    row_total_incl_tax: Amount = Decimal(0)
    tax_amount: Amount = Decimal(0)
    tax_percent: Decimal | None = None
    discount_amount: Amount = Decimal(0)
    discount_tax_compensation_amount: Amount = Decimal(0)
    product_option: Annotated[ProductOption, Members] = ProductOption()
    extension_attributes: Annotated[LineExtension, Members] = LineExtension()

    @property
    def options(self) -> ChosenOptions:
        """What was chosen for the line."""
        return self.product_option.extension_attributes
