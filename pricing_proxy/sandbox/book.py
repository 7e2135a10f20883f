"""What the simulated ERP knows of one legal entity: its master data and its posted agreements.

The book is the single truth of the sandbox: the OData sets list it, the price service searches
it, and posting a price changes it. It computes nothing; the rules live in `price_search`. Codes
compare without case, so every index uses `fold`. A book belongs to one event loop; once it is
made up it changes by `post_price`, and by customers who are opened or changed.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from itertools import count

from pricing_proxy.sandbox.price_rules import PriceRules
from pricing_proxy.sandbox.product_cards import ProductCard, usual_card

# Record ids of F&O start here (0x1_5000_0000), as those in recorded answers do.
FIRST_RECORD_ID = 5_637_144_576

ZERO = Decimal(0)
ONE = Decimal(1)


def fold(code: str) -> str:
    """Return a code as the database compares it: without case, and without blanks at its end."""
    return code.rstrip(" ").casefold()


class Relation(Enum):
    """Whom, or what, an agreement names."""

    TABLE = "Table"
    GROUP = "Group"
    ALL = "All"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimensions:
    """Product and storage dimensions; on an agreement an empty one fits any."""

    color: str = ""
    size: str = ""
    style: str = ""
    config: str = ""
    version: str = ""
    site: str = ""
    warehouse: str = ""

    @property
    def product(self) -> tuple[str, ...]:
        """The five that make a variant, folded."""
        return tuple(map(fold, (self.config, self.size, self.color, self.style, self.version)))


NO_DIMENSIONS = Dimensions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer account with the groups that agreements name."""

    account: str
    name: str
    currency: str
    price_group: str = ""
    line_discount_group: str = ""
    multiline_discount_group: str = ""
    total_discount_group: str = ""
    hold: str = "No"
    tax_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A released product; a master has variants.

    Attributes:
        base_price: In the company's currency, for `price_unit` sales units; 0 = none.
        charges_quantity: Over how many units included charges are spread; 0 = one.
    """

    number: str
    name: str
    base_price: Decimal
    sales_unit: str = "PCS"
    inventory_unit: str = "PCS"
    price_unit: Decimal = ONE
    line_discount_group: str = ""
    multiline_discount_group: str = ""
    charges: Decimal = ZERO
    charges_included: bool = False
    charges_quantity: Decimal = ZERO
    counts_for_total: bool = True
    is_master: bool = False
    is_stopped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One released combination of a master's dimensions."""

    item: str
    name: str
    dimensions: Dimensions

    @property
    def number(self) -> str:
        """The product variant number, such as `T0020 : : M : Black :`."""
        d = self.dimensions
        parts = (self.item, d.config, d.size, d.color, d.style)
        return " ".join(" : ".join(parts).split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """One `source` unit is `numerator / denominator` of `target`, for one item or for all."""

    source: str
    target: str
    numerator: int
    denominator: int = 1
    item: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Agreement:
    """What posted agreements share; None dates and a 0 `to_quantity` are open ends."""

    record_id: int
    account_code: Relation
    account: str
    currency: str
    unit: str = ""
    from_quantity: Decimal = ZERO
    to_quantity: Decimal = ZERO
    from_date: date | None = None
    to_date: date | None = None
    find_next: bool = False
    is_generic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceAgreement(_Agreement):
    """A sales price: `price` for `price_unit` units of one item."""

    item: str
    price: Decimal
    price_unit: Decimal = ONE
    charges: Decimal = ZERO
    dimensions: Dimensions = NO_DIMENSIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount(_Agreement):
    """A line, multiline or total discount; for a total, the quantities are amounts of money."""

    item_code: Relation = Relation.ALL
    item: str = ""
    percent1: Decimal = ZERO
    percent2: Decimal = ZERO
    amount: Decimal = ZERO
    dimensions: Dimensions = NO_DIMENSIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """A posted trade agreement journal; its date is the change signal that readers poll."""

    number: str
    description: str
    posted_on: date


@dataclass(slots=True, kw_only=True)
class Book:
    """One legal entity's data, indexed the way the price search asks for it.

    Attributes:
        rates: What one unit of the company's currency is worth in each other currency.
        revision: Rises with every posted journal; whoever derived something compares it.
        cards: What is said of products that somebody changed, by folded number.
        assortment: Rises when items or variants are released, or no longer.
        on_product: Told of a product that changed, by its number.
    """

    company: str
    currency: str
    today: date
    customers: dict[str, Customer] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    variants: dict[str, Variant] = field(default_factory=dict)
    conversions: dict[str, list[Conversion]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    rates: dict[str, Decimal] = field(default_factory=dict)
    prices: dict[tuple[Relation, str, str], list[PriceAgreement]] = field(default_factory=dict)
    line_discounts: dict[tuple[Relation, str, Relation, str], list[Discount]] = field(
        default_factory=dict
    )
    multiline_discounts: list[Discount] = field(default_factory=list)
    total_discounts: list[Discount] = field(default_factory=list)
    journals: list[Journal] = field(default_factory=list)
    revision: int = 0
    rules: PriceRules = field(default_factory=PriceRules)
    cards: dict[str, ProductCard] = field(default_factory=dict)
    assortment: int = 0
    on_product: Callable[[str], None] = lambda _: None
    _record_ids: "count[int]" = field(default_factory=lambda: count(FIRST_RECORD_ID))

    def next_record_id(self) -> int:
        """Return a record id that no row has."""
        return next(self._record_ids)

    def add_items(self, *items: Item) -> None:
        """Release items."""
        self.items.update((fold(item.number), item) for item in items)
        self.assortment += 1

    def add_variants(self, *variants: Variant) -> None:
        """Release variants of masters."""
        self.variants.update((fold(variant.number), variant) for variant in variants)
        self.assortment += 1

    def card(self, number: str, name: str) -> ProductCard:
        """Return what is said of a product or variant."""
        return self.cards.get(fold(number)) or usual_card(number, name)

    def add_conversions(self, *rules: Conversion) -> None:
        """Add unit conversions, each for one item or, under "", for all."""
        for rule in rules:
            self.conversions.setdefault(fold(rule.item), []).append(rule)

    def add_customers(self, *customers: Customer) -> None:
        """Open customer accounts."""
        self.customers.update((fold(customer.account), customer) for customer in customers)

    def add_prices(self, *rows: PriceAgreement) -> None:
        """Add price agreements as they are."""
        for row in rows:
            key = (row.account_code, fold(row.account), fold(row.item))
            self.prices.setdefault(key, []).append(row)

    def add_line_discounts(self, *rows: Discount) -> None:
        """Add line discount agreements as they are."""
        for row in rows:
            key = (row.account_code, fold(row.account), row.item_code, fold(row.item))
            self.line_discounts.setdefault(key, []).append(row)

    def price_rows(self) -> Iterable[PriceAgreement]:
        """Return all price agreements in no particular order."""
        return (row for rows in self.prices.values() for row in rows)

    def sku_of(self, item: str, dimensions: Dimensions) -> str:
        """Return the SKU a shop uses: the item number, or the variant's number."""
        if not any(dimensions.product):
            return item
        return Variant(item=item, name="", dimensions=dimensions).number

    def post_price(self, new: PriceAgreement, *, description: str) -> Journal:
        """Post a journal with one price, which takes the place of its predecessors.

        A predecessor is a row that differs in nothing but price, charges, period and
        find next; it stays valid for the days that the new row does not cover.
        """
        key = (new.account_code, fold(new.account), fold(new.item))
        kept = [part for row in self.prices.get(key, []) for part in self._uncovered(row, new)]
        self.prices[key] = [*kept, new]
        number = f"{len(self.journals) + 1:05}"
        journal = Journal(number=number, description=description, posted_on=self.today)
        self.journals.append(journal)
        self.revision += 1
        return journal

    def _uncovered(self, old: PriceAgreement, new: PriceAgreement) -> list[PriceAgreement]:
        if not _is_predecessor(old, new) or not _overlap(old, new):
            return [old]
        one_day = timedelta(days=1)
        parts = []
        if new.from_date and (old.from_date is None or old.from_date < new.from_date):
            parts.append(replace(old, to_date=new.from_date - one_day))
        if new.to_date and (old.to_date is None or old.to_date > new.to_date):
            record_id = self.next_record_id() if parts else old.record_id
            parts.append(replace(old, record_id=record_id, from_date=new.to_date + one_day))
        return parts


def _is_predecessor(old: PriceAgreement, new: PriceAgreement) -> bool:
    return (
        old.dimensions == new.dimensions
        and fold(old.currency) == fold(new.currency)
        and fold(old.unit) == fold(new.unit)
        and (old.from_quantity, old.to_quantity) == (new.from_quantity, new.to_quantity)
    )


def _overlap(old: PriceAgreement, new: PriceAgreement) -> bool:
    starts = max(old.from_date or date.min, new.from_date or date.min)
    ends = min(old.to_date or date.max, new.to_date or date.max)
    return starts <= ends
