"""A market's item and customer maps out of F&O's catalog.

A SKU is the ItemNumber of a distinct product or the ProductVariantNumber of a variant: F&O
sells no master alone.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from datetime import timedelta
from typing import Protocol, TypedDict, TypeVar

from pricing_proxy.clock import Clock
from pricing_proxy.d365.fo.catalog import customer_of, item_of, variant_of
from pricing_proxy.d365.fo.models import (
    CustomerRow,
    OrderSettingsRow,
    ReleasedProductRow,
    ReleasedProductVariantRow,
    Row,
)
from pricing_proxy.d365.fo.row_reading import UnreadableRows
from pricing_proxy.names import same_name_key
from pricing_proxy.prices.ports import Listing
from pricing_proxy.resilience.call_class import CallClass, Caller, Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.shared_state.customer_map import CUSTOMERS, Customer
from pricing_proxy.shared_state.item_map import ITEMS, Item
from pricing_proxy.shared_state.map_rows import GatheredRows, by_name

R = TypeVar("R", bound=Row)
V = TypeVar("V")

_LOOK_UP_US = timedelta(seconds=3) // timedelta(microseconds=1)


class MasterCalls(Protocol):
    """The part of the F&O client that reads master data."""

    def all_rows(
        self, row: type[R], company: str, odd: UnreadableRows
    ) -> AsyncGenerator[list[R], None]:
        """Yield every row of a company that can be read, and note the others."""
        ...

    async def customer(
        self, company: str, account: str, *, ticket: Ticket, deadline: Deadline
    ) -> CustomerRow | None:
        """Return one customer."""
        ...


class _Reading:
    """What is noted while a map is read from the ERP's sets."""

    def __init__(self) -> None:
        self.sizes = Counter[str]()
        self._odd: list[UnreadableRows] = []

    def odd_rows(self, row: type[Row]) -> UnreadableRows:
        """Return where rows of a set are noted that cannot be read."""
        self._odd.append(UnreadableRows(row.entity_set))
        return self._odd[-1]

    def listing(self, rows: Mapping[str, V]) -> Listing[V]:
        odd = [each for each in self._odd if each.count]
        told = "; ".join(each.told for each in odd)
        return Listing(rows, self.sizes, told, sum(each.count for each in odd))


class FoMasterData:
    """One company's maps; a `prices.ports.MasterDataReader`.

    Args:
        calls: The F&O client.
        company: The legal entity's id.
        clock: Time.
    """

    def __init__(self, calls: MasterCalls, *, company: str, clock: Clock) -> None:
        self._calls = calls
        self._company = company
        self._clock = clock

    async def items(self, held: Mapping[str, Item]) -> Listing[Item]:
        """Return every sellable SKU; raises `UpstreamError`."""
        stopped = set[str]()
        read = _Reading()
        async for settings in self._rows(OrderSettingsRow, read):
            stopped.update(
                same_name_key(row.ItemNumber) for row in settings if row.IsSalesProcessingStopped
            )
        items = GatheredRows(ITEMS.name_of, held)
        masters = GatheredRows[Item](ITEMS.name_of, {})
        async for products in self._rows(ReleasedProductRow, read):
            for product in products:
                is_sold = same_name_key(product.ItemNumber) not in stopped
                item = item_of(product, is_sold=is_sold, **_base_price(product))
                (masters if product.is_master else items).add(item)
        # One set of the ERP's may spell a number otherwise than another: to it they are equal.
        by_number = await by_name(masters.rows)
        async for variants in self._rows(ReleasedProductVariantRow, read):
            for variant in variants:
                master = by_number.find(variant.master_number)
                if master is not None and variant.ProductVariantNumber:
                    items.add(variant_of(variant, master))
        return read.listing(items.rows)

    async def customers(self, held: Mapping[str, Customer]) -> Listing[Customer]:
        """Return every customer by account; raises `UpstreamError`."""
        customers, read = GatheredRows(CUSTOMERS.name_of, held), _Reading()
        async for rows in self._rows(CustomerRow, read):
            for row in rows:
                customers.add(customer_of(row))
        return read.listing(customers.rows)

    async def _rows(self, row: type[R], read: _Reading) -> AsyncGenerator[list[R], None]:
        odd = read.odd_rows(row)
        async for rows in self._calls.all_rows(row, self._company, odd):
            read.sizes[row.entity_set] += len(rows)
            yield rows

    async def customer(self, account: str, *, caller: Caller) -> Customer | None:
        """Return one customer; raises `UpstreamError`."""
        deadline = Deadline.after(_LOOK_UP_US, now_us=self._clock.monotonic_us())
        row = await self._calls.customer(
            self._company,
            account,
            ticket=Ticket(CallClass.INTERACTIVE, caller),
            deadline=deadline,
        )
        return None if row is None else customer_of(row)


class _BasePrice(TypedDict):
    list_price: str | None
    list_price_unit: str


def _base_price(row: ReleasedProductRow) -> _BasePrice:
    """Return the base price as the ERP writes it, and for how many units that is."""
    # F&O has no null number: 0 is "not set", and of the units means 1.
    is_set, is_per_unit = row.SalesPrice.value > 0, row.SalesPriceQuantity.value in (0, 1)
    return {
        "list_price": str(row.SalesPrice) if is_set else None,
        "list_price_unit": str(row.SalesPriceQuantity) if is_set and not is_per_unit else "1",
    }
