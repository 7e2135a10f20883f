"""A small world for the client layer: virtual time, a fake upstream, and a policy on it."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from pricing_proxy.resilience.aimd import AimdSettings
from pricing_proxy.resilience.breaker import Breaker
from pricing_proxy.resilience.breaker_settings import (
    DOCUMENT_READS,
    DOCUMENT_WRITES,
    MASTER_READS,
    MIRROR_READS,
    PRICE_READS,
)
from pricing_proxy.resilience.bulkhead import Bulkhead
from pricing_proxy.resilience.call_class import CallClass, Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.errors import UpstreamUnavailableError
from pricing_proxy.resilience.gate import Gate
from pricing_proxy.resilience.operation import Operation, OperationClass
from pricing_proxy.resilience.policy import CallPolicy
from pricing_proxy.resilience.retry import Retrier
from tests.fakes.recorded_calls import RecordedCalls
from tests.virtual_time import LoopClock, VirtualLoop, no_error_is_lost, run_virtual

T = TypeVar("T")

SECOND = 1_000_000
MILLISECOND = 1_000
PRICES = Operation(name="price_batch", kind=OperationClass.PRICE_READ, is_safe=True)
ORDERS = Operation(name="order_create", kind=OperationClass.DOCUMENT_WRITE, is_safe=False)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run on virtual time; an error that nobody retrieved fails the test."""

    async def watched() -> T:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        with no_error_is_lost(loop):
            return await main

    return run_virtual(watched())


def now() -> float:
    """Return virtual seconds."""
    return asyncio.get_running_loop().time()


def clock() -> LoopClock:
    """Return the running loop's clock."""
    return LoopClock(asyncio.get_running_loop())


def deadline_in(seconds: float) -> Deadline:
    """Return a deadline on the running loop's clock."""
    return Deadline.after(round(seconds * SECOND), now_us=clock().monotonic_us())


def armed_timers() -> list[asyncio.TimerHandle]:
    """Return the timers that would still fire, such as a deadline of a call long over."""
    loop = asyncio.get_running_loop()
    scheduled: list[asyncio.TimerHandle] = loop._scheduled  # type: ignore[attr-defined]
    return [timer for timer in scheduled if not timer.cancelled()]


def dead() -> UpstreamUnavailableError:
    """Return what a refused connection ends in."""
    return UpstreamUnavailableError("refused", system="fo", is_connection_failure=True)


@dataclass
class FakeUpstream:
    """Answers after its latency, or raises its outage; remembers who called when."""

    latency_seconds: float = 0.06
    outage: Exception | None = None
    failures_left: int | None = None
    started_at: list[float] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    running: int = 0
    most_running: int = 0

    async def answer(self, label: str = "") -> str:
        self.started_at.append(now())
        self.labels.append(label)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await asyncio.sleep(self.latency_seconds)
        finally:
            self.running -= 1
        if self.outage is not None and self.failures_left != 0:
            if self.failures_left is not None:
                self.failures_left -= 1
            raise self.outage
        return f"answer to {label}"

    def sender(self, label: str = "") -> Callable[[Deadline], Coroutine[Any, Any, str]]:
        async def send(_deadline: Deadline) -> str:
            return await self.answer(label)

        return send


class World:
    """One upstream behind one policy, with every part at hand."""

    def __init__(self, *, chance: float = 0.5, initial_limit: int = 8) -> None:
        self.erp = FakeUpstream()
        self.clock = clock()
        self.told_closings: list[timedelta] = []
        told = RecordedCalls()
        self.reports = told.reports
        self.limits: list[int] = []
        self.gate = Gate(
            system="fo",
            name="fo pricing",
            clock=self.clock,
            chance=lambda: chance,
            on_closed=self.told_closings.append,
        )
        self.bulkhead = Bulkhead(
            system="fo",
            name="fo pricing",
            clock=self.clock,
            on_limit=self.limits.append,
            settings=AimdSettings(initial=initial_limit),
        )
        self.retrier = Retrier(clock=self.clock, chance=lambda: chance)
        settings = {
            OperationClass.PRICE_READ: PRICE_READS,
            OperationClass.MASTER_READ: MASTER_READS,
            OperationClass.DOCUMENT_READ: DOCUMENT_READS,
            OperationClass.DOCUMENT_WRITE: DOCUMENT_WRITES,
            OperationClass.MIRROR_READ: MIRROR_READS,
        }
        self.policy = CallPolicy(
            system="fo",
            breakers={
                kind: Breaker(
                    system="fo",
                    name=f"fo {kind}",
                    clock=self.clock,
                    chance=lambda: chance,
                    settings=settings[kind],
                )
                for kind in OperationClass
            },
            gate=self.gate,
            bulkhead=self.bulkhead,
            retrier=self.retrier,
            clock=self.clock,
            watch=told,
        )
        self.breaker = self.policy.breakers[OperationClass.PRICE_READ]

    async def call(
        self,
        klass: CallClass = CallClass.INTERACTIVE,
        *,
        label: str = "",
        within: float = 10,
        operation: Operation = PRICES,
        ticket: Ticket | None = None,
        lines: int = 1,
    ) -> str:
        return await self.policy.call(
            self.erp.sender(label),
            operation=operation,
            ticket=ticket or Ticket(klass),
            deadline=deadline_in(within),
            lines=lines,
        )

    def start(
        self, klass: CallClass = CallClass.INTERACTIVE, *, label: str = "", within: float = 10
    ) -> "asyncio.Task[str]":
        """Begin a call without waiting for it."""
        return asyncio.create_task(self.call(klass, label=label, within=within))

    async def lose_the_erp(self) -> None:
        """Let the breaker open on connection failures, as background traffic finds them."""
        self.erp.outage = dead()
        while self.breaker.is_closed:
            await asyncio.gather(self.call(CallClass.INTERACTIVE), return_exceptions=True)

    def assert_nothing_is_held(self) -> None:
        """Every slot, permit, place in a line and in the budget went back."""
        view = self.policy.view()
        assert set(view.bulkhead.running.values()) == {0}
        assert set(view.bulkhead.waiting.values()) == {0}
        assert set(view.gate.waiting.values()) == {0}
        assert {breaker.probes for breaker in view.breakers} == {0}
        assert (view.in_flight, view.retrying) == (0, 0)
