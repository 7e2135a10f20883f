"""How far orders are in one environment: status, packing slips, parcels; only read.

Orders are asked for in groups that fit into one request, never one by one. Where rows of many
orders are read, one that is not as agreed is told and left out. Raises `UpstreamError`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from http import HTTPStatus

from pricing_proxy.d365.fo.documents import DocumentCalls
from pricing_proxy.d365.fo.row_reading import OddRows
from pricing_proxy.d365.fo.slip_models import (
    OrderChangeRow,
    OrderStatusRow,
    PackingSlipLineRow,
    PackingSlipRow,
    TrackingRow,
)
from pricing_proxy.d365.fo.stock_models import DemandLineRow
from pricing_proxy.d365.odata import at_least, dated, equals, fitting, is_one_of
from pricing_proxy.names import same_name_key
from pricing_proxy.resilience.errors import UpstreamRejectedError

# IIS takes 2,048 characters of query; the names of the widest set take 500 of them.
_FILTER_LENGTH = 1_300
MOST_ROWS = 10_000
"""Of one answer: a read that brings more took several requests."""


class FulfilmentReads:
    """Reads what became of the sales orders of one environment."""

    def __init__(self, calls: DocumentCalls) -> None:
        self._calls = calls

    def groups(self, orders: Iterable[str]) -> Sequence[Sequence[str]]:
        """Return order numbers in groups that one request asks for."""
        # The longer of the two names under which sets have it.
        plain = [each for each in orders if each and "*" not in each]
        return list(fitting("SalesOrderNumber", plain, longest=_FILTER_LENGTH))

    async def statuses(
        self, company: str, orders: Sequence[str], odd: OddRows | None = None
    ) -> list[OrderStatusRow]:
        """Return the headers of one group of orders; one that is odd raises by default."""
        where = is_one_of("SalesOrderNumber", orders)
        return await self._calls.rows(OrderStatusRow, where, company=company, odd=odd)

    async def lines_of_group(
        self, company: str, orders: Sequence[str], odd: OddRows
    ) -> Mapping[str, list[DemandLineRow]]:
        """Return the lines of one group of orders, by what all spellings of a number share."""
        where = is_one_of("SalesOrderNumber", orders)
        found: dict[str, list[DemandLineRow]] = {}
        for row in await self._calls.rows(DemandLineRow, where, company=company, odd=odd):
            found.setdefault(same_name_key(row.SalesOrderNumber), []).append(row)
        return found

    async def changed(
        self, company: str, since: datetime, odd: OddRows
    ) -> list[OrderChangeRow] | None:
        """Return the orders that changed since an instant; None where the set is missing."""
        where = at_least("SysModifiedDateTime", since)
        try:
            return await self._calls.rows(OrderChangeRow, where, company=company, odd=odd)
        except UpstreamRejectedError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    async def slips_made(
        self, company: str, since: datetime, odd: OddRows
    ) -> list[PackingSlipLineRow]:
        """Return the lines of slips that were posted since an instant."""
        where = at_least("CreatedOn", since)
        return await self._calls.rows(PackingSlipLineRow, where, company=company, odd=odd)

    async def slips_dated(
        self, company: str, since: date, odd: OddRows, *, last: date | None = None
    ) -> list[PackingSlipLineRow]:
        """Return the lines of slips that are dated a day or later, until the last day."""
        where = dated("DeliveryDate", since, last)
        return await self._calls.rows(PackingSlipLineRow, where, company=company, odd=odd)

    async def slips_of(
        self, company: str, orders: Sequence[str], odd: OddRows | None = None
    ) -> list[PackingSlipLineRow]:
        """Return the lines of all slips of one group of orders; one that is odd raises by default.

        Those that delivered of them, whatever they are filed under.
        """
        filed = await self._calls.rows(
            PackingSlipLineRow, is_one_of("SalesId", orders), company=company, odd=odd
        )
        # Those of a slip of several orders are filed under the first of them.
        own = await self._calls.rows(
            PackingSlipLineRow, is_one_of("OrigSalesId", orders), company=company, odd=odd
        )
        wanted = {same_name_key(order) for order in orders}
        rows = {row.SourceDocumentLine: row for row in (*filed, *own)}
        return [row for row in rows.values() if same_name_key(row.order) in wanted]

    async def heads_of(self, company: str, order: str, slip: str) -> list[PackingSlipRow]:
        """Return the slips of a number that one order has, of whatever day."""
        where = equals("SalesId", order) & equals("PackingSlipId", slip)
        return await self._calls.rows(PackingSlipRow, where, company=company)

    async def lines_of(self, company: str, order: str) -> list[DemandLineRow]:
        """Return an order's own lines."""
        return await self._calls.rows(
            DemandLineRow, equals("SalesOrderNumber", order), company=company
        )

    async def parcels_dated(
        self, company: str, since: date, odd: OddRows, *, last: date | None = None
    ) -> list[TrackingRow]:
        """Return the parcels of slips that are dated a day or later, until the last day."""
        where = dated("DeliveryDate", since, last)
        return await self._calls.rows(TrackingRow, where, company=company, odd=odd)

    async def parcels_of(
        self, company: str, orders: Sequence[str], odd: OddRows
    ) -> list[TrackingRow]:
        """Return the parcels of slips that are filed under one group of orders."""
        where = is_one_of("SalesOrderNumber", orders)
        return await self._calls.rows(TrackingRow, where, company=company, odd=odd)
