"""Whose fields are whose: a market's rules for products, with its place in the shop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pricing_proxy.names import ByName
from sync.products.rules import OwnedField, ProductRules

GLOBAL, LINKS = "global", "links"
"""Scopes of what is the same in all websites; what makes products sorts before what needs them."""


@dataclass(frozen=True, kw_only=True)
class ProductMarket:
    """One market.

    Attributes:
        code: Its code.
        company: Of the ERP.
        website_id: Of the shop.
        store_ids: Of the website; the first stands for it where a store view has to.
        rules: Its rules.
        is_master: Whether it owns what is the same in all websites.
        has_masters: Whether masters are shown as configurables, in all markets or in none.
        websites: Which ones products are in that it makes.
    """

    code: str
    company: str
    website_id: int
    store_ids: Sequence[int]
    rules: ProductRules
    is_master: bool
    has_masters: bool
    websites: Sequence[int]

    @cached_property
    def owned(self) -> frozenset[OwnedField]:
        """What the ERP owns here."""
        return self.rules.owned(is_master=self.is_master)

    @property
    def website(self) -> str:
        """The scope of its website."""
        return f"website/{self.website_id}"

    @cached_property
    def views(self) -> Mapping[str, str]:
        """The language of each store view whose names the ERP owns, by scope."""
        if "name" not in self.owned:
            return {}
        named = self.rules.languages.items()
        return {view_scope(int(store)): language.lower() for store, language in named}

    @property
    def default_language(self) -> str:
        """The language of the name that a product is made with."""
        return next((each.lower() for each in self.rules.languages.values()), "")

    @property
    def scopes(self) -> Sequence[str]:
        """All scopes of which it owns fields."""
        of_all = (GLOBAL, LINKS) if self.is_master else ()
        return (*of_all, *self.views, self.website)

    @property
    def has_global_price(self) -> bool:
        """Whether its price is that of all websites."""
        return "price" in self.owned and self.rules.price_scope == "global"

    def key(self, entry: str) -> str:
        """Return where an entry of its rules stands in the configuration."""
        return f"sync.markets.{self.code}.products.{entry}"

    def unit_of(self, code: str) -> str | None:
        """Return what a unit of the ERP is called in the shop."""
        return self._units.find(code)

    def tax_class_of(self, code: str) -> int | None:
        """Return the tax class of an item sales tax group."""
        return self._tax_classes.find(code)

    # Asked for each of a hundred thousand items.

    @cached_property
    def _units(self) -> ByName[str]:
        return ByName(self.rules.units)

    @cached_property
    def _tax_classes(self) -> ByName[int]:
        return ByName(self.rules.tax_classes)


def view_scope(store_id: int) -> str:
    """Return the scope of a store view."""
    return f"view/{store_id}"
