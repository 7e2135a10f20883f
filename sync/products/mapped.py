"""What becomes of an item's fields: rows, or what is wrong with them. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sync.products.erp_product import ErpProduct
from sync.products.market import ProductMarket
from sync.store.mirror_records import DesiredRow, UnmappedRow, Value

Fields = dict[str, Value]


class Born(NamedTuple):
    """What a product is made with, beside its row's own fields."""

    name: str
    price: str | None
    is_variant: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """What became of an item.

    Attributes:
        rows: Of its fields that can be shown.
        held: What is wrong with the others; None where nothing is.
    """

    rows: Sequence[DesiredRow]
    held: UnmappedRow | None


class UnmappedError(Exception):
    """A field cannot be shown as the rules want it.

    Attributes:
        row: Which, and what to do.
    """

    def __init__(self, row: UnmappedRow) -> None:
        super().__init__(f"{row.key}: {row.text}")
        self.row = row


class Sorting:
    """Tries fields one by one, and keeps what is wrong with some."""

    def __init__(self) -> None:
        self.odd: list[UnmappedRow] = []

    def fields(self, parts: Iterable[Callable[[], Fields]]) -> Fields:
        """Return the fields of those parts of which nothing is wrong."""
        good: Fields = {}
        for part in parts:
            try:
                good |= part()
            except UnmappedError as error:
                self.odd.append(error.row)
        return good


def together(product: ErpProduct, odd: Sequence[UnmappedRow]) -> UnmappedRow | None:
    """Return all that is wrong with an item, each once: it is one event."""
    if not odd:
        return None
    told = [
        "; ".join(dict.fromkeys(getattr(each, name) for each in odd))
        for name in ("field", "text", "advice")
    ]
    return UnmappedRow(key=product.sku, field=told[0], text=told[1], advice=told[2], is_part=True)


def missing(
    product: ErpProduct, field: str, value: str, entry: str, market: ProductMarket
) -> UnmappedError:
    """Return the error for a code that stands in no map."""
    advice = f'add "{value}" to {market.key(entry)}, then replay'
    return unmapped(product, field, f'"{value}" stands for nothing in the shop', advice)


def unmapped(
    product: ErpProduct, field: str, text: str, advice: str, *, is_part: bool = True
) -> UnmappedError:
    """Return the error for a field that cannot be shown, or for the whole item."""
    return UnmappedError(
        UnmappedRow(key=product.sku, field=field, text=text, advice=advice, is_part=is_part)
    )
