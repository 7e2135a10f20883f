"""Write base prices in batches; a row that is refused is told by its SKU, or found by a look."""

from collections.abc import Sequence
from decimal import Decimal

from pricing_proxy.http_exchange import Guard
from pricing_proxy.names import same_name_key
from sync.engine.flow import Work
from sync.engine.writes import written
from sync.magento.base_prices import DEFAULT_STORE, BasePrice, PriceFaults
from sync.mirror.ports import PlannedRow
from sync.products.mapping import PRICE, TYPE
from sync.products.market import GLOBAL, ProductMarket
from sync.products.members import sku_of
from sync.products.options import FieldFaultError
from sync.products.plain_numbers import plain
from sync.products.ports import ShopBasePrices
from sync.products.row_results import RowResults
from sync.products.shop_reading import SKU, ShopReading

_MAGENTO = "magento"
_ADVICE = "correct the price or the product; then replay"


class Pricing:
    """Writes the prices of one market.

    Args:
        prices: The shop's.
        reading: Reads the shop.
        market: The market.
    """

    def __init__(
        self, prices: ShopBasePrices, *, reading: ShopReading, market: ProductMarket
    ) -> None:
        self._prices = prices
        self._reading = reading
        self._market = market

    async def write(self, rows: Sequence[PlannedRow], results: RowResults, work: Work) -> None:
        """Write the prices of rows whose products exist; raises `UpstreamError`."""
        # Two batches that write the same products in another order are in each other's way.
        stops = {SKU, TYPE, self._market.rules.unit_attribute}
        # A price goes on without the other fields, but not without the unit that it is for.
        good = (row for row in rows if (odd := results.odd_field(row)) is None or odd not in stops)
        some = sorted(good, key=lambda row: row.change.key)
        if not some:
            return
        faults = await self._sent(some, work)
        unnamed = faults.nameless and await self._unequal(some)
        for row in some:
            fault = faults.rows.get(sku_of(row))
            if fault is None and unnamed and row in unnamed:
                fault = faults.nameless[0]
            if fault is None:
                results.done(row, [PRICE])
            else:
                results.refuse(row, FieldFaultError(PRICE, fault.text, _ADVICE))

    async def _sent(self, rows: Sequence[PlannedRow], work: Work) -> PriceFaults:
        prices = [
            BasePrice(
                sku=sku_of(row),
                store_id=self._store_id(row),
                price=Decimal(str(row.values[PRICE])),
            )
            for row in rows
        ]
        answers: list[PriceFaults] = []

        async def send(*, guard: Guard) -> None:
            answers.append(await self._prices.set_prices(prices, guard=guard))

        about = {"prices": {price.sku: plain(price.price) for price in prices}}
        await written(work, _MAGENTO, "set base prices", about, send)
        return answers[-1]

    def _store_id(self, row: PlannedRow) -> int:
        return DEFAULT_STORE if row.change.scope == GLOBAL else self._market.store_ids[0]

    async def _unequal(self, rows: Sequence[PlannedRow]) -> Sequence[PlannedRow]:
        """Return the rows whose price the shop does not have."""
        left: list[PlannedRow] = []
        for scope in {row.change.scope for row in rows}:
            some = [row for row in rows if row.change.scope == scope]
            store = await self._reading.store_of(scope)
            found = await self._reading.products([sku_of(row) for row in some], store=store)
            for row in some:
                product = found.get(same_name_key(sku_of(row)))
                if product is None or plain(product.price) != row.values[PRICE]:
                    left.append(row)
        return left
