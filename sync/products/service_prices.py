"""Compare the base prices that the price service says with those of the ERP.

The service tells a customer's own price beside the item's base price, which it reads from the ERP
for itself. So there are three copies: the ERP's, the shop's and the service's. What a customer
pays is not compared here: only the ERP, or a calculation of all agreements, knows it better.
"""

import logging
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Protocol

from pricing_proxy.names import same_name_key
from pricing_proxy.resilience.errors import UpstreamError
from sync.mirror.keys import folded
from sync.price_service.list_prices import ListPrice
from sync.products.mapping import PRICE
from sync.products.plain_numbers import plain
from sync.reconciliation.causes import Clues
from sync.reconciliation.comparing import ComparedPage, Deviation
from sync.store.mirror_known import RowOfMirror, RowPlace
from sync.store.mirror_records import DesiredRow

FIELD = "price of the price service"
"""The field, as reports call it."""

_FOLLOWS = "the price service reads it again by itself"
_log = logging.getLogger(__name__)


class Priced(Protocol):
    """The price service; see `sync.price_service.list_prices`."""

    async def list_prices(
        self, market: str, customer: str, skus: Sequence[str]
    ) -> Mapping[str, ListPrice]:
        """Return the base prices of those that it has one for; raises `UpstreamError`."""
        ...


class ServicePrices:
    """A `sync.reconciliation.mirror_comparison.OtherCopy` of prices.

    Args:
        service: The price service.
        market: Whose.
        customer: An account that it is asked as.
        decimals: To how many both the shop's and the service's prices are rounded.
    """

    def __init__(self, service: Priced, *, market: str, customer: str, decimals: int) -> None:
        self._service = service
        self._market = market
        self._customer = customer
        self._least = Decimal(1).scaleb(-decimals)

    async def compare(
        self, rows: Sequence[DesiredRow], known: Mapping[RowPlace, RowOfMirror]
    ) -> ComparedPage:
        """Compare the rows that have a price; a service that cannot be asked is a note."""
        priced = [row for row in rows if row.values.get(PRICE) is not None]
        try:
            found = await self._service.list_prices(
                self._market, self._customer, list(dict.fromkeys(row.key for row in priced))
            )
        except UpstreamError as error:
            _log.warning(
                "prices of %s are compared without the price service: %s", self._market, error
            )
            return ComparedPage(0, (), notes=[f"prices of the price service: {error}"])
        said = {same_name_key(sku): price for sku, price in found.items()}
        both = [(row, its) for row in priced if (its := said.get(same_name_key(row.key)))]
        return ComparedPage(
            len(both),
            [
                self._deviation(row, its, known.get((row.scope, folded(row.key))))
                for row, its in both
                if not self._is_equal(row, its)
            ],
        )

    def _is_equal(self, row: DesiredRow, its: ListPrice) -> bool:
        return self._rounded(its.price) == self._rounded(Decimal(str(row.values[PRICE])))

    def _rounded(self, price: Decimal) -> Decimal:
        return price.quantize(self._least, ROUND_HALF_UP)

    def _deviation(self, row: DesiredRow, its: ListPrice, known: RowOfMirror | None) -> Deviation:
        last = known.values.get(PRICE) if known else None
        is_old = last is not None and self._rounded(Decimal(str(last))) == self._rounded(its.price)
        return Deviation(
            key=row.key,
            field=FIELD,
            evidence=Clues(
                erp=row.values[PRICE],
                # An old price of the ERP, told as it was read, however it was rounded.
                shop=last if is_old else plain(its.price),
                known=last if is_old else None,
                is_known=is_old,
            ),
            read_at=known.read_at if known else None,
            is_fixed=True,
            advice=f"{_FOLLOWS}; it read this one at {its.read_at}",
        )
