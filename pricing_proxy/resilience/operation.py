"""What a call is, to those who protect it: its name, what it fails with, how it went."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from pricing_proxy.resilience.call_class import Ticket
from pricing_proxy.resilience.deadline import Deadline

T = TypeVar("T")


class OperationClass(StrEnum):
    """What fails together: each has a breaker of its own."""

    PRICE_READ = "price_read"
    MASTER_READ = "master_read"
    DOCUMENT_READ = "document_read"
    """Apart from the writes: a look-up settles what a failing write left in doubt."""
    DOCUMENT_WRITE = "document_write"
    MIRROR_READ = "mirror_read"
    """Whole sets, some of them heavy views: one that fails keeps nobody from the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One kind of call.

    Attributes:
        name: For metrics: "price_batch".
        kind: Which breaker guards it.
        is_safe: Repeating it changes nothing, so retries and probes may.
    """

    name: str
    kind: OperationClass
    is_safe: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReport:
    """One attempt that went on the wire, for metrics.

    Attributes:
        system: The other side.
        operation: The operation's name.
        guard: The name of the breaker that guards it.
        error: What it ended in; None for an answer.
        wire_us: Time on the wire.
    """

    system: str
    operation: str
    guard: str
    error: BaseException | None
    wire_us: int


class Policy(Protocol):
    """Limits, breaker and retries around one call; `policy.CallPolicy` is one."""

    async def call(
        self,
        send: Callable[[Deadline], Awaitable[T]],
        *,
        operation: Operation,
        ticket: Ticket,
        deadline: Deadline,
        lines: int = 1,
    ) -> T:
        """Return what `send(deadline)` returns, perhaps sent again; raises `UpstreamError`."""
        ...


class CallWatch(Protocol):
    """Whoever is told of each call; must not raise."""

    def span(self, name: str) -> AbstractContextManager[object]:
        """Return what is entered around a call, its waiting and retries included."""
        ...

    def count(self, report: CallReport) -> None:
        """Note an attempt that went on the wire."""
        ...
