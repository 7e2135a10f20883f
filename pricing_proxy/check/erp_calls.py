"""What the check asks F&O; every method raises `UpstreamError`."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from pricing_proxy.d365 import paging
from pricing_proxy.d365.fo.models import LegalEntityRow, Row
from pricing_proxy.d365.fo.price_calls import PricedLines, PriceRequest
from pricing_proxy.d365.fo.row_reading import checked_rows
from pricing_proxy.d365.odata import Filter, Query, equals
from pricing_proxy.diagnosis.direct_calls import SYSTEM, TICKET, DirectErp
from pricing_proxy.http_exchange import Request
from pricing_proxy.resilience.operation import Operation, OperationClass

R = TypeVar("R", bound=Row)

# More than are ever looked for by one condition.
_ROWS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Top(Generic[R]):
    """The first rows of a set, and how many there are."""

    count: int
    rows: list[R]


class ErpCalls:
    """Reads company, catalog and prices.

    Args:
        direct: The way to the environment.
    """

    def __init__(self, direct: DirectErp) -> None:
        self._direct = direct

    async def company(self, company: str) -> LegalEntityRow | None:
        """Return a legal entity, None when there is none of that id."""
        return await self._direct.client.legal_entity(
            company, ticket=TICKET, deadline=self._direct.patience.deadline()
        )

    async def prices(self, request: PriceRequest) -> PricedLines:
        """Return what the price service says."""
        return await self._direct.client.prices(
            request, ticket=TICKET, deadline=self._direct.patience.deadline()
        )

    async def rows(self, row: type[R], where: Filter, *, company: str) -> list[R]:
        """Return the rows of a company that fit, as far as they come at once."""
        of_company = equals("dataAreaId", company) & where
        return (await self.top(row, of_company, rows=_ROWS_AT_ONCE)).rows

    async def top(self, row: type[R], where: Filter | None, *, rows: int) -> Top[R]:
        """Return the first rows of a set in the order of its key, with every field we use."""
        query = Query(
            entity_set=row.entity_set,
            select=row.fields(),
            where=where,
            order_by=row.key,
            top=rows,
            counted=True,
        )
        request = Request(method="GET", target=query.target())
        answer = await self._direct.policy.call(
            lambda until: self._direct.transport.send(request, deadline=until),
            operation=Operation(name=row.entity_set, kind=OperationClass.MASTER_READ, is_safe=True),
            ticket=TICKET,
            deadline=self._direct.patience.deadline(),
        )
        found, _ = paging.read_page(answer.body, system=SYSTEM)
        checked = checked_rows(row, found, None, system=SYSTEM)
        return Top(paging.read_count(answer.body, system=SYSTEM), list(checked))
