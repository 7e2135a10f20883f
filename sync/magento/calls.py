"""Call Magento under the call policy, and check what it answers against the models.

The one way of each subject to the transport. Reads may be repeated by the policy; writes
never are, since Magento repeats most of them gladly: what became of an unclear one is
for the caller to look up. Lists that change while they are read are read by the instant of
the last change, and by page number only within one second, so that nothing slips from one
page to another unseen.
"""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, TypeVar

from pydantic import ValidationError

from pricing_proxy.clock import Clock
from pricing_proxy.http_exchange import Guard, Request
from pricing_proxy.resilience.call_class import CallClass, Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.errors import UpstreamContractError
from pricing_proxy.resilience.operation import Operation, OperationClass, Policy
from sync.magento.answers import MagentoRejectedError
from sync.magento.search import Search, SearchCondition, SearchFilter, wire_instant
from sync.magento.transport import ShopTransport
from sync.magento.wire_types import ShopModel

M = TypeVar("M", bound=ShopModel)
C = TypeVar("C", bound="ChangingRow")

V1 = "/rest/V1"
"""Where the routes begin that know no store view."""


class ChangingRow(Protocol):
    """A row that can be read by the instant of its last change."""

    @property
    def entity_id(self) -> int:
        """Its internal id."""
        ...

    @property
    def updated_at(self) -> datetime:
        """When it changed last."""
        ...


class Calls:
    """Reads and writes of one Magento, checked.

    Each has a name of its own in metrics and traces: what dashboards ask for follows no class's.
    """

    def __init__(
        self,
        transport: ShopTransport,
        *,
        policy: Policy,
        clock: Clock,
        call_time: timedelta,
    ) -> None:
        """Connect the parts.

        Args:
            transport: Signs and sends.
            policy: Magento's.
            clock: Time.
            call_time: How long a call may take, waiting included.
        """
        self.system = transport.system
        self._transport = transport
        self._policy = policy
        self._clock = clock
        self._call_us = call_time // timedelta(microseconds=1)

    async def read(self, name: str, target: str) -> Any:
        """Return the body of a GET; `name` stands for it in metrics."""
        operation = Operation(name=name, kind=OperationClass.MASTER_READ, is_safe=True)
        return await self._call(Request(method="GET", target=target), operation)

    async def write(
        self,
        name: str,
        method: Literal["POST", "PUT"],
        target: str,
        body: Mapping[str, Any],
        *,
        guard: Guard | None = None,
    ) -> Any:
        """Return the body of the answer to a write that was sent once.

        Args:
            name: For metrics.
            method: The HTTP method.
            target: Path and query.
            body: Members of the JSON body.
            guard: Run last before the wire; what it raises keeps the request off it.
        """
        operation = Operation(name=name, kind=OperationClass.DOCUMENT_WRITE, is_safe=False)
        request = Request(method=method, target=target, body=json.dumps(body).encode())
        return await self._call(request, operation, guard)

    async def one(self, name: str, model: type[M], target: str) -> M | None:
        """Return one entity, None when the shop says that it has none of that id."""
        try:
            body = await self.read(name, target)
        except MagentoRejectedError as error:
            if error.is_missing_entity:
                return None
            raise
        return self.checked(model, body)

    async def found(self, name: str, model: type[M], route: str, search: Search) -> list[M]:
        """Return one page of a list."""
        body = await self.read(f"{name}_list", f"{route}?{search.query()}")
        return [self.checked(model, row) for row in self._items(body)]

    async def count(self, name: str, route: str, search: Search) -> int:
        """Return how many rows a search finds."""
        asked = replace(search, page_size=1, fields="total_count")
        body = await self.read(f"{name}_count", f"{route}?{asked.query()}")
        total = body.get("total_count") if isinstance(body, dict) else None
        if type(total) is not int:
            raise UpstreamContractError(f"{name}: no total_count", system=self.system)
        return total

    async def changed(
        self,
        name: str,
        model: type[C],
        route: str,
        search: Search,
        *,
        since: datetime,
    ) -> AsyncGenerator[list[C], None]:
        """Yield rows in the order of their last change, a page at a time, each change once.

        A row that changes meanwhile moves to the end, and is yielded again as what it is then.

        Args:
            name: For metrics.
            model: What the rows are; a `ShopModel`.
            route: The list's path.
            search: Further conditions, page size and fields.
            since: The first second that counts, cut to it.
        """
        seen: set[tuple[int, datetime]] = set()
        page, stale_pages = 1, 0
        while True:
            asked = _window(search, since=since, page=page)
            rows = await self.found(name, model, route, asked)  # type: ignore[type-var]
            fresh = [row for row in rows if _change(row) not in seen]
            if fresh:
                yield fresh
            if len(rows) < search.page_size:
                return
            # One is right: all of it was the end of the window before.
            stale_pages = 0 if fresh else stale_pages + 1
            if stale_pages > 1:
                raise UpstreamContractError(f"{route}: the same page again", system=self.system)
            last = rows[-1].updated_at
            # All of one second: its further rows are found by number only.
            page = page + 1 if last <= since else 1
            since = max(since, last)
            seen |= set(map(_change, rows))

    def checked(self, model: type[M], value: Any) -> M:
        """Return a body as a model; raises `UpstreamContractError` when it is none."""
        try:
            return model.model_validate(value)
        except ValidationError as exc:
            raise UpstreamContractError(
                f"an unexpected {model.__name__}: {exc}", system=self.system
            ) from exc

    def _items(self, body: Any) -> Sequence[Any]:
        items = body.get("items", ()) if isinstance(body, dict) else None
        # Past the end of a trimmed list, items are null.
        if items is None and isinstance(body, dict):
            return ()
        if not isinstance(items, list):
            raise UpstreamContractError("a list without items", system=self.system)
        return items

    async def _call(
        self,
        request: Request,
        operation: Operation,
        guard: Guard | None = None,
    ) -> Any:
        async def send(until: Deadline) -> Any:
            return await self._transport.send(request, deadline=until, guard=guard)

        now_us = self._clock.monotonic_us()
        return await self._policy.call(
            send,
            operation=operation,
            # No customer-facing class: only the others may find a shop again that was down.
            ticket=Ticket(CallClass.REFRESH),
            deadline=Deadline.after(self._call_us, now_us=now_us),
        )


def _change(row: ChangingRow) -> tuple[int, datetime]:
    return row.entity_id, row.updated_at


def _window(search: Search, *, since: datetime, page: int) -> Search:
    bound = (SearchFilter("updated_at", SearchCondition.AT_LEAST, wire_instant(since)),)
    return replace(
        search, groups=[*search.groups, bound], sort=("updated_at", "entity_id"), page=page
    )
