"""What an OData entity set of the sandbox is, and the members of the enums in them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pricing_proxy.sandbox.book import Book
from pricing_proxy.sandbox.row_values import Row

ENUM_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "NoYes": ("No", "Yes"),
    "EcoResProductType": ("Item", "Service"),
    "EcoResProductSubtype": ("Product", "ProductMaster", "ProductVariant"),
    "PriceType": (
        "PricePurch",
        "LineDiscPurch",
        "MultiLineDiscPurch",
        "EndDiscPurch",
        "PriceSales",
        "LineDiscSales",
        "MultiLineDiscSales",
        "EndDiscSales",
        "MCRPostageDisc",
    ),
    "RoundOffType": ("Ordinary", "RoundDown", "RoundUp"),
    "UnitOfMeasureClass": ("Quantity", "Length"),
    "UnitOfMeasureConversionRounding": ("Nearest", "Up", "Down"),
    "ExchangeRateDisplayFactor": ("One", "Ten", "Hundred", "Thousand", "TenThousand"),
    "InventLocationType": (
        "Standard",
        "Quarantine",
        "Transit",
        "GoodsInRoute_RU",
        "ITMGIT",
        "ITMUnder",
    ),
    "AttributeDataType": (
        "Currency",
        "DateTime",
        "Decimal",
        "Integer",
        "Text",
        "TrueFalse",
        "Reference",
    ),
    "Timezone": ("GMTPLUS0100_AMSTERDAM_BERLIN_BERN_ROME",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """How the rows of a large set are made, each when it is looked at.

    Attributes:
        entries: What there is to make rows of.
        row: Makes one.
        key: Returns the values of the set's key but the company, without making the row.
        lead: The field of the key that most rows differ in; some of its values are found at once.
        also: Another such field, no part of the key; empty for none.
        also_of: Returns its value.
    """

    entries: Callable[[Book], Iterable[Any]]
    row: Callable[[Book, Any], Row]
    key: Callable[[Any], tuple[str, ...]]
    lead: str
    also: str = ""
    also_of: Callable[[Any], str] | None = None


def listed(
    name: str, operation: str, key: tuple[str, ...], listing: Listing, **enums: str
) -> "EntitySet":
    """Return a set whose rows are made one by one."""
    return EntitySet(
        name=name,
        operation=operation,
        key=key,
        rows=lambda book: (listing.row(book, entry) for entry in listing.entries(book)),
        enums=enums,
        listing=listing,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitySet:
    """One set: its name, its key in order, its enum fields, and how to list it.

    Attributes:
        operation: Under which name its calls are counted.
        follows_journals: Whether a posted journal changes its rows.
        listing: Of a set that may be large: how its rows are made one by one.
    """

    name: str
    operation: str
    key: tuple[str, ...]
    rows: Callable[[Book], Iterable[Row]]
    enums: Mapping[str, str] = field(default_factory=dict)
    follows_journals: bool = False
    listing: Listing | None = None
