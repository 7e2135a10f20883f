"""Prices that tell by their digits whose they are, of which SKU, and how old.

Millionths: customer times 10^6, SKU times 10^4, and a version that counts down, so that a
newer price is also the lower one. Low enough that no list price of the sandbox wins.
"""

from decimal import Decimal
from typing import NamedTuple

CUSTOMERS = tuple(f"C-{2000 + number}" for number in range(12))
SKUS = tuple(f"LAMP-{number:02}" for number in range(1, 21))
_SCALE = 10**6
_PER_SKU = 10**4


class Told(NamedTuple):
    """What a price tells."""

    customer: str
    sku: str
    version: int


def price_text(told: Told) -> str:
    """Return the price of a version of a customer's SKU."""
    customer, sku = CUSTOMERS.index(told.customer) + 1, SKUS.index(told.sku)
    number = customer * _SCALE + sku * _PER_SKU + _PER_SKU - 1 - told.version
    return f"{Decimal(number) / _SCALE:.6f}"


def read_price(text: str) -> Told | None:
    """Return what a price tells, None for one that is not of the drill."""
    number = Decimal(text) * _SCALE
    customer, rest = divmod(int(number), _SCALE)
    sku, version = divmod(rest, _PER_SKU)
    if number != int(number) or not 0 < customer <= len(CUSTOMERS) or sku >= len(SKUS):
        return None
    return Told(CUSTOMERS[customer - 1], SKUS[sku], _PER_SKU - 1 - version)
