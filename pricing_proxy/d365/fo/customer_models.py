"""Customers and their addresses: what is written, and what is read back.

Rows here hold personal data, unlike `CustomerRow`, which the price path reads.
"""

# ruff: noqa: N815 - the names are the wire's
from decimal import Decimal
from typing import Literal

from pricing_proxy.d365.fo.bodies import Body
from pricing_proxy.d365.fo.models import NoYes, Row, Text


class CustomerBody(Body):
    """A customer to create, with its primary address, or the fields to change.

    Attributes:
        CustomerAccount: Chosen by us, where the number sequence allows that; else left out.
        PartyType: A company, with `OrganizationName`, or a person, with the two other names.
    """

    CustomerAccount: str | None = None
    PartyType: Literal["Organization", "Person"] | None = None
    OrganizationName: str | None = None
    PersonFirstName: str | None = None
    PersonLastName: str | None = None
    NameAlias: str | None = None
    CustomerGroupId: str | None = None
    SalesCurrencyCode: str | None = None
    LanguageId: str | None = None
    PaymentTerms: str | None = None
    PaymentMethod: str | None = None
    DeliveryMode: str | None = None
    SalesTaxGroup: str | None = None
    TaxExemptNumber: str | None = None
    IsSalesTaxIncludedInPrices: bool | None = None
    DiscountPriceGroupId: str | None = None
    LineDiscountCode: str | None = None
    MultiLineDiscountCode: str | None = None
    TotalDiscountCode: str | None = None
    SiteId: str | None = None
    WarehouseId: str | None = None
    CreditLimit: Decimal | None = None
    PrimaryContactEmail: str | None = None
    PrimaryContactPhone: str | None = None
    AddressDescription: str | None = None
    AddressStreet: str | None = None
    AddressCity: str | None = None
    AddressZipCode: str | None = None
    AddressState: str | None = None
    AddressCountryRegionId: str | None = None


class CustomerAccountRow(Row):
    """A customer as the sync matches and compares it."""

    entity_set = "CustomersV3"
    key = ("dataAreaId", "CustomerAccount")

    dataAreaId: str
    CustomerAccount: str
    PartyNumber: Text
    PartyType: Text
    OrganizationName: Text
    PersonFirstName: Text
    PersonLastName: Text
    NameAlias: Text
    CustomerGroupId: Text
    SalesCurrencyCode: Text
    LanguageId: Text
    OnHoldStatus: Text
    TaxExemptNumber: Text
    IsSalesTaxIncludedInPrices: NoYes
    DiscountPriceGroupId: Text
    LineDiscountCode: Text
    MultiLineDiscountCode: Text
    TotalDiscountCode: Text
    PrimaryContactEmail: Text
    PrimaryContactPhone: Text
    AddressLocationId: Text


class AddressBody(Body):
    """An address to add to a customer, or the fields to change.

    Attributes:
        AddressCountryRegionId: F&O's own code, usually ISO 3166 alpha-3.
        AddressLocationRoles: Such as "Delivery;Invoice".
        AttentionToAddressLine: The name line.
    """

    AddressDescription: str | None = None
    AttentionToAddressLine: str | None = None
    AddressStreet: str | None = None
    AddressCity: str | None = None
    AddressZipCode: str | None = None
    AddressState: str | None = None
    AddressCountyId: str | None = None
    AddressCountryRegionId: str | None = None
    AddressLocationRoles: str | None = None
    IsRoleDelivery: bool | None = None
    IsRoleInvoice: bool | None = None
    IsPrimary: bool | None = None


class AddressRow(Row):
    """An address of a customer.

    Attributes:
        AddressLocationId: Its id; stays when the address changes.
        Effective: When this version of it begins, as the ERP wrote it; a part of the key.
    """

    entity_set = "CustomerPostalAddresses"
    key = (
        "dataAreaId",
        "CustomerAccountNumber",
        "CustomerLegalEntityId",
        "AddressLocationId",
        "Effective",
    )

    dataAreaId: str
    CustomerAccountNumber: str
    CustomerLegalEntityId: str
    AddressLocationId: str
    Effective: Text
    AddressDescription: Text
    AttentionToAddressLine: Text
    AddressStreet: Text
    AddressCity: Text
    AddressZipCode: Text
    AddressState: Text
    AddressCountryRegionId: Text
    AddressLocationRoles: Text
    IsRoleDelivery: NoYes
    IsRoleInvoice: NoYes
    IsPrimary: NoYes
