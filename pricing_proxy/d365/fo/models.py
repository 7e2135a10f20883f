"""Rows and answers of Finance & Operations, under its own field names.

Each model names the fields we read and no others: they become the `$select`, and
whatever else arrives is ignored. Numbers stay the texts that came (`NumberText`);
F&O's way of saying "not set" (1900-01-01, an empty text, null) is taken out here.
What does not fit raises pydantic's error, which `row_reading` and `price_calls` turn into
`UpstreamContractError`.
"""

# ruff: noqa: N815 - the names are the wire's
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, InstanceOf, model_validator

from pricing_proxy.money import NumberText

# F&O has no null date. The second one ends open validity ranges.
_NO_DATE = date(1900, 1, 1)
_END_OF_TIME = date(2154, 12, 31)


def date_or_none(value: Any) -> date | None:
    """Return the date part of an F&O date, None when it stands for "no date".

    Time and zone are dropped, not converted: F&O writes a date as that day's noon, and
    shifting it could change the day.

    Raises:
        ValueError: Not a date.
    """
    if not isinstance(value, str):
        raise ValueError("a date is a text")  # noqa: TRY004 - pydantic collects ValueErrors only
    day = date.fromisoformat(value[:10])
    return None if day <= _NO_DATE or day >= _END_OF_TIME else day


def _text(value: Any) -> Any:
    return "" if value is None else value


def _is_yes(value: Any) -> bool:
    # Null stands for the enum's first member, which is No.
    if value is None or value == "No":
        return False
    if value == "Yes":
        return True
    raise ValueError("NoYes is Yes or No")


Text = Annotated[str, BeforeValidator(_text)]
"""A text, empty when F&O has none."""

NoYes = Annotated[bool, BeforeValidator(_is_yes)]
"""F&O's enum NoYes."""

Day = Annotated[date | None, BeforeValidator(date_or_none)]
"""A date without a time, None when F&O has none."""

Number = InstanceOf[NumberText]
"""The text of a number; a text in quotes is not one."""


class WireModel(BaseModel):
    """What all have in common: fixed once read, and blind to members nobody asked for."""

    # Inputs are hidden because validation errors end up in logs, and rows are customer data.
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Row(WireModel):
    """A row of an entity set.

    Attributes:
        entity_set: The set's name in a URL.
        key: Fields that identify a row; large reads are ordered by all of them.
        company_field: Field that holds the company; None where a set has no company.
        shown_by: Field by which a row may be named to people; None where that is somebody's.
        unset: What stands for "not set" in fields that say one thing together, none of which is
            believed where one of them cannot be read; the row is used without them.
    """

    entity_set: ClassVar[str]
    key: ClassVar[tuple[str, ...]]
    company_field: ClassVar[str | None] = "dataAreaId"
    shown_by: ClassVar[str | None] = None
    unset: ClassVar[Mapping[str, Any]] = {}

    @classmethod
    def fields(cls) -> tuple[str, ...]:
        """Return the fields to select."""
        return tuple(cls.model_fields)


class CustomerRow(Row):
    """A row of `CustomersV3`: the account and what decides its prices; no personal data."""

    entity_set = "CustomersV3"
    key = ("dataAreaId", "CustomerAccount")

    dataAreaId: str
    CustomerAccount: str
    CustomerGroupId: Text
    SalesCurrencyCode: Text
    DiscountPriceGroupId: Text
    LineDiscountCode: Text
    MultiLineDiscountCode: Text
    TotalDiscountCode: Text
    InvoiceAccount: Text
    OnHoldStatus: Text
    IsSalesTaxIncludedInPrices: NoYes


class ReleasedProductRow(Row):
    """A row of `ReleasedProductsV2`: a master or a distinct product, with its base price.

    Attributes:
        SalesPrice: Per `SalesPriceQuantity` of `SalesUnitSymbol`, in the company's currency; 0 is
            "not set".
        SalesPriceQuantity: The price unit; 0 is "not set" and means 1.
    """

    entity_set = "ReleasedProductsV2"
    key = ("dataAreaId", "ItemNumber")
    shown_by = "ItemNumber"
    # The base price, which a price per hundred pieces without its hundred would not be.
    unset: ClassVar[Mapping[str, Any]] = {
        "SalesPrice": NumberText("0"),
        "SalesPriceQuantity": NumberText("0"),
        "SalesPriceDate": _NO_DATE.isoformat(),
        "FixedSalesPriceCharges": NumberText("0"),
        "SalesChargesQuantity": NumberText("0"),
        "IsSalesPriceIncludingCharges": None,
    }

    dataAreaId: str
    ItemNumber: str
    ProductNumber: Text
    ProductType: Text
    ProductSubType: Text
    ProductLifecycleStateId: Text
    SalesUnitSymbol: Text
    InventoryUnitSymbol: Text
    SalesPrice: Number
    SalesPriceQuantity: Number
    SalesPriceDate: Day
    FixedSalesPriceCharges: Number
    SalesChargesQuantity: Number
    IsSalesPriceIncludingCharges: NoYes
    SalesLineDiscountProductGroupCode: Text
    SalesMultilineDiscountProductGroupCode: Text
    WillTotalSalesDiscountCalculationIncludeProduct: NoYes

    @property
    def is_master(self) -> bool:
        """Whether it is sold as variants only."""
        return self.ProductSubType == "ProductMaster"


class ReleasedProductVariantRow(Row):
    """A row of `ReleasedProductVariantsV2`; `ProductVariantNumber` is its SKU."""

    entity_set = "ReleasedProductVariantsV2"
    key = (
        "dataAreaId",
        "ProductMasterNumber",
        "ProductConfigurationId",
        "ProductSizeId",
        "ProductColorId",
        "ProductStyleId",
        "ProductVersionId",
    )
    shown_by = "ProductVariantNumber"

    dataAreaId: str
    ItemNumber: Text
    ProductMasterNumber: str
    ProductVariantNumber: Text
    ProductColorId: Text
    ProductSizeId: Text
    ProductStyleId: Text
    ProductConfigurationId: Text
    ProductVersionId: Text

    @property
    def master_number(self) -> str:
        """The item number of its master, which some versions of the set name in one field only."""
        return self.ItemNumber or self.ProductMasterNumber


class OrderSettingsRow(Row):
    """A row of `ProductDefaultOrderSettings`."""

    entity_set = "ProductDefaultOrderSettings"
    key = ("dataAreaId", "ItemNumber")
    shown_by = "ItemNumber"

    dataAreaId: str
    ItemNumber: str
    IsSalesProcessingStopped: NoYes


class CurrencyRow(Row):
    """A row of `Currencies`; a rounding rule of 0 rounds nothing."""

    entity_set = "Currencies"
    key = ("CurrencyCode",)
    company_field = None

    CurrencyCode: str
    RoundingRulePrices: Number
    RoundingRuleSalesOrders: Number


class LegalEntityRow(Row):
    """A row of `LegalEntities`: a company, and the time zone its days end in."""

    entity_set = "LegalEntities"
    key = ("LegalEntityId",)
    company_field = "LegalEntityId"

    LegalEntityId: str
    Name: Text
    TimeZone: Text


class LineError(StrEnum):
    """Why the price service has no price for a line; it may know further codes."""

    ITEM_NOT_FOUND = "ItemNotFound"
    UNIT_NOT_CONVERTIBLE = "UnitNotConvertible"
    NOT_FOR_SALE = "NotForSale"
    NO_PRICE_FOUND = "NoPriceFound"
    CUSTOMER_NOT_FOUND = "CustomerNotFound"


def _code(value: Any) -> Any:
    return None if value == "" else value  # X++ texts have no null


class PriceLine(WireModel):
    """One line of the price service's answer.

    Attributes:
        ref: The caller's own name of the line.
        unitPrice: Price of `priceUnit` units, before discounts.
        priceCharges: Amount added to the line once.
        lineDiscPercent: Taken off the price, after `lineDiscAmount`.
        multilineDiscPercent: As above, for the quantity of several lines.
        netAmount: What the whole line costs, tax excluded, as the ERP rounded it.
        source: Where the ERP found it, such as "TradeAgreement".
        error: Why there is no price, a `LineError` or a code of a later service's; then the other
            members mean nothing, and are not read.
    """

    ref: str
    unitPrice: Number | None = None
    priceUnit: Number | None = None
    priceCharges: Number | None = None
    lineDiscPercent: Number | None = None
    lineDiscAmount: Number | None = None
    multilineDiscPercent: Number | None = None
    netAmount: Number | None = None
    currency: Text = ""
    source: Text = ""
    error: Annotated[str | None, BeforeValidator(_code)] = None

    @model_validator(mode="before")
    @classmethod
    def _an_error_is_all_there_is(cls, values: Any) -> Any:
        error = values.get("error") if isinstance(values, dict) else None
        if isinstance(error, str) and error:
            return {"ref": values.get("ref"), "error": error}
        return values

    @model_validator(mode="after")
    def _has_a_price_or_an_error(self) -> Self:
        if self.error is None and None in {self.unitPrice, self.priceUnit, self.netAmount}:
            raise ValueError("a line without a price says why")
        return self


class PriceAnswer(WireModel):
    """The price service's answer: a line for each it was asked for, in any order.

    Attributes:
        lines: What becomes a `PriceLine` each; one that does not is no other line's affair.
    """

    lines: list[Any]
