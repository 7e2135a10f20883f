"""Everything the shop knows, in memory: orders with their documents, customers, products, stock.

Times are those of the shop's own clock, which a dial sets wrong, in whole UTC seconds. `touch`
is the only thing that moves an order's `updated_at`, since much of what happens to a real order
does not. Orders are given to `on_placed` once they can be read.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

from pricing_proxy.clock import Clock
from pricing_proxy.sandbox.book import Book
from pricing_proxy.sandbox.dials import BadMemberError
from pricing_proxy.sandbox.shop.assortment import products_of
from pricing_proxy.sandbox.shop.bulk.bulks import Bulks
from pricing_proxy.sandbox.shop.bulk.consumer import Consumer
from pricing_proxy.sandbox.shop.catalog import Catalog
from pricing_proxy.sandbox.shop.customers import Customers
from pricing_proxy.sandbox.shop.dials import ShopDials
from pricing_proxy.sandbox.shop.inventory.beginnings import stock_up
from pricing_proxy.sandbox.shop.inventory.inventory import Inventory
from pricing_proxy.sandbox.shop.inventory.movements import Movements
from pricing_proxy.sandbox.shop.inventory.products_saved import product_saved
from pricing_proxy.sandbox.shop.inventory.saving import SourceItemBatches
from pricing_proxy.sandbox.shop.odd_rows import DATABASE_TIME, TABLES, OddRow, UnreadableRows
from pricing_proxy.sandbox.shop.order_request import OrderRequest
from pricing_proxy.sandbox.shop.orders import Order, OrderMaker
from pricing_proxy.sandbox.shop.products.attributes import Attributes
from pricing_proxy.sandbox.shop.products.configurables import Configurables
from pricing_proxy.sandbox.shop.products.saving import ProductSaver
from pricing_proxy.sandbox.shop.products.scopes import Scope
from pricing_proxy.sandbox.shop.shown_prices import ShownPrices
from pricing_proxy.sandbox.shop.sign_in import SignIn
from pricing_proxy.sandbox.shop.stores import WEBSITES, Sequences, store_by_id
from pricing_proxy.sandbox.shop.wire import missing_entity
from pricing_proxy.sandbox.shop.write_log import WriteLog
from pricing_proxy.sandbox.shop.writes import Writes


class Shop:
    """The shop's state; belongs to one event loop."""

    def __init__(self, book: Book, dials: ShopDials, *, clock: Clock) -> None:
        """Begin with the ERP's products, three customers and no order."""
        self._clock = clock
        self.dials = dials
        self.attributes = Attributes()
        products = products_of(book, self.attributes)
        self.catalog = Catalog(products, created_at=self.now())
        self.products = ProductSaver(self.catalog)
        self.writes = Writes(dials, seed="writes")
        self.write_log = WriteLog()
        self.bulks = Bulks()
        self.consumer = Consumer(self.bulks, self.writes, dials)
        self.shown_prices = ShownPrices(
            delay_seconds=lambda: dials.index_seconds, seconds=lambda: clock.utc().timestamp()
        )
        self.catalog.on_changed = self.shown_prices.changed
        self.configurables = Configurables(self.catalog, self.attributes)
        self.inventory = Inventory(
            self.catalog,
            websites=[store.website for store in WEBSITES],
            utc=clock.utc,
            index_delay=lambda: timedelta(seconds=dials.stock_index_seconds),
        )
        stock_up(self.inventory, self.catalog)
        self.catalog.on_saved = partial(product_saved, self.inventory)
        self.source_items = SourceItemBatches(self.inventory, self.catalog)
        self.movements = Movements(self.inventory, self.catalog)
        self.customers = Customers(now=self.now, has_account=lambda: dials.account_attribute)
        self.sign_in = SignIn(self.customers)
        self.orders: dict[int, Order] = {}
        self.invoices: dict[int, dict[str, Any]] = {}
        self.shipments: dict[int, dict[str, Any]] = {}
        self.credit_memos: dict[int, dict[str, Any]] = {}
        self.line_ids = count(1)
        self.track_ids = count(1)
        self.comment_ids = count(1)
        self.odd_rows = UnreadableRows()
        self.on_placed: Callable[[Order], None] | None = None
        self._numbers = Sequences(prefix=lambda: dials.number_prefix)
        self._maker = OrderMaker(self.catalog, self._numbers, bare_taxes=lambda: dials.bare_taxes)

    def now(self) -> str:
        """Return the time as the database holds it."""
        return self.time().strftime(DATABASE_TIME)

    def seconds(self) -> int:
        """Return the time in seconds since 1970."""
        return int(self.time().timestamp())

    def time(self) -> datetime:
        """Return the time as the shop's clock has it."""
        return self._clock.utc() + timedelta(seconds=self.dials.clock_ahead_seconds)

    def scopes(self) -> Mapping[str, Scope]:
        """Return whose the values of products are, as the shop is configured."""
        return self.attributes.scopes(website_prices=self.dials.website_prices)

    def place(self, request: OrderRequest) -> Order:
        """Make an order of a cart; it can be read when this returns."""
        return self.enter(self.make(request))

    def enter(self, order: Order) -> Order:
        """Put a new order into the table, and tell of it."""
        # By the true clock, which judges go by.
        order["_placed_at"] = self._clock.utc().isoformat()
        self.orders[order["entity_id"]] = order
        if self.on_placed is not None:
            self.on_placed(order)
        return order

    def make(
        self, request: OrderRequest, *, number: str | None = None, only_salable: bool = False
    ) -> Order:
        """Return a new order that is in no table yet, and reserve for it.

        Without a number it gets the next one, which is lost when the order is refused.

        Raises:
            SoldOutError: There is less to sell, and `only_salable` says that this matters.
        """
        order = self._maker.make(request, now=self.now(), number=number)
        self.movements.placed(order, only_salable=only_salable)
        return order

    def order(self, order_id: int) -> Order:
        """Return an order.

        Raises:
            RefusedError: There is none of this id.
        """
        found = self.orders.get(order_id)
        if found is None:
            raise missing_entity()
        return found

    def touch(self, order: Order) -> None:
        """Move an order's `updated_at`."""
        order["updated_at"] = self.now()

    def write_row(self, table: str, number: int, odd: OddRow) -> list[str]:
        """Make a row odd, and return what is odd about it.

        Raises:
            BadMemberError: There is no such table, or no such place in the row.
            RefusedError: There is no such row.
        """
        if table not in TABLES:
            raise BadMemberError("table", f"unknown; there are {', '.join(TABLES)}")
        is_customer = table == "customers"
        row = self.customers.row(number) if is_customer else getattr(self, table).get(number)
        if row is None:
            raise missing_entity()
        self.odd_rows.write(table, row, odd, now=self.time())
        return self.odd_rows.told(table, number)

    def remove_customer(self, customer_id: int) -> bool:
        """Delete a customer; the orders stay, of nobody, and are no guest's.

        Raises:
            RefusedError: There is none of this id.
        """
        self.customers.remove(customer_id)
        for order in self.orders.values():
            if order.get("customer_id") == customer_id:
                # The database's own doing, which does not move `updated_at`.
                del order["customer_id"]
        return True

    def document_head(self, order: Order, number: int, kind: str) -> dict[str, Any]:
        """Return what every document of an order begins with."""
        store = store_by_id(order.get("store_id"))
        now = self.now()
        shipping = order["_shipping"].get("address", {})
        head = {
            "entity_id": number,
            "increment_id": self._numbers.next(store, kind),
            "order_id": order["entity_id"],
            "store_id": store.id,
            "billing_address_id": order["billing_address_id"],
            "created_at": now,
            "updated_at": now,
        }
        address_id = shipping.get("entity_id")
        return head | ({} if address_id is None else {"shipping_address_id": address_id})
