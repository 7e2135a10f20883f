"""What order lines have by themselves: items of no catalog, and what headers hand down."""

from pricing_proxy.sandbox.book import ZERO, Item, fold

ALLOWANCE = "ALLOWANCE"

SERVICE_ITEMS = {
    fold(number): Item(number=number, name=name, base_price=ZERO)
    for number, name in (
        ("FREIGHT", "Freight"),
        ("PAYMENT-FEE", "Payment fee"),
        ("ROUNDING", "Rounding difference"),
        (ALLOWANCE, "Allowance"),
    )
}
"""Sold on orders, but in no catalog."""

FROM_HEADER = {
    "DefaultShippingSiteId": "ShippingSiteId",
    "DefaultShippingWarehouseId": "ShippingWarehouseId",
    "DeliveryTermsCode": "DeliveryTermsId",
    **{
        name: name
        for name in (
            "CurrencyCode",
            "DeliveryModeCode",
            "SalesTaxGroupCode",
            "RequestedShippingDate",
            "RequestedReceiptDate",
            "DeliveryAddressName",
            "DeliveryAddressStreet",
            "DeliveryAddressStreetNumber",
            "DeliveryAddressCity",
            "DeliveryAddressZipCode",
            "DeliveryAddressStateId",
            "DeliveryAddressCountryRegionId",
            "DeliveryAddressCountryRegionISOCode",
        )
    },
}
"""Fields of a line, by those of the header that they are taken from."""
