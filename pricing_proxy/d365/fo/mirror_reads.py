"""Read sets of F&O for mirrors, in chunks that say when they were read and what is missing.

Standard sets have no modified time, so a mirror reads them whole, again and again. It reads
along one field (see `read_along`), and can go on after any chunk, in another process too. A
read that broke off raises: fewer rows came than its first answer counted. A row that is not as
agreed is named in its chunk, since it is there, and a mirror must not count it missing.

Calls have a class of their own, below all others, and a breaker: no order waits for a mirror,
and a view that is too slow for the ERP keeps nobody else from its master data. Every method
raises `UpstreamError`.
"""

from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from http import HTTPStatus
from typing import Any, Generic, TypeVar

from pricing_proxy.clock import Clock
from pricing_proxy.d365 import paging
from pricing_proxy.d365.fo.models import Row
from pricing_proxy.d365.fo.read_along import AlongField
from pricing_proxy.d365.fo.row_reading import readable_rows
from pricing_proxy.d365.json_numbers import read_odd_json
from pricing_proxy.d365.odata import (
    Filter,
    Query,
    at_least,
    at_most,
    equals,
    fitting,
    is_one_of,
)
from pricing_proxy.d365.transport import Transport
from pricing_proxy.http_exchange import Request
from pricing_proxy.names import is_same_name
from pricing_proxy.resilience.call_class import CallClass, Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.errors import UpstreamRejectedError
from pricing_proxy.resilience.operation import Operation, OperationClass, Policy

R = TypeVar("R", bound=Row)

# Half of F&O's longest page: an aggregate view answers it within seconds, and a full read of
# 750,000 rows takes 150 calls.
CHUNK_ROWS = 5_000
# IIS takes 2,048 characters of query; the names of the widest set take 700 of them.
_FILTER_LENGTH = 1_200
# A chunk takes the ERP many seconds; past a minute it is stuck.
_CHUNK_TIME = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableRow:
    """A row that is not as agreed.

    Attributes:
        key: What was to be read of its key, in the order of the model's `key`.
        fields: In which it is odd.
    """

    key: tuple[str, ...]
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk(Generic[R]):
    """Some rows of a set, with all that it has for each value that they were read along.

    Attributes:
        rows: What fits.
        unreadable: What is there, and is not as agreed.
        began_at: When the first question for it was asked (UTC).
        ended_at: When its last answer had come (UTC).
        last: Where a read goes on after it: the last value that is whole.
        total: How many rows the ERP counted when the read began; None where it was not asked.
    """

    rows: list[R]
    unreadable: tuple[UnreadableRow, ...]
    began_at: datetime
    ended_at: datetime
    last: str = ""
    total: int | None = None


class SetReads:
    """Reads sets of one environment for mirrors."""

    def __init__(
        self, transport: Transport, *, policy: Policy, clock: Clock, chunk_rows: int = CHUNK_ROWS
    ) -> None:
        """Take the way to the environment.

        Args:
            transport: Carries single requests.
            policy: Has a breaker for reads of mirrors.
            clock: Time.
            chunk_rows: How many rows are asked for at once; F&O answers 10,000 at most.
        """
        self.system = transport.system
        self._transport = transport
        self._policy = policy
        self._clock = clock
        self._chunk_rows = chunk_rows

    async def along(
        self,
        row: type[R],
        field: str,
        *,
        company: str,
        where: Filter | None = None,
        after: str = "",
    ) -> AsyncGenerator[Chunk[R], None]:
        """Yield all rows, in chunks along a field of the key, none of which is empty.

        Args:
            row: The model; its fields are selected.
            field: A text; most rows differ in it.
            company: Whose rows; not asked where the set belongs to no company.
            where: A further condition.
            after: `Chunk.last` of the last chunk that is known; empty for the beginning.
        """
        read = AlongField(row.key, field, after, chunk_rows=self._chunk_rows, system=self.system)
        order = (field, *(name for name in row.key if name != field))
        while not read.is_over:
            began_at = self._clock.utc()
            counted = paging.Counted(system=self.system)
            condition = _all_of(_of_company(row, company), where, read.condition)
            query = _query(row, condition, order, top=self._chunk_rows, counted=read.is_first)
            rows = read.take(await self._read(row, query, counted), counted.promised)
            if read.oversized is not None:
                alone = _all_of(_of_company(row, company), where, equals(field, read.oversized))
                rows = read.take_alone(await self._read(row, _query(row, alone, order)))
            if rows:
                total = read.promised
                yield self._chunk(row, company, rows, began_at, last=read.last, total=total)
        paging.require_promised(row.entity_set, read.brought, read.promised, system=self.system)

    async def having(
        self,
        row: type[R],
        field: str,
        values: Iterable[str],
        *,
        company: str,
        where: Filter | None = None,
    ) -> AsyncGenerator[Chunk[R], None]:
        """Yield the rows in which a field has one of the values; `last` is the last value asked.

        A value with `*`, which is a wildcard to F&O, has no rows.
        """
        asked = [value for value in values if value and "*" not in value]
        for some in fitting(field, asked, longest=_FILTER_LENGTH):
            began_at = self._clock.utc()
            condition = _all_of(_of_company(row, company), where, is_one_of(field, some))
            found = await self._read(row, _query(row, condition, row.key))
            # The ERP's collation decides what else is equal.
            rows = [each for each in found if _is_one_of(each.get(field), some)]
            yield self._chunk(row, company, rows, began_at, last=some[-1])

    async def between(
        self, row: type[R], field: str, first: str, last: str, *, company: str
    ) -> Chunk[R]:
        """Return the rows in which a field is one of two values, or lies between them.

        For a second set along the values of a chunk: `first` and `last` are of its rows. As the
        ERP sorts, no others, so a field must be compared alike in both sets.
        """
        began_at = self._clock.utc()
        within = at_least(field, first) & at_most(field, last)
        condition = _all_of(_of_company(row, company), within)
        counted = paging.Counted(system=self.system)
        order = (field, *(name for name in row.key if name != field))
        query = _query(row, condition, order, counted=True)
        rows = await self._read(row, query, counted)
        counted.check(row.entity_set)
        return self._chunk(row, company, rows, began_at, last=last, total=counted.promised)

    async def count(self, row: type[Row], *, company: str, where: Filter | None = None) -> int:
        """Return how many rows there are."""
        condition = _all_of(_of_company(row, company), where)
        query = Query(
            entity_set=row.entity_set, select=row.key, where=condition, top=1, counted=True
        )
        page = await self._get(query.target(), row.entity_set)
        return paging.read_count(page, system=self.system)

    async def whole(self, row: type[R], *, company: str, where: Filter | None = None) -> Chunk[R]:
        """Return all rows of a set that is small, such as warehouses."""
        began_at = self._clock.utc()
        counted = paging.Counted(system=self.system)
        condition = _all_of(_of_company(row, company), where)
        rows = await self._read(row, _query(row, condition, row.key, counted=True), counted)
        counted.check(row.entity_set)
        return self._chunk(row, company, rows, began_at, total=counted.promised)

    async def has(self, row: type[Row], *, company: str) -> bool:
        """Say whether the environment has a set: those for analytics are not everywhere."""
        condition = _all_of(_of_company(row, company))
        try:
            await self._get(_query(row, condition, (), top=1).target(), row.entity_set)
        except UpstreamRejectedError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return False
            raise
        return True

    def _chunk(
        self,
        row: type[R],
        company: str,
        rows: Sequence[paging.Row],
        began_at: datetime,
        *,
        last: str = "",
        total: int | None = None,
    ) -> Chunk[R]:
        ended_at = self._clock.utc()
        odd = _Named()
        return Chunk(
            rows=list(readable_rows(row, rows, company, odd, system=self.system)),
            unreadable=tuple(odd.rows),
            began_at=began_at,
            ended_at=ended_at,
            last=last,
            total=total,
        )

    async def _read(
        self, row: type[Row], query: Query, counted: paging.Counted | None = None
    ) -> list[paging.Row]:
        async def fetch(target: str) -> Any:
            page = await self._get(target, row.entity_set)
            return page if counted is None else counted.take(page)

        pages = paging.read_pages(
            query.target(), fetch=fetch, base_url=self._transport.base_url, system=self.system
        )
        return [values async for page in pages for values in page]

    async def _get(self, target: str, name: str) -> Any:
        async def send(until: Deadline) -> Any:
            request = Request(method="GET", target=target)
            # What is no number is the affair of the row that it stands in.
            return await self._transport.send(request, deadline=until, read=read_odd_json)

        microseconds = _CHUNK_TIME // timedelta(microseconds=1)
        return await self._policy.call(
            send,
            operation=Operation(
                name=f"mirror {name}", kind=OperationClass.MIRROR_READ, is_safe=True
            ),
            ticket=Ticket(CallClass.MIRROR),
            deadline=Deadline.after(microseconds, now_us=self._clock.monotonic_us()),
        )


class _Named:
    """Collects the rows that are not as agreed, by their keys."""

    def __init__(self) -> None:
        self.rows: list[UnreadableRow] = []

    def note(self, row: type[Row], values: paging.Row, fields: Iterable[str]) -> None:
        key = tuple(str(values.get(name) or "") for name in row.key)
        self.rows.append(UnreadableRow(key=key, fields=tuple(sorted(fields))))


def _query(
    row: type[Row],
    where: Filter | None,
    order: Sequence[str],
    *,
    top: int | None = None,
    counted: bool = False,
) -> Query:
    return Query(
        entity_set=row.entity_set,
        select=row.fields(),
        where=where,
        order_by=order,
        top=top,
        counted=counted,
    )


def _of_company(row: type[Row], company: str) -> Filter | None:
    return None if row.company_field is None else equals(row.company_field, company)


def _all_of(*conditions: Filter | None) -> Filter | None:
    given = [each for each in conditions if each is not None]
    return reduce(Filter.__and__, given) if given else None


def _is_one_of(value: Any, values: Iterable[str]) -> bool:
    return isinstance(value, str) and any(is_same_name(value, each) for each in values)
