"""A market's item and customer maps out of F&O's catalog.

A SKU is the ItemNumber of a distinct product or the ProductVariantNumber of a variant: F&O
sells no master alone.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from datetime import timedelta
from typing import Protocol, TypeVar

from pricing_proxy.clock import Clock
from pricing_proxy.d365.fo.catalog import customer_of, item_of, variant_of
from pricing_proxy.d365.fo.models import (
    CustomerRow,
    OrderSettingsRow,
    ReleasedProductRow,
    ReleasedProductVariantRow,
    Row,
)
from pricing_proxy.money import divide
from pricing_proxy.names import same_name_key
from pricing_proxy.prices.ports import Listing
from pricing_proxy.resilience.call_class import CallClass, Caller, Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.shared_state.customer_map import CUSTOMERS, Customer
from pricing_proxy.shared_state.item_map import ITEMS, Item
from pricing_proxy.shared_state.map_rows import GatheredRows, by_name

R = TypeVar("R", bound=Row)

_LOOK_UP_US = timedelta(seconds=3) // timedelta(microseconds=1)


class MasterCalls(Protocol):
    """The part of the F&O client that reads master data."""

    def all_rows(self, row: type[R], company: str) -> AsyncGenerator[list[R], None]:
        """Yield every row of a company."""
        ...

    async def customer(
        self, company: str, account: str, *, ticket: Ticket, deadline: Deadline
    ) -> CustomerRow | None:
        """Return one customer."""
        ...


class FoMasterData:
    """One company's maps; a `prices.ports.MasterDataReader`.

    Args:
        calls: The F&O client.
        company: The legal entity's id.
        decimals: Decimals of a base price that is given for more than one unit.
        clock: Time.
    """

    def __init__(self, calls: MasterCalls, *, company: str, decimals: int, clock: Clock) -> None:
        self._calls = calls
        self._company = company
        self._decimals = decimals
        self._clock = clock

    async def items(self, held: Mapping[str, Item]) -> Listing[Item]:
        """Return every sellable SKU; raises `UpstreamError`."""
        stopped = set[str]()
        sizes = Counter[str]()
        async for settings in self._rows(OrderSettingsRow, sizes):
            stopped.update(
                same_name_key(row.ItemNumber) for row in settings if row.IsSalesProcessingStopped
            )
        items = GatheredRows(ITEMS.name_of, held)
        masters = GatheredRows[Item](ITEMS.name_of, {})
        async for products in self._rows(ReleasedProductRow, sizes):
            for product in products:
                is_sold = same_name_key(product.ItemNumber) not in stopped
                item = item_of(product, list_price=self._list_price(product), is_sold=is_sold)
                (masters if product.is_master else items).add(item)
        # One set of the ERP's may spell a number otherwise than another: to it they are equal.
        by_number = await by_name(masters.rows)
        async for variants in self._rows(ReleasedProductVariantRow, sizes):
            for variant in variants:
                master = by_number.find(variant.master_number)
                if master is not None and variant.ProductVariantNumber:
                    items.add(variant_of(variant, master))
        return Listing(items.rows, sizes)

    async def customers(self, held: Mapping[str, Customer]) -> Listing[Customer]:
        """Return every customer by account; raises `UpstreamError`."""
        customers, sizes = GatheredRows(CUSTOMERS.name_of, held), Counter[str]()
        async for rows in self._rows(CustomerRow, sizes):
            for row in rows:
                customers.add(customer_of(row))
        return Listing(customers.rows, sizes)

    async def _rows(self, row: type[R], sizes: Counter[str]) -> AsyncGenerator[list[R], None]:
        async for rows in self._calls.all_rows(row, self._company):
            sizes[row.entity_set] += len(rows)
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

    def _list_price(self, row: ReleasedProductRow) -> str | None:
        price, price_unit = row.SalesPrice.value, row.SalesPriceQuantity.value
        if price <= 0:
            return None  # F&O has no null number: 0 is "not set"
        if price_unit in (0, 1):
            return str(row.SalesPrice)
        return divide(price, price_unit, scale=self._decimals)
