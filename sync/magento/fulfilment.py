"""What the flows ask of an order's invoices and shipments."""

from sync.magento.calls import V1, Calls
from sync.magento.document_models import Invoice, Shipment
from sync.magento.search import Search, equals


class FulfilmentCalls:
    """Reads the invoices and shipments of one Magento."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def invoices(self, order_id: int) -> list[Invoice]:
        """Return an order's invoices."""
        return await self._calls.found(Invoice, f"{V1}/invoices", _of_order(order_id))

    async def shipments(self, order_id: int) -> list[Shipment]:
        """Return an order's shipments."""
        return await self._calls.found(Shipment, f"{V1}/shipments", _of_order(order_id))


def _of_order(order_id: int) -> Search:
    return Search(groups=[equals("order_id", order_id)])
