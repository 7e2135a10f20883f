"""A shop with one order, an ERP that works, and the flow between them."""

from dataclasses import dataclass, field
from typing import Any

from sync.engine.outcomes import Done
from sync.magento.order_models import Order
from tests.fakes.order_erp import FakeOrderErp
from tests.fakes.order_flow import order_flow
from tests.fakes.order_shop import FakeShop, FakeWork, event_of
from tests.fakes.references import MARKET, FakeForms, own_headers
from tests.orders import recorded
from tests.virtual_time import ManualClock

ORDER = recorded.orders()["tax_excl_row__mixed_rates"]


@dataclass
class OneSale:
    """One order on its way."""

    order: Order = ORDER
    rules: dict[str, Any] = field(default_factory=lambda: {"guest_account": "WEB"})
    store_ids: frozenset[int] = frozenset({1})
    stores: frozenset[int] = frozenset({1})
    forms: FakeForms = field(default_factory=FakeForms)

    def __post_init__(self) -> None:
        self.clock = ManualClock()
        self.erp = FakeOrderErp(self.clock, iter(()))
        self.erp.tax = self.order.tax_amount
        self.shop = FakeShop()
        self.shop.put(self.order)
        self.work = FakeWork(event_of(self.order), self.clock)

    async def carry(self, **payload: Any) -> Done:
        """Carry the order's event over, once."""
        if payload:
            self.work.event = event_of(self.order, **payload)
        rules = recorded.rules(**self.rules)
        own = own_headers(
            self.erp,
            self.shop,
            rules,
            links={MARKET: self.work.links},
            stores=self.stores,
            forms=self.forms,
        )
        flow = order_flow(
            self.shop,
            self.erp,
            own,
            rules,
            stores=self.store_ids,
            sold=recorded.products(self.order),
        )
        return await flow.carry(self.work)

    def change(self, **members: Any) -> None:
        """Change the order in the shop."""
        self.order = self.shop.put(self.order.model_copy(update=members))

    @property
    def header(self) -> dict[str, Any]:
        """The ERP's only header."""
        (found,) = self.erp.headers.values()
        return found
