"""One Magento by subject: a flow is given those that it uses, and nothing else.

Every method raises `UpstreamError`; `MagentoRejectedError` tells what Magento said.
A read by id returns None for "there is none" and raises when the route is not there.
Writes are sent once and take a guard, run last before the wire. Whether an unclear one
arrived is looked up by the caller.
"""

from pricing_proxy.clock import Clock
from pricing_proxy.resilience.call_class import CallClass
from sync.magento.attributes import AttributeCalls
from sync.magento.base_prices import BasePriceCalls
from sync.magento.bulk import BulkCalls
from sync.magento.calls import Calls
from sync.magento.catalog import CatalogCalls
from sync.magento.configurables import ConfigurableCalls
from sync.magento.credit_memos import CreditMemoCalls
from sync.magento.customers import CustomerCalls
from sync.magento.invoices import InvoiceCalls
from sync.magento.order_notes import OrderNoteCalls
from sync.magento.orders import OrderCalls
from sync.magento.products import ProductCalls
from sync.magento.reserving_orders import ReservingOrderCalls
from sync.magento.shipments import ShipmentCalls
from sync.magento.source_items import SourceItemCalls
from sync.magento.stocks import StockCalls
from sync.magento.wording import WordingCalls


class Shop:
    """Reads and writes one Magento, under Magento's own names.

    Attributes:
        url: Its root address.
    """

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self.url = calls.url
        self.orders = OrderCalls(calls)
        self.order_notes = OrderNoteCalls(calls)
        self.customers = CustomerCalls(calls)
        self.credit_memos = CreditMemoCalls(calls)
        self.products = ProductCalls(calls)
        self.shipments = ShipmentCalls(calls)
        self.invoices = InvoiceCalls(calls)
        self.wording = WordingCalls(calls)
        # A shipment that waits for its source is no mirror's batch.
        self.shipping_sources = SourceItemCalls(calls)
        # What mirrors use lets all others go first.
        mirrored = calls.at(CallClass.MIRROR)
        self.reserving_orders = ReservingOrderCalls(calls)
        self.source_items = SourceItemCalls(mirrored)
        self.stocks = StockCalls(mirrored)
        self.catalog = CatalogCalls(mirrored)
        self.bulks = BulkCalls(mirrored, clock)
        self.attributes = AttributeCalls(mirrored)
        self.configurables = ConfigurableCalls(mirrored)
        self.base_prices = BasePriceCalls(mirrored)
