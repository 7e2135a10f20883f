"""Where the shop's goods lie and who sells them: sources, stocks, and the links between them.

A website sells from one stock; a stock draws on its sources in the order of their priority.
Stock 1 and the source `default` are there from the start, as Magento installs them. A website
that another stock takes leaves its own; one that a stock loses goes back to stock 1.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from pricing_proxy.sandbox.shop.wire import RefusedError

DEFAULT_SOURCE = "default"
DEFAULT_STOCK = 1


@dataclass(slots=True, kw_only=True)
class Stock:
    """What a website sells from."""

    id: int
    name: str
    websites: tuple[str, ...]

    def body(self) -> dict[str, Any]:
        """Return it as the routes show it."""
        channels = [{"type": "website", "code": code} for code in self.websites]
        named = {"stock_id": self.id, "name": self.name}
        return {**named, "extension_attributes": {"sales_channels": channels}}


class Network:
    """All sources, stocks and links."""

    def __init__(self, websites: Iterable[str]) -> None:
        """Begin as installed: one source, and one stock for every website."""
        first = Stock(id=DEFAULT_STOCK, name="Default Stock", websites=tuple(websites))
        self.stocks: dict[int, Stock] = {first.id: first}
        self._sources: dict[str, dict[str, Any]] = {}
        self._links: dict[tuple[int, str], int] = {}
        self._stock_ids = count(DEFAULT_STOCK + 1)
        described = {"description": "Default Source", "country_id": "US", "postcode": "00000"}
        self.save_source(
            {"source_code": DEFAULT_SOURCE, "name": "Default Source", **described}
            | {"latitude": 0, "longitude": 0}
        )
        self.link(first.id, DEFAULT_SOURCE, 1)

    def save_source(self, members: Mapping[str, Any]) -> None:
        """Add a source, or change the members that are named of one."""
        code = members["source_code"]
        # The one that comes with the shop has no name for visitors.
        shown = "" if code == DEFAULT_SOURCE else members.get("name", "")
        known = self._sources.get(code) or {
            "enabled": True,
            "use_default_carrier_config": True,
            "carrier_links": [],
            "extension_attributes": {"is_pickup_location_active": False, "frontend_name": shown},
        }
        self._sources[code] = {**known, **members}

    @property
    def sources(self) -> dict[str, dict[str, Any]]:
        """The sources as the routes show them, by their codes, which they are sorted by."""
        return dict(sorted(self._sources.items()))

    def save_stock(
        self, name: str, websites: Iterable[str] = (), *, stock_id: int | None = None
    ) -> Stock:
        """Add a stock or change one; the websites that it names sell from it from now on."""
        number = next(self._stock_ids) if stock_id is None else stock_id
        taken = tuple(websites)
        before = self.stocks[number].websites if number in self.stocks else ()
        for other in self.stocks.values():
            other.websites = tuple(one for one in other.websites if one not in taken)
        lost = tuple(one for one in before if one not in taken)
        self.stocks[number] = Stock(id=number, name=name, websites=taken)
        if number != DEFAULT_STOCK:
            self.stocks[DEFAULT_STOCK].websites += lost
        return self.stocks[number]

    def link(self, stock_id: int, source: str, priority: int) -> None:
        """Let a stock draw on a source."""
        self._links[stock_id, source] = priority

    def unlink(self, stock_id: int, source: str) -> None:
        """Let a stock draw on a source no longer."""
        self._links.pop((stock_id, source), None)

    def links(self) -> list[dict[str, Any]]:
        """Return the links as the routes show them."""
        return [
            {"stock_id": stock_id, "source_code": source, "priority": priority}
            for (stock_id, source), priority in self._links.items()
        ]

    def stock_of(self, website: str) -> Stock:
        """Return what a website sells from.

        Raises:
            RefusedError: Nothing: there is no such website.
        """
        for stock in self.stocks.values():
            if website in stock.websites:
                return stock
        raise RefusedError(404, "No linked stock found")

    def sources_of(self, stock_id: int) -> list[str]:
        """Return the enabled sources of a stock, the first to be drawn on first."""
        linked = [
            (priority, source)
            for (stock, source), priority in self._links.items()
            if stock == stock_id and self._sources[source]["enabled"]
        ]
        return [source for _, source in sorted(linked, key=lambda one: one[0])]

    def stocks_of(self, source: str) -> list[int]:
        """Return the stocks that draw on a source."""
        return [stock for stock, linked in self._links if linked == source]

    @property
    def has_one_source(self) -> bool:
        """Whether only one source is enabled: then much is simpler, in Magento too."""
        return sum(1 for source in self._sources.values() if source["enabled"]) == 1
