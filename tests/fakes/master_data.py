"""The item and customer maps of one market, without an ERP behind them."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import cache

from pricing_proxy.names import ByName
from pricing_proxy.shared_state.customer_map import Customer
from pricing_proxy.shared_state.item_map import Item


@cache
def make_item(sku: str, *, list_price: str | None = "19.90", is_sold: bool = True) -> Item:
    """Return a distinct product that is sold by the piece."""
    return Item(
        sku=sku,
        item_number=sku,
        color="",
        size="",
        style="",
        configuration="",
        version="",
        sales_unit="PCS",
        list_price=list_price,
        is_sold=is_sold,
    )


def make_customer(account: str, *, price_group: str = "") -> Customer:
    """Return a customer without discount groups."""
    return Customer(
        account=account,
        currency="EUR",
        price_group=price_group,
        line_discount_group="",
        multiline_discount_group="",
        total_discount_group="",
    )


class FakeMasterData:
    """A `prices.ports.MasterMaps` that knows what it is given.

    Attributes:
        catalog: Items by SKU; None before they were ever read.
        everybody: Customers by account.
        shop_ids: Accounts by the shop's customer id.
        is_complete: Whether there is a map of all customers.
        refreshing: Is called when the maps are to be read from the ERP.
        refreshed: How often they were.
        looked_up: Accounts that somebody asked for beside the map.
        asked_by: The names of the keys that asked for them.
    """

    def __init__(
        self,
        items: Iterable[Item],
        *,
        customers: Iterable[Customer] = (),
        shop_ids: Mapping[int, str] | None = None,
    ) -> None:
        self.catalog: ByName[Item] | None = ByName({item.sku: item for item in items})
        self.everybody = ByName({customer.account: customer for customer in customers})
        self.shop_ids = dict(shop_ids or {})
        self.is_complete = True
        self.refreshing: Callable[[], Awaitable[None]] | None = None
        self.refreshed = 0
        self.looked_up: list[str] = []
        self.asked_by: list[str] = []

    @property
    def has_customers(self) -> bool:
        return self.is_complete

    def items(self) -> ByName[Item] | None:
        return self.catalog

    def customers(self) -> ByName[Customer] | None:
        return self.everybody if self.is_complete else None

    async def refresh(self) -> None:
        self.refreshed += 1
        if self.refreshing is not None:
            await self.refreshing()

    def customer(self, account: str) -> Customer | None:
        return self.everybody.find(account)

    async def find_customer(self, account: str, *, asked_by: str = "") -> Customer | None:
        self.looked_up.append(account)
        self.asked_by.append(asked_by)
        return self.everybody.find(account)

    async def account_of(self, shop_id: int) -> str | None:
        return self.shop_ids.get(shop_id)
