"""Every call to one ERP environment or shop, as one of our apps, passes through here.

    retry ( slot of the bulkhead -> rate gate -> breaker permit -> wire )

Each step checks the deadline, and one that cannot finish in what is left is not begun. A
call ends in the answer, in the error of the wire, or in a `CallRefusedError` if nothing
was sent. Whatever the end, cancellation included, slot and permit go back and the
breaker, the gate and the limit learn from it, in that one `finally`.

A customer is not the canary: while the breaker is not closed, only refresh and
background calls may probe. Where there are none, `probes` repeat the last good read; a
`Prober` has to run them, or a shop without refresh traffic never finds the ERP again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, Generic, TypeVar

from pricing_proxy.clock import MICROSECONDS_PER_SECOND as SECOND_US
from pricing_proxy.clock import Clock
from pricing_proxy.resilience.aimd import Signal
from pricing_proxy.resilience.breaker import Breaker, BreakerView
from pricing_proxy.resilience.breaker_events import Permit, Phase, PhaseChanged
from pricing_proxy.resilience.bulkhead import Bulkhead, BulkheadView
from pricing_proxy.resilience.call_class import CallClass, Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.errors import (
    CallRefusedError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
)
from pricing_proxy.resilience.evidence import Evidence
from pricing_proxy.resilience.gate import Gate, GateView
from pricing_proxy.resilience.operation import CallReport, CallWatch, Operation, OperationClass
from pricing_proxy.resilience.prober import Probe
from pricing_proxy.resilience.retry import Retrier, RetryLimits

T = TypeVar("T")
Send = Callable[[Deadline], Awaitable[T]]

# No ERP call ever ended sooner, so one with less time left is not worth sending.
_LEAST_WIRE_US = 50_000
# A probe has the time its read had, but at least a refresh's: a checkout that had little
# left says nothing about how long a recovering ERP may take.
_LEAST_PROBE_US = 10 * SECOND_US
# Nothing is known but that this caller was late; a second is the least Retry-After can say.
_RETRY_AFTER = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyView:
    """What `/status` shows of the way to one system."""

    system: str
    breakers: tuple[BreakerView, ...]
    gate: GateView
    bulkhead: BulkheadView
    in_flight: int
    retrying: int


class CallPolicy:
    """Protects the caller from the other side, and the other side from us.

    Attributes:
        breakers: For an operator's orders.
    """

    def __init__(
        self,
        *,
        system: str,
        breakers: Mapping[OperationClass, Breaker],
        gate: Gate,
        bulkhead: Bulkhead,
        retrier: Retrier,
        clock: Clock,
        watch: CallWatch | None = None,
    ) -> None:
        """Connect the parts.

        Args:
            system: For errors and metrics.
            breakers: One for each class of operation that will be called.
            gate: The app's.
            bulkhead: The environment's and app's.
            retrier: Shared by all calls to the system.
            clock: Time.
            watch: Told of each call; None for nobody.
        """
        self._system = system
        self.breakers = dict(breakers)
        self._gate = gate
        self._bulkhead = bulkhead
        self._retrier = retrier
        self._clock = clock
        self._watch = watch
        self._last_good: dict[OperationClass, _Call[Any]] = {}
        for breaker in self.breakers.values():
            breaker.on_change(self._ramp_after_recovery)

    async def call(
        self,
        send: Send[T],
        *,
        operation: Operation,
        ticket: Ticket,
        deadline: Deadline,
        lines: int = 1,
    ) -> T:
        """Return what `send(deadline)` returns, sent when it may and repeated where it helps.

        Args:
            send: Makes the call. It is given the deadline and keeps none of its own, since
                it may be repeated much later as a probe.
            operation: What kind of call it is.
            ticket: How urgent it is; may be lifted meanwhile.
            deadline: The last useful instant.
            lines: The size of the batch, by which slowness is judged.

        Raises:
            CallRefusedError: Nothing was sent, or not again.
            UpstreamTimeoutError: The deadline passed on the wire.
            UpstreamError: What `send` raised.
        """
        allowed_us = deadline.remaining_us(self._clock.monotonic_us())
        call = _Call(send, operation, ticket, deadline, lines, allowed_us)
        breaker = self.breakers[operation.kind]
        limits = RetryLimits(
            is_safe=operation.is_safe,
            ticket=ticket,
            start_by=call.start_by,
            is_healthy=lambda: breaker.is_closed,
        )
        name, watch = f"{self._system} {operation.name}", self._watch
        with nullcontext() if watch is None else watch.span(name):
            return await self._retrier.run(partial(self._attempt, call), limits)

    def probes(self) -> tuple[Probe, ...]:
        """Return what a `Prober` runs to find this system again."""
        return tuple(
            Probe(breaker, partial(self._repeat_last_good, kind))
            for kind, breaker in self.breakers.items()
        )

    def refusal(
        self, kind: OperationClass, ticket: Ticket, *, deadline: Deadline
    ) -> CallRefusedError | None:
        """Return what a call that sets off now would be refused with at once; takes nothing."""
        try:
            self.breakers[kind].check(may_probe=self._may_probe(kind, ticket))
        except CallRefusedError as error:
            return error
        return self._gate.refusal(ticket.klass, start_by=deadline.minus(_LEAST_WIRE_US))

    def is_well(self, kind: OperationClass) -> bool:
        """Say whether calls that nobody waits for may be started now."""
        return self.breakers[kind].is_closed and self._gate.is_open

    def view(self) -> PolicyView:
        """Return what `/status` shows."""
        return PolicyView(
            system=self._system,
            breakers=tuple(breaker.view() for breaker in self.breakers.values()),
            gate=self._gate.view(),
            bulkhead=self._bulkhead.view(),
            in_flight=self._retrier.budget.in_flight,
            retrying=self._retrier.budget.retrying,
        )

    async def _attempt(self, call: "_Call[T]") -> T:
        breaker = self.breakers[call.operation.kind]
        self._require_time(call)
        # Nobody should queue for a slot and a turn only to be refused by an open breaker.
        breaker.check(may_probe=self._may_probe(call.operation.kind, call.ticket))
        async with self._bulkhead.slot(call.ticket, start_by=call.start_by):
            await self._gate.enter(call.ticket, start_by=call.start_by)
            self._require_time(call)
            may_probe = self._may_probe(call.operation.kind, call.ticket)
            permit = breaker.acquire(may_probe=may_probe)
            return await self._on_wire(call, permit)

    async def _on_wire(self, call: "_Call[T]", permit: Permit) -> T:
        began_us = self._clock.monotonic_us()
        try:
            answer = await self._send_in_time(call, began_us)
        except BaseException as error:
            self._learn(call, permit, error, began_us)
            raise
        self._learn(call, permit, None, began_us)
        return answer

    async def _send_in_time(self, call: "_Call[T]", now_us: int) -> T:
        try:
            async with asyncio.timeout(call.deadline.remaining_us(now_us) / SECOND_US):
                return await call.send(call.deadline)
        except TimeoutError as error:
            raise UpstreamTimeoutError(
                f"{call.operation.name}: no answer before the deadline", system=self._system
            ) from error

    def _learn(
        self, call: "_Call[Any]", permit: Permit, error: BaseException | None, began_us: int
    ) -> None:
        """Tell breaker, gate, limit and metrics how the call ended; never waits."""
        ended_us = self._clock.monotonic_us()
        wire_us = ended_us - began_us
        breaker = self.breakers[call.operation.kind]
        evidence = breaker.settle(permit, error, wire_us=wire_us, lines=call.lines)
        observe = partial(
            self._bulkhead.observe,
            began_us=began_us,
            ended_us=ended_us,
            is_slow=breaker.is_straining(wire_us, lines=call.lines),
        )
        if isinstance(error, UpstreamThrottledError):
            # Whoever issues tokens is another system, with a gate of its own.
            if error.system == self._system:
                self._gate.throttled(error.asked_for)
                observe(Signal.OVERLOADED)
        elif evidence is Evidence.TIMED_OUT:
            observe(Signal.OVERLOADED)
        elif error is None:
            self._gate.answered(began_us=began_us)
            observe(Signal.ANSWERED)
            if call.operation.is_safe:
                self._last_good[call.operation.kind] = call
        if self._watch is not None:
            report = CallReport(
                system=self._system,
                operation=call.operation.name,
                guard=breaker.name,
                error=error,
                wire_us=wire_us,
            )
            self._watch.count(report)

    def _may_probe(self, kind: OperationClass, ticket: Ticket) -> bool:
        # Before the first good read there is nothing to repeat, and somebody has to go.
        return not ticket.klass.is_customer_facing or kind not in self._last_good

    def _require_time(self, call: "_Call[Any]") -> None:
        if call.start_by.has_passed(self._clock.monotonic_us()):
            raise CallRefusedError(
                f"{call.operation.name}: too little time left",
                system=self._system,
                retry_after=_RETRY_AFTER,
            )

    def _ramp_after_recovery(self, _name: str, change: PhaseChanged) -> None:
        if change.after is Phase.CLOSED:
            self._gate.start_ramp()

    async def _repeat_last_good(self, kind: OperationClass) -> None:
        call = self._last_good.get(kind)
        if call is not None:
            wait_us = max(_LEAST_PROBE_US, call.allowed_us)
            deadline = Deadline.after(wait_us, now_us=self._clock.monotonic_us())
            ticket = Ticket(CallClass.REFRESH)
            await self._attempt(replace(call, ticket=ticket, deadline=deadline))


@dataclass(frozen=True, slots=True)
class _Call(Generic[T]):
    """What one call carries through the steps."""

    send: Send[T]
    operation: Operation
    ticket: Ticket
    deadline: Deadline
    lines: int
    allowed_us: int

    @property
    def start_by(self) -> Deadline:
        """The last instant at which sending makes sense."""
        return self.deadline.minus(_LEAST_WIRE_US)
