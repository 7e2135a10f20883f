"""What happens to stock when something happens to an order, in the shop's own arithmetic.

Placing reserves what will leave; a cancellation, a shipment, an invoice of services and a credit
memo each take their part of it back. Reserved is the SKU of the product that is sent, whatever
the line is called; but a configurable's line is shipped and cancelled under the SKU that its
variant had when it was ordered, and what is no longer in the catalog does not leave any source.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from pricing_proxy.sandbox.shop.catalog import Catalog
from pricing_proxy.sandbox.shop.inventory.inventory import (
    Inventory,
    Pieces,
    is_managed,
    is_uncounted,
)
from pricing_proxy.sandbox.shop.inventory.reservations import Reservation
from pricing_proxy.sandbox.shop.orders import Order

_NOTHING = Decimal(0)
_BUNDLE, _CONFIGURABLE = "bundle", "configurable"
_Line = Mapping[str, Any]


class SoldOutError(Exception):
    """An order wants more of a SKU than its website has to sell."""


class Movements:
    """Moves stock as orders go on."""

    def __init__(self, inventory: Inventory, catalog: Catalog) -> None:
        self._inventory = inventory
        self._catalog = catalog

    def placed(self, order: Order, *, only_salable: bool) -> None:
        """Reserve what an order will take, of the stock of its website.

        Raises:
            RefusedError: The website sells from no stock.
            SoldOutError: There is less to sell, and `only_salable` says that this matters.
        """
        wanted: dict[str, Decimal] = {}
        for line in order["items"]:
            product = self._catalog.find(line["product_id"])
            if product is not None and is_managed(product):
                wanted[product.sku] = wanted.get(product.sku, _NOTHING) + line["qty_ordered"]
        stock_id = self._stock_id(order)
        if only_salable and any(
            quantity > self._inventory.salable(sku, stock_id)
            for sku, quantity in wanted.items()
            if not is_uncounted(self._catalog.named(sku))
        ):
            raise SoldOutError(order.get("increment_id"))
        pieces = [(sku, -quantity) for sku, quantity in wanted.items()]
        # It has no id yet when it is reserved for.
        self._reserve(order, pieces, "order_placed", order_id="")

    def cancelling(self, order: Order) -> None:
        """Give back what a cancellation ends, before its lines are changed."""
        pieces = [piece for line in _tops(order) for piece in self._cancelled(order, line)]
        self._reserve(order, _by_sku(pieces), "order_canceled")

    def source_of(self, order: Order, named: str) -> str:
        """Return from where a shipment leaves, which need not name it."""
        return named or self._inventory.source_without_a_name(self._stock_id(order))

    def shipped(self, order: Order, source: str, quantities: Mapping[int, Decimal]) -> None:
        """Let the pieces of a shipment leave a source.

        Raises:
            TooLittleError: It holds less than that; nothing was moved.
        """
        lines = [line for line in order["items"] if quantities.get(line["item_id"])]
        pieces = _by_sku(
            piece
            for line in lines
            for piece in self._sent(order, line, quantities[line["item_id"]])
        )
        self._inventory.take(source, pieces)
        self._reserve(order, pieces, "shipment_created")
        order.setdefault("_sent", []).extend((source, *piece) for piece in pieces)

    def invoiced(self, order: Order, lines: Iterable[_Line]) -> None:
        """Let services leave when they are invoiced, since they are never shipped."""
        by_id = {line["item_id"]: line for line in order["items"]}
        pieces = []
        for document in lines:
            line = by_id[document["order_item_id"]]
            if line["is_virtual"] and "parent_item_id" not in line:
                pieces.append((self._sku(order, line), _whole(line, document["qty"])))
        stock_id = self._stock_id(order)
        for source, taken in self._inventory.selected(stock_id, _by_sku(pieces)).items():
            self._inventory.take(source, taken)
            self._reserve(order, taken, "invoice_created")
            order.setdefault("_served", []).extend(taken)

    def refunding(self, order: Order, lines: Iterable[_Line], *, returned: Collection[int]) -> None:
        """Move what a credit memo takes back, before it is booked.

        Of the pieces refunded, those that were not shipped count first. Not returned to stock,
        they leave the stock for good; returned, they are no longer reserved, and the shipped
        ones lie where they came from.
        """
        by_id = {line["item_id"]: line for line in order["items"]}
        kept, back = _Refunded(), _Refunded()
        for document in lines:
            line = by_id[document["order_item_id"]]
            product = self._catalog.find(line["product_id"])
            if product is None or not is_managed(product) or document["qty"] <= 0:
                continue
            if line["item_id"] in returned:
                back.add(product.sku, line, document["qty"])
            elif not line["is_virtual"]:
                kept.add(product.sku, line, document["qty"])
        self._drop(order, kept)
        self._return(order, back)

    def _drop(self, order: Order, refunded: "_Refunded") -> None:
        pieces = refunded.unsent(_sums(piece[1:] for piece in order.get("_sent", ())))
        for source, taken in self._inventory.selected(self._stock_id(order), pieces).items():
            self._inventory.take(source, taken)
            self._reserve(order, taken, "creditmemo_created")

    def _return(self, order: Order, refunded: "_Refunded") -> None:
        gone = _sums((sku, quantity) for _, sku, quantity in order.get("_sent", ()))
        for sku, quantity in order.get("_served", ()):
            gone[sku] = gone.get(sku, _NOTHING) + quantity
        unsent = dict(refunded.unsent(gone))
        self._reserve(order, list(unsent.items()), "creditmemo_created")
        for sku, quantity in refunded.quantities.items():
            comes_back = min(quantity - unsent.get(sku, _NOTHING), gone.get(sku, _NOTHING))
            if comes_back > 0:
                self._inventory.take(self._came_from(order, sku), [(sku, -comes_back)])

    def _came_from(self, order: Order, sku: str) -> str:
        """Return the source that gets a SKU back: the first by priority of those that sent it."""
        stock_id = self._stock_id(order)
        ranks = self._inventory.network.sources_of(stock_id)
        sent: list[str] = [source for source, one, _ in order.get("_sent", ()) if one == sku]
        if sent:
            return min(sent, key=lambda one: ranks.index(one) if one in ranks else len(ranks))
        holding = [source for source in ranks if self._inventory.items.get(sku, source)]
        return holding[0] if holding else self._inventory.source_without_a_name(stock_id)

    def _cancelled(self, order: Order, line: _Line) -> Iterator[tuple[str, Decimal]]:
        if line["product_type"] != _BUNDLE:
            gone = max(line["qty_shipped"], line["qty_invoiced"])
            yield self._sku(order, line), line["qty_ordered"] - gone - line["qty_canceled"]
            return
        for part in _parts(order, line):
            held = part["qty_ordered"] / line["qty_ordered"]
            is_apart = line["item_id"] in order["_apart"]
            shipped = part["qty_shipped"] if is_apart else held * line["qty_shipped"]
            gone = max(shipped, part["qty_invoiced"])
            yield self._sku(order, part), part["qty_ordered"] - gone - part["qty_canceled"]

    def _sent(self, order: Order, line: _Line, quantity: Decimal) -> Iterator[tuple[str, Decimal]]:
        if self._catalog.find(line["product_id"]) is None:
            return
        if line["product_type"] != _BUNDLE:
            yield self._sku(order, line), _whole(line, quantity)
            return
        for part in _parts(order, line):
            if not part["is_virtual"]:
                held = part["qty_ordered"] / line["qty_ordered"]
                yield self._sku(order, part), _whole(part, held * quantity)

    def _sku(self, order: Order, line: _Line) -> str:
        """Return the SKU that moves: the product's as it is called now, else the line's own.

        A configurable's line may have suffixes of options, which its variant's has not.
        """
        if line["product_type"] == _CONFIGURABLE:
            return str(next(_parts(order, line), line)["sku"])
        product = self._catalog.find(line["product_id"])
        return line["sku"] if product is None else product.sku

    def _stock_id(self, order: Order) -> int:
        return self._inventory.network.stock_of(order["_request"].store.website).id

    def _reserve(
        self, order: Order, pieces: Pieces, event: str, *, order_id: str | None = None
    ) -> None:
        stock_id = self._stock_id(order)
        for sku, quantity in pieces:
            self._inventory.reservations.append(
                Reservation(
                    stock_id=stock_id,
                    sku=sku,
                    quantity=quantity,
                    event=event,
                    order_id=str(order["entity_id"]) if order_id is None else order_id,
                    increment_id=order.get("increment_id") or "",
                )
            )


class _Refunded:
    """What a credit memo refunds of each SKU, and how much of it was invoiced and kept before."""

    def __init__(self) -> None:
        self.quantities: dict[str, Decimal] = {}
        self._kept: dict[str, Decimal] = {}

    def add(self, sku: str, line: _Line, quantity: Decimal) -> None:
        """Count a line."""
        kept = line["qty_invoiced"] - line["qty_refunded"]
        self.quantities[sku] = self.quantities.get(sku, _NOTHING) + quantity
        self._kept[sku] = self._kept.get(sku, _NOTHING) + kept

    def unsent(self, gone: Mapping[str, Decimal]) -> list[tuple[str, Decimal]]:
        """Return how much of each is of pieces that never left."""
        found = []
        for sku, quantity in self.quantities.items():
            unsent = min(quantity, max(_NOTHING, self._kept[sku] - gone.get(sku, _NOTHING)))
            found.append((sku, unsent))
        return found


def _tops(order: Order) -> Iterator[_Line]:
    return (line for line in order["items"] if "parent_item_id" not in line)


def _parts(order: Order, line: _Line) -> Iterator[_Line]:
    return (one for one in order["items"] if one.get("parent_item_id") == line["item_id"])


def _by_sku(pieces: Iterable[tuple[str, Decimal]]) -> list[tuple[str, Decimal]]:
    return [(sku, quantity) for sku, quantity in _sums(pieces).items() if quantity]


def _sums(pieces: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for sku, quantity in pieces:
        sums[sku] = sums.get(sku, _NOTHING) + quantity
    return sums


def _whole(line: _Line, quantity: Decimal) -> Decimal:
    """Return a quantity as it leaves: cut to whole pieces where the product is sold so."""
    return quantity if line["is_qty_decimal"] else Decimal(int(quantity))
