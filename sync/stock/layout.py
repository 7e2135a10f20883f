"""Which source of which stock a line's reservation counts for. Pure.

A line counts for one source of the stock that it was ordered from: that of the warehouse which
the ERP ships it from, else the default one. Before it is in the ERP, nobody takes it off the
warehouse, so it counts against one source of every other stock that is filled from there too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pricing_proxy.names import same_name_key
from sync.store.shop_line_records import ShopLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """One stock of the shop.

    Attributes:
        market: Whose flow writes it.
        id: The shop's id of it.
        company: Which company of which ERP environment fills it.
        sources: Its sources' codes, each with its warehouses.
        default: The source of lines that no warehouse is known of.
        stores: The store views that sell from it.
        outside: Those of them whose orders another company gets: this one never knows of them.
        safety_stock: Of each source.
    """

    market: str
    id: int
    company: str
    sources: Mapping[str, Sequence[str]]
    default: str
    stores: frozenset[int]
    outside: frozenset[int] = frozenset()
    safety_stock: Decimal = Decimal(0)

    @property
    def scope(self) -> str:
        """What the mirror calls it."""
        return f"stock/{self.id}"

    def source_of(self, warehouse: str) -> str | None:
        """Return the source that a warehouse fills, None where it fills none."""
        wanted = same_name_key(warehouse)
        for source, warehouses in self.sources.items():
            if any(same_name_key(each) == wanted for each in warehouses):
                return source
        return None

    def own_source(self, line: ShopLine) -> str:
        """Return the one source that a line ordered from this stock counts for."""
        return (line.warehouse and self.source_of(line.warehouse)) or self.default

    def shared_source(self, line: ShopLine, other: "Stock") -> str | None:
        """Return the source of this stock that a line ordered from another one takes from."""
        likely = [line.warehouse] if line.warehouse else other.sources[other.default]
        found = (self.source_of(warehouse) for warehouse in likely)
        return next((source for source in found if source is not None), None)


@dataclass(frozen=True, slots=True)
class Shares:
    """What lines mean for one source.

    Attributes:
        added_back: The sum of what is in the ERP and of this stock, without what was ended twice.
        elsewhere: The sum of what is of other stocks, and in no ERP yet.
        ended_twice: What the shop ended more than was reserved, in this stock.
    """

    added_back: Decimal
    elsewhere: Decimal
    ended_twice: Decimal = Decimal(0)


class Layout:
    """All stocks.

    Args:
        stocks: Each with its own market.
    """

    def __init__(self, stocks: Sequence[Stock]) -> None:
        self.stocks = {stock.market: stock for stock in stocks}
        self._of_store = {store: stock for stock in stocks for store in stock.stores}

    def stock_of(self, store_id: int) -> Stock | None:
        """Return what a store view sells from, None for one that nobody fills."""
        return self._of_store.get(store_id)

    def stores_that_matter(self, stock: Stock) -> frozenset[int]:
        """Return the store views whose orders take from what fills a stock."""
        sharing = (
            each.stores
            for each in self.stocks.values()
            if each is stock or (each.company == stock.company and _share(each, stock))
        )
        return frozenset().union(*sharing)

    def counted_for(self, stock: Stock, line: ShopLine, *, is_in: bool) -> str:
        """Return the source of a stock to which a line is added back, empty for none.

        What the shop ended twice is taken off by nobody, wherever its order is.
        """
        is_own = self.stock_of(line.store_id) is stock
        is_meant = line.reserved < 0 or self._is_in(stock, line, is_in)
        return stock.own_source(line) if is_own and is_meant else ""

    def shares(self, stock: Stock, lines: Sequence[tuple[ShopLine, bool]]) -> Mapping[str, Shares]:
        """Return what lines of one SKU mean for each source of a stock.

        Args:
            stock: Which.
            lines: With each, whether the ERP had it when on-hand was read.
        """
        added_back = dict.fromkeys(stock.sources, Decimal(0))
        ended_twice, elsewhere = dict(added_back), dict(added_back)
        for line, is_in in lines:
            own = self.stock_of(line.store_id)
            if own is None:
                continue
            if own is stock:
                if source := self.counted_for(stock, line, is_in=is_in):
                    added_back[source] += max(Decimal(0), line.reserved)
                    ended_twice[source] += max(Decimal(0), -line.reserved)
            elif (
                line.reserved > 0
                and own.company == stock.company
                and not self._is_in(own, line, is_in)
            ):
                shared = stock.shared_source(line, own)
                if shared is not None:
                    elsewhere[shared] += line.reserved
        return {
            each: Shares(added_back[each], elsewhere[each], ended_twice[each])
            for each in stock.sources
        }

    def _is_in(self, stock: Stock, line: ShopLine, is_in: bool) -> bool:  # noqa: FBT001 -- as found
        return is_in and line.store_id not in stock.outside


def _share(one: Stock, other: Stock) -> bool:
    """Return whether a warehouse fills both."""
    return any(
        one.source_of(warehouse) is not None
        for warehouses in other.sources.values()
        for warehouse in warehouses
    )
