"""Carry reads and writes of documents to F&O: what orders, customers and returns share.

A read may be repeated by the policy. A write goes on the wire once: when its end is
unclear (`TransientUpstreamError` other than `CallRefusedError`), it may have happened,
and the caller looks before writing again. Writes and reads have a breaker each, so that
the look-up still works while writing fails.

No call is waited for longer than `request_time`, the time in which the ERP ends a request
or never does: only that long after a write was sent does an empty look-up say that it did
not happen.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal, TypeVar

from pricing_proxy.clock import Clock
from pricing_proxy.d365 import paging
from pricing_proxy.d365.fo.bodies import JsonValue
from pricing_proxy.d365.fo.created_row import CreatedRow, created_row
from pricing_proxy.d365.fo.models import Row
from pricing_proxy.d365.fo.row_reading import OddRows, checked_rows, readable_rows
from pricing_proxy.d365.json_numbers import read_json, read_odd_json, write_json
from pricing_proxy.d365.odata import Filter, Query, Value, equals, matches, row_target, set_target
from pricing_proxy.d365.transport import Transport
from pricing_proxy.http_exchange import Guard, Request
from pricing_proxy.names import is_same_name
from pricing_proxy.resilience.call_class import CallClass, Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.operation import Operation, OperationClass, Policy

R = TypeVar("R", bound=Row)

_COMPANY = "dataAreaId"


class DocumentCalls:
    """Reads and writes rows of one F&O environment, at refresh class: before any resync."""

    def __init__(
        self,
        transport: Transport,
        *,
        policy: Policy,
        clock: Clock,
        request_time: timedelta,
    ) -> None:
        """Take the way to the environment.

        Args:
            transport: Carries single requests.
            policy: Has breakers for document reads and writes.
            clock: Time.
            request_time: After this long, waiting included, a call is given up.
        """
        self.request_time = request_time
        self.system = transport.system
        self._transport = transport
        self._policy = policy
        self._clock = clock

    async def rows(
        self,
        row: type[R],
        where: Filter,
        *,
        company: str,
        read_from: Mapping[str, str] | None = None,
        odd: OddRows | None = None,
    ) -> list[R]:
        """Return all rows that fit, of every page, in the order of their key.

        Args:
            row: The model; its fields are selected.
            where: The condition; the company is added.
            company: Whose rows.
            read_from: Members of the model whose value stands in another field of the set, and
                in which: one of the ERP customer's own, for example.
            odd: Told of rows that are not as agreed, which are left out; by default one of them
                ends the reading.
        """
        other = {member: field for member, field in (read_from or {}).items() if member != field}
        more = tuple(other.values())
        found = await self._read(row, where, company, more)
        told = (
            {**values, **{member: values.get(field) for member, field in other.items()}}
            for values in found
        )
        if odd is not None:
            return list(readable_rows(row, list(told), company, odd, system=self.system))
        return list(checked_rows(row, told, company, system=self.system, needs_all=False))

    async def find(self, row: type[R], field: str, text: str, *, company: str) -> list[R]:
        """Return the rows whose `field` is `text`, without regard to case or outer blanks.

        The ERP's answer is not taken on trust: a `*` is a wildcard to it, and its collation
        decides what else is equal.
        """
        condition = matches(field, text) if "*" in text else equals(field, text)
        more = () if field in row.fields() else (field,)
        found = await self._read(row, condition, company, more)
        same = [values for values in found if is_same_name(str(values.get(field) or ""), text)]
        return list(checked_rows(row, same, company, system=self.system, needs_all=False))

    async def get(self, target: str, *, name: str) -> Any:
        """Return the JSON that stands under a path; it may be asked for again."""
        operation = Operation(name=name, kind=OperationClass.DOCUMENT_READ, is_safe=True)
        return await self._send(Request(method="GET", target=target), operation)

    async def listed(self, target: str, *, name: str) -> list[paging.Row]:
        """Return all members of a list that stands under a path, of every page."""

        async def fetch(link: str) -> Any:
            return await self.get(link, name=name)

        pages = paging.read_pages(
            target, fetch=fetch, base_url=self._transport.base_url, system=self.system
        )
        return [values async for page in pages for values in page]

    async def create(
        self,
        entity_set: str,
        members: Mapping[str, JsonValue],
        *,
        name: str,
        guard: Guard | None = None,
    ) -> CreatedRow:
        """Create a row and return it as the ERP completed it."""
        target = set_target(entity_set)
        answer = await self._write("POST", target, name=name, body=members, guard=guard)
        return created_row(entity_set, answer, system=self.system)

    async def update(
        self,
        entity_set: str,
        key: Mapping[str, Value],
        members: Mapping[str, JsonValue],
        *,
        name: str,
        guard: Guard | None = None,
    ) -> None:
        """Change the named fields of a row."""
        target = row_target(entity_set, key)
        await self._write("PATCH", target, name=name, body=members, guard=guard)

    async def delete(
        self, entity_set: str, key: Mapping[str, Value], *, name: str, guard: Guard | None = None
    ) -> None:
        """Delete a row."""
        await self._write("DELETE", row_target(entity_set, key), name=name, guard=guard)

    async def _read(
        self,
        row: type[Row],
        where: Filter,
        company: str,
        more_fields: Sequence[str],
    ) -> list[paging.Row]:
        query = Query(
            entity_set=row.entity_set,
            select=(*row.fields(), *more_fields),
            where=equals(_COMPANY, company) & where,
            order_by=row.key,
        )

        return await self.listed(query.target(), name=f"read {row.entity_set}")

    async def _write(
        self,
        method: Literal["POST", "PATCH", "DELETE"],
        target: str,
        *,
        name: str,
        body: Mapping[str, JsonValue] | None = None,
        guard: Guard | None,
    ) -> Any:
        request = Request(
            method=method, target=target, body=None if body is None else write_json(body)
        )
        operation = Operation(name=name, kind=OperationClass.DOCUMENT_WRITE, is_safe=False)
        return await self._send(request, operation, guard=guard)

    async def _send(
        self, request: Request, operation: Operation, *, guard: Guard | None = None
    ) -> Any:
        async def send(until: Deadline) -> Any:
            # What is no number is the affair of the row that it stands in, where rows are read.
            read = read_odd_json if request.method == "GET" else read_json
            return await self._transport.send(request, deadline=until, guard=guard, read=read)

        microseconds = self.request_time // timedelta(microseconds=1)
        return await self._policy.call(
            send,
            operation=operation,
            ticket=Ticket(CallClass.REFRESH),
            deadline=Deadline.after(microseconds, now_us=self._clock.monotonic_us()),
            lines=1,
        )
