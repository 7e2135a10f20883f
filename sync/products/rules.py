"""What a market's configuration says about products: whose fields are whose, and the maps.

A code of the ERP that stands in no map is never guessed: its field is held, and the message names
the entry to add. What is in no field of these rules belongs to the shop and is never touched.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from pricing_proxy.configuration.environments import MODEL
from sync.engine.erp_texts import Code

FLOW = "products"

OwnedField = Literal[
    "name",
    "status",
    "weight",
    "tax_class",
    "sales_unit",
    "barcode",
    "attributes",
    "quantities",
    "variants",
    "price",
]
Dimension = Literal["configuration", "size", "color", "style", "version"]

AttributeCode = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
StoreView = Annotated[str, Field(pattern=r"^[0-9]{1,6}$")]
Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,10})*$")]
Percent = Annotated[Decimal, Field(ge=0, le=100)]

OF_EACH: frozenset[OwnedField] = frozenset({"name", "status"})
"""Fields that each market owns in its own store views and website."""


class ChangeLimits(BaseModel):
    """How much may change within a day before a person must approve it.

    Attributes:
        moved_price: A price that moves by more per cent waits, however few there are.
        repriced: SKUs whose price moves, in per cent of all.
        repriced_count: Or so many, if that is more.
        zero_price: SKUs whose price falls to zero, in per cent of all.
        zero_price_count: Or so many, if that is more.
        withdrawn_count: SKUs that are sold no longer.
    """

    model_config = MODEL

    moved_price: Annotated[Decimal, Field(gt=0, le=10_000)] = Decimal(30)
    repriced: Percent = Decimal(5)
    repriced_count: Annotated[int, Field(ge=0)] = 200
    zero_price: Percent = Decimal(5)
    zero_price_count: Annotated[int, Field(ge=0)] = 50
    withdrawn_count: Annotated[int, Field(ge=0)] = 20


class ProductRules(BaseModel):
    """How products of the ERP become products of the shop, for one market.

    Attributes:
        master: Whether it owns what is the same in all websites: weight, tax class, unit, barcode,
            attributes, order quantities, variants, the price under global price scope. One market
            does; where one alone has products on, it is that.
        fields: What the ERP owns here; by default all that is mapped. Anything else is the shop's.
        languages: The ERP's language of the names in each store view, by its id; the names of
            other store views are the shop's.
        status: "blocks": what is not sold in the ERP is disabled, and enabled again when it is if
            it was before. "erp": what is sold in the ERP is enabled as well.
        inactive_states: `ProductLifecycleStateId` of what is no longer released.
        long_names: What happens to a name that is longer than the shop's 255 characters, which cuts
            without a word.
        markup_names: What happens to a name with HTML, which the shop would show as HTML.
        weight: `NetProductWeight`, or with `TareProductWeight`.
        tax_classes: The shop's tax class id for an item sales tax group.
        unit_attribute: The shop's attribute for the sales unit.
        units: What stands there for a unit of the ERP.
        barcode_attribute: The shop's attribute for the barcode.
        barcode_setup: `BarcodeSetupId` of that barcode.
        attributes: The ERP's attribute for an attribute of the shop.
        dimensions: The shop's attribute for a product dimension.
        labels: What an option is called in the shop, by attribute and by what the ERP calls it;
            what is not named is called as in the ERP.
        new_options: Whether an option that the shop does not have is made, or its field held.
        create: Whether a product that the shop does not have is made, disabled.
        attribute_set: Of products that are made.
        visibility: Of products that are made, as the shop counts; variants are shown nowhere alone.
        websites: Ids of the websites that products which are made are in; all that have products on
            when left out.
        price_scope: The shop's setting: one price for all websites, or one for each.
        price_decimals: Decimals that a price for one piece has where the ERP's is for several.
        keep: Fields that stay as they are where somebody edited them in the shop, whatever the ERP
            says, until the shop has what the ERP says; by what `d365-sync runs show` calls them.
        events: Business events of the ERP that tell of a changed item, by the name that they were
            given there, each with the member that holds the item's number.
        limits: What needs approval.
        chunk_rows: How many rows are read from the shop and written in one go.
        batch_rows: How many rows one request to the shop may hold.
        bulk_wait_seconds: For how long the shop's queue may work off nothing more of a batch.
    """

    model_config = MODEL

    master: bool | None = None
    fields: list[OwnedField] | None = None
    languages: dict[StoreView, Language] = {}
    status: Literal["blocks", "erp"] = "blocks"
    inactive_states: list[Code] = []
    long_names: Literal["hold", "cut"] = "hold"
    markup_names: Literal["hold", "strip"] = "hold"
    weight: Literal["net", "gross"] = "net"
    tax_classes: dict[str, Annotated[int, Field(ge=0)]] = {}
    unit_attribute: AttributeCode | None = None
    units: dict[str, Annotated[str, Field(min_length=1, max_length=255)]] = {}
    barcode_attribute: AttributeCode | None = None
    barcode_setup: Code | None = None
    attributes: dict[AttributeCode, Code] = {}
    dimensions: dict[Dimension, AttributeCode] = {}
    labels: dict[AttributeCode, dict[str, Annotated[str, Field(min_length=1)]]] = {}
    new_options: Literal["create", "hold"] = "create"
    create: bool = True
    attribute_set: Annotated[int, Field(ge=1)] | None = None
    visibility: Annotated[int, Field(ge=1, le=4)] = 4
    websites: list[Annotated[int, Field(ge=1)]] | None = None
    price_scope: Literal["global", "website"] = "global"
    price_decimals: Annotated[int, Field(ge=2, le=6)] = 4
    keep: list[str] = []
    events: dict[Annotated[str, Field(min_length=1)], Annotated[str, Field(min_length=1)]] = {}
    limits: ChangeLimits = ChangeLimits()
    chunk_rows: Annotated[int, Field(ge=1, le=2000)] = 200
    batch_rows: Annotated[int, Field(ge=1, le=1000)] = 100
    bulk_wait_seconds: Annotated[int, Field(ge=5, le=280)] = 120

    def owned(self, *, is_master: bool) -> frozenset[OwnedField]:
        """Return what the ERP owns in this market."""
        if self.fields is not None:
            return frozenset(self.fields)
        own: set[OwnedField] = set(OF_EACH)
        if is_master:
            own |= self._mapped
        if is_master or self.price_scope == "website":
            own.add("price")
        return frozenset(own)

    @property
    def _mapped(self) -> frozenset[OwnedField]:
        """What is the same in all websites, and has a place in the shop by these rules."""
        mapped: dict[OwnedField, object] = {
            "weight": True,
            "tax_class": self.tax_classes,
            "sales_unit": self.unit_attribute,
            "barcode": self.barcode_attribute,
            "attributes": self.attributes,
            "variants": self.dimensions,
        }
        return frozenset(name for name, place in mapped.items() if place)

    def attribute_codes(self) -> Mapping[AttributeCode, str]:
        """Return the key of these rules by each attribute of the shop that one names."""
        named = {code: f"dimensions.{name}" for name, code in self.dimensions.items()}
        named |= {code: f"attributes.{code}" for code in self.attributes}
        for key in ("unit_attribute", "barcode_attribute"):
            if (code := getattr(self, key)) is not None:
                named[code] = key
        return named
