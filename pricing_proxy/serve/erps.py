"""Build the protected way to one ERP environment: session, tokens, limits, client."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from redis.asyncio import Redis

from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock
from pricing_proxy.configuration.environments import Environment
from pricing_proxy.d365.auth import TOKEN_SYSTEM, TokenSource
from pricing_proxy.d365.entra import EntraTokens
from pricing_proxy.d365.fo.client import FinanceOperationsClient
from pricing_proxy.d365.session import erp_session
from pricing_proxy.d365.transport import Transport
from pricing_proxy.resilience.breaker import Breaker
from pricing_proxy.resilience.breaker_settings import MASTER_READS, PRICE_READS
from pricing_proxy.resilience.bulkhead import Bulkhead
from pricing_proxy.resilience.call_class import Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.gate import Gate
from pricing_proxy.resilience.operation import CallReport, Operation, OperationClass
from pricing_proxy.resilience.policy import CallPolicy
from pricing_proxy.resilience.prober import Prober
from pricing_proxy.resilience.retry import Retrier
from pricing_proxy.shared_state.gate import SharedGate, pricing_app, sync_app, tokens_of
from pricing_proxy.telemetry.metrics import Metrics
from pricing_proxy.telemetry.traces import Traces

T = TypeVar("T")

_SYSTEM = "fo"


@dataclass(frozen=True, slots=True)
class ErpWay:
    """The way to one environment, and what guards it.

    Attributes:
        client: Makes the calls.
        policy: Guards them.
        breakers: Its breakers by name, for operators.
        tokens: The gate before the issuer of tokens.
        gates: What opens each gate in all processes, by the name that its view has.
    """

    client: FinanceOperationsClient
    policy: CallPolicy
    breakers: dict[str, Breaker]
    tokens: Gate
    gates: dict[str, SharedGate]


@asynccontextmanager
async def erp_way(
    name: str,
    environment: Environment,
    *,
    redis: Redis,
    clock: Clock,
    metrics: Metrics,
    traces: Traces,
) -> AsyncIterator[ErpWay]:
    """Open the way as the pricing app; on exit, close it in reverse order.

    Args:
        name: The environment's name in the configuration.
        environment: Where it is, and as whom we call it.
        redis: Where processes tell each other of throttling.
        clock: Time.
        metrics: Told of each call.
        traces: Records a span for each call.
    """
    async with AsyncExitStack() as stack:
        app = pricing_app(name)
        shared = SharedGate(redis, app, clock=clock, gives_way=sync_app(name))
        shared_tokens = SharedGate(redis, tokens_of(app), clock=clock)
        gate = _gate(_SYSTEM, f"{name}:pricing", shared, clock)
        token_gate = _gate(TOKEN_SYSTEM, f"{name}:pricing:tokens", shared_tokens, clock)
        issuer = await stack.enter_async_context(_issuer(environment, clock))
        source = await stack.enter_async_context(TokenSource(issuer, clock=clock, gate=token_gate))
        session = await stack.enter_async_context(erp_session(environment.ca_file))
        policy, breakers = _policy(name, gate, clock, metrics)
        await stack.enter_async_context(shared)
        await stack.enter_async_context(shared_tokens)
        await stack.enter_async_context(Prober(policy.probes()))
        client = FinanceOperationsClient(
            Transport(
                session, base_url=environment.url, tokens=source, clock=clock, system=_SYSTEM
            ),
            policy=_TracedPolicy(policy, traces) if traces.is_on else policy,
            clock=clock,
            price_service_path=environment.price_service_path,
        )
        gates = {gate.name: shared, token_gate.name: shared_tokens}
        yield ErpWay(client, policy, breakers, token_gate, gates)


class _TracedPolicy:
    """The call policy with a span around each call, waiting and retries included."""

    def __init__(self, policy: CallPolicy, traces: Traces) -> None:
        self._policy = policy
        self._traces = traces

    async def call(
        self,
        send: Callable[[Deadline], Awaitable[T]],
        *,
        operation: Operation,
        ticket: Ticket,
        deadline: Deadline,
        lines: int = 1,
    ) -> T:
        """Return what the policy returns."""
        with self._traces.span(f"{_SYSTEM} {operation.name}"):
            return await self._policy.call(
                send, operation=operation, ticket=ticket, deadline=deadline, lines=lines
            )


def _issuer(environment: Environment, clock: Clock) -> EntraTokens:
    return EntraTokens(
        authority=f"{environment.authority}/{environment.tenant}",
        client_id=environment.pricing_client_id,
        client_secret=environment.pricing_client_secret,
        scope=f"{environment.url}/.default",
        clock=clock,
        ca_file=environment.ca_file,
    )


def _gate(system: str, name: str, shared: SharedGate, clock: Clock) -> Gate:
    gate = Gate(
        system=system, name=name, clock=clock, chance=random.random, on_closed=shared.publish
    )
    shared.attach(gate)
    return gate


def _policy(
    name: str, gate: Gate, clock: Clock, metrics: Metrics
) -> tuple[CallPolicy, dict[str, Breaker]]:
    dice = random.random
    breakers = {
        kind: Breaker(
            system=_SYSTEM, name=f"{name}:{kind}", clock=clock, chance=dice, settings=settings
        )
        for kind, settings in (
            (OperationClass.PRICE_READ, PRICE_READS),
            (OperationClass.MASTER_READ, MASTER_READS),
        )
    }

    def count(report: CallReport) -> None:
        outcome = report.error or "answered"
        metrics.calls.labels(report.system, report.operation, outcome).inc()
        seconds = report.wire_us / MICROSECONDS_PER_SECOND
        metrics.call_seconds.labels(report.system, report.operation).observe(seconds)

    policy = CallPolicy(
        system=_SYSTEM,
        breakers=breakers,
        gate=gate,
        bulkhead=Bulkhead(system=_SYSTEM, name=f"{name}:pricing", clock=clock),
        retrier=Retrier(clock=clock, chance=dice),
        clock=clock,
        on_call=count,
    )
    return policy, {breaker.view().name: breaker for breaker in breakers.values()}
