"""What rows of the catalog and of customers say, as both programs keep and share it. Pure.

A SKU is the ItemNumber of a distinct product or the ProductVariantNumber of a variant; a
master alone cannot be sold, but its variants have its number, unit and base price.
"""

from dataclasses import replace

from pricing_proxy.d365.fo.customer_models import CustomerAccountRow
from pricing_proxy.d365.fo.models import CustomerRow, ReleasedProductRow, ReleasedProductVariantRow
from pricing_proxy.shared_state.customer_map import Customer
from pricing_proxy.shared_state.item_map import Item


def item_of(
    row: ReleasedProductRow,
    *,
    list_price: str | None = None,
    list_price_unit: str = "1",
    is_sold: bool = True,
) -> Item:
    """Return a distinct product, or a master for the sake of its variants."""
    return Item(
        sku=row.ItemNumber,
        item_number=row.ItemNumber,
        color="",
        size="",
        style="",
        configuration="",
        version="",
        sales_unit=row.SalesUnitSymbol,
        list_price=list_price,
        list_price_unit=list_price_unit,
        is_sold=is_sold,
    )


def variant_of(row: ReleasedProductVariantRow, master: Item) -> Item:
    """Return a variant of a master."""
    return replace(
        master,
        sku=row.ProductVariantNumber,
        color=row.ProductColorId,
        size=row.ProductSizeId,
        style=row.ProductStyleId,
        configuration=row.ProductConfigurationId,
        version=row.ProductVersionId,
    )


def customer_of(row: CustomerRow | CustomerAccountRow) -> Customer:
    """Return what pricing needs to know of an account."""
    return Customer(
        account=row.CustomerAccount,
        currency=row.SalesCurrencyCode,
        price_group=row.DiscountPriceGroupId,
        line_discount_group=row.LineDiscountCode,
        multiline_discount_group=row.MultiLineDiscountCode,
        total_discount_group=row.TotalDiscountCode,
    )
