"""What F&O knows of a product beyond what it costs: names, weights, dates, limits, attributes.

Products that nobody changed have a card made up from their number, the same each time, and
kept by nobody: a hundred thousand of them cost no memory.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

LANGUAGES = ("de", "en-us")
"""In which every product has a name."""

ATTRIBUTE_TYPE = "Lighting"

_TEN = Decimal(10)
_CLASSES = "ABCDEFG"
_FIRST_GTIN = 400_000_000_000
_GTINS = 99_999_999_999


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductCard:
    """One released product, or variant.

    Attributes:
        names: By language; a language that is missing has no translation.
        texts: Descriptions, likewise.
        sell_start: First day on which it is sold; None for always.
        sell_end: Last day.
        state: Its product lifecycle state.
        weight: Net, of one inventory unit, in kilogrammes.
        tax_group: Its item sales tax group.
        barcode: Of one sales unit; empty for none.
        minimum: Smallest quantity of an order's line; 0 for none, as for the others.
        maximum: Largest.
        multiple: Of which it is sold.
        standard: What a new line begins with.
        attributes: Values by name: texts, numbers or truths.
    """

    names: Mapping[str, str]
    texts: Mapping[str, str] = field(default_factory=dict)
    sell_start: date | None = None
    sell_end: date | None = None
    state: str = ""
    weight: Decimal = Decimal(0)
    tax_group: str = "VAT19"
    barcode: str = ""
    minimum: Decimal = Decimal(0)
    maximum: Decimal = Decimal(0)
    multiple: Decimal = Decimal(0)
    standard: Decimal = Decimal(0)
    attributes: Mapping[str, str | Decimal | bool] = field(default_factory=dict)


def usual_card(number: str, name: str) -> ProductCard:
    """Return the card of a product that nobody changed."""
    dice = zlib.crc32(number.encode())
    return ProductCard(
        names=dict.fromkeys(LANGUAGES, name),
        weight=Decimal(1 + dice % 40) / _TEN,
        barcode=_gtin(dice),
        attributes={"EnergyClass": _CLASSES[dice % len(_CLASSES)], "Lumen": Decimal(dice % 3000)},
    )


def _gtin(dice: int) -> str:
    """Return a number of 13 digits whose last one is right."""
    digits = str(_FIRST_GTIN + dice % _GTINS)
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return digits + str(-total % 10)
