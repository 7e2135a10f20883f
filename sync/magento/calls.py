"""Call Magento under the call policy, and check what it answers against the models.

The one way of each subject to the transport. Reads may be repeated by the policy; writes
never are, since Magento repeats most of them gladly: what became of an unclear one is
for the caller to look up. How a list is read from end to end stands in `listing`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from pricing_proxy.clock import Clock
from pricing_proxy.http_exchange import Guard, Request
from pricing_proxy.resilience.call_class import CallClass, Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.errors import UpstreamContractError, UpstreamError
from pricing_proxy.resilience.operation import Operation, OperationClass, Policy
from sync.magento.answers import MagentoBrokeError, MagentoRejectedError
from sync.magento.exact_json import exact_json
from sync.magento.odd_rows import OddRow, RowPage, id_of, in_words, member_of, page_of
from sync.magento.search import Search
from sync.magento.transport import ShopTransport
from sync.magento.wire_types import ShopModel

M = TypeVar("M", bound=ShopModel)

# Rows that are not shown are not loaded either: beyond the end of any list.
_PAST_THE_END = 10_000_000
_MICROSECOND = timedelta(microseconds=1)
_BROKE = HTTPStatus.INTERNAL_SERVER_ERROR

V1 = "/rest/V1"
"""Where the routes begin that know no store view."""


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
        klass: CallClass = CallClass.REFRESH,
    ) -> None:
        """Connect the parts.

        Args:
            transport: Signs and sends.
            policy: Magento's.
            clock: Time.
            call_time: How long a call may take, waiting included.
            klass: Before what its calls are served; no customer-facing one, since only the others
                may find a shop again that was down.
        """
        self.system = transport.system
        self.url = transport.base_url
        self.shop_clock = transport.shop_clock
        self._transport = transport
        self._policy = policy
        self._clock = clock
        self._call_time = call_time
        self._klass = klass

    def at(self, klass: CallClass) -> "Calls":
        """Return the same way at another class."""
        return Calls(
            self._transport,
            policy=self._policy,
            clock=self._clock,
            call_time=self._call_time,
            klass=klass,
        )

    async def read(self, name: str, target: str) -> Any:
        """Return the body of a GET; `name` stands for it in metrics."""
        operation = Operation(name=name, kind=OperationClass.MASTER_READ, is_safe=True)
        return await self._call(Request(method="GET", target=target), operation)

    async def read_by_post(self, name: str, target: str, body: Mapping[str, Any]) -> Any:
        """Return the body of a POST that only asks, for which a line of a GET has no room."""
        operation = Operation(name=name, kind=OperationClass.MASTER_READ, is_safe=True)
        request = Request(method="POST", target=target, body=exact_json(body))
        return await self._call(request, operation)

    async def try_read(self, name: str, target: str) -> Any:
        """Return the body of a GET that the shop may well break at.

        Raises:
            MagentoRejectedError: It did, with status 500. That is not asked again, and says
                nothing about whether the shop is well.
        """
        operation = Operation(name=name, kind=OperationClass.MASTER_READ, is_safe=True)
        return await self._call(Request(method="GET", target=target), operation, is_trial=True)

    async def write(
        self,
        name: str,
        method: Literal["POST", "PUT"],
        target: str,
        body: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        guard: Guard | None = None,
    ) -> Any:
        """Return the body of the answer to a write that was sent once.

        Args:
            name: For metrics.
            method: The HTTP method.
            target: Path and query.
            body: Members of the JSON body, or the rows of a list.
            guard: Run last before the wire; what it raises keeps the request off it.
        """
        operation = Operation(name=name, kind=OperationClass.DOCUMENT_WRITE, is_safe=False)
        request = Request(method=method, target=target, body=exact_json(body))
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
        """Return one page of a list, of which every row must be as agreed."""
        return [self.checked(model, row) for row in await self.rows(name, route, search)]

    async def rows(
        self, name: str, route: str, search: Search, *, is_trial: bool = False
    ) -> Sequence[Any]:
        """Return one page of a list as it came; as a trial where `try_read` is meant."""
        read = self.try_read if is_trial else self.read
        body = await read(f"{name}_list", f"{route}?{search.query()}")
        items = body.get("items", ()) if isinstance(body, dict) else None
        # Past the end of a trimmed list, items are null.
        if items is None and isinstance(body, dict):
            return ()
        if not isinstance(items, list):
            raise UpstreamContractError("a list without items", system=self.system)
        return items

    async def count(self, name: str, route: str, search: Search) -> int:
        """Return how many rows a search finds; none of them is loaded."""
        asked = replace(search, page=_PAST_THE_END, fields="total_count")
        body = await self.read(f"{name}_count", f"{route}?{asked.query()}")
        total = body.get("total_count") if isinstance(body, dict) else None
        if type(total) is not int:
            raise UpstreamContractError(f"{name}: no total_count", system=self.system)
        return total

    def page(self, model: type[M], rows: Sequence[Any]) -> RowPage[M]:
        """Return rows of a list, each judged by itself."""
        try:
            return page_of(model, rows)
        except ValueError as error:
            raise UpstreamContractError(str(error), system=self.system) from error

    def checked(self, model: type[M], value: Any) -> M:
        """Return a body as a model.

        Raises:
            UpstreamContractError: It is none; the text names it and the member that is wrong.
        """
        try:
            return model.model_validate(value)
        except ValidationError as exc:
            which = f" #{found}" if (found := id_of(value)) is not None else ""
            raise UpstreamContractError(
                f"an unexpected {model.__name__}{which}: {in_words(exc)}",
                system=self.system,
                field=member_of(exc),
            ) from exc

    def odd(self, model: type[ShopModel], row: OddRow) -> UpstreamError:
        """Return what is raised where no row of a list can be done without."""
        told = f"{model.__name__} #{row.entity_id}: {row.text}"
        if not row.member:
            return MagentoBrokeError(told, system=self.system)
        return UpstreamContractError(told, system=self.system, field=row.member)

    async def _call(
        self,
        request: Request,
        operation: Operation,
        guard: Guard | None = None,
        *,
        is_trial: bool = False,
    ) -> Any:
        async def send(until: Deadline) -> Any:
            try:
                return await self._transport.send(request, deadline=until, guard=guard)
            except MagentoBrokeError as error:
                if not is_trial:
                    raise
                # Of one row, and so neither repeated nor held against the shop.
                raise MagentoRejectedError(
                    str(error), system=self.system, status=_BROKE, faults=()
                ) from error

        now_us = self._clock.monotonic_us()
        return await self._policy.call(
            send,
            operation=operation,
            ticket=Ticket(self._klass),
            deadline=Deadline.after(self._call_time // _MICROSECOND, now_us=now_us),
        )
