"""Build the protected way to one F&O environment as the sync's own app: tokens, limits, calls.

The app's gate is shared between all processes of the sync, where Redis is given: when one
of them is throttled, all wait. Prices have another app, and are not slowed down.
"""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from redis.asyncio import Redis

from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock
from pricing_proxy.configuration.environments import Environment
from pricing_proxy.d365.auth import TOKEN_SYSTEM, TokenSource
from pricing_proxy.d365.entra import EntraTokens
from pricing_proxy.d365.fo.client import FinanceOperationsClient
from pricing_proxy.d365.fo.documents import REQUEST_TIME, DocumentCalls
from pricing_proxy.d365.session import erp_session
from pricing_proxy.d365.transport import Transport
from pricing_proxy.resilience.breaker import Breaker
from pricing_proxy.resilience.breaker_settings import (
    DOCUMENT_READS,
    DOCUMENT_WRITES,
    MASTER_READS,
)
from pricing_proxy.resilience.bulkhead import Bulkhead
from pricing_proxy.resilience.gate import Gate
from pricing_proxy.resilience.gate_state import GateSettings
from pricing_proxy.resilience.operation import CallReport, OperationClass
from pricing_proxy.resilience.policy import CallPolicy
from pricing_proxy.resilience.prober import Prober
from pricing_proxy.resilience.retry import Retrier
from pricing_proxy.shared_state.gate import sync_app, tokens_of
from sync.serve.gates import shared_gate

_SYSTEM = "fo"
SYNC_GATE = GateSettings(
    # Nobody waits for a page here, so the documented wait is kept where none is named.
    first_wait_us=30 * MICROSECONDS_PER_SECOND,
    # No customer waits either: a first second of as many calls as the bulkhead's least limit
    # lets a quick ERP answer anyway. It doubles, and a random 429 costs a second, not five.
    ramp_starts=20,
    checkout_percent=0,
)
"""How the sync's app goes on after a 429."""


@dataclass(frozen=True, slots=True)
class ErpAccess:
    """The way to one environment.

    Attributes:
        documents: Reads and writes of documents.
        master: Reads of master data.
        policy: What guards both.
        gates: Closed while the ERP, or the issuer of tokens, throttles.
    """

    documents: DocumentCalls
    master: FinanceOperationsClient
    policy: CallPolicy
    gates: tuple[Gate, Gate]


@asynccontextmanager
async def erp_access(
    name: str,
    environment: Environment,
    *,
    clock: Clock,
    redis: Redis | None = None,
    request_time: timedelta = REQUEST_TIME,
    on_call: Callable[[CallReport], None] | None = None,
) -> AsyncIterator[ErpAccess]:
    """Open the way as the sync app; on exit, close it in reverse order.

    Args:
        name: The environment's name in the configuration.
        environment: Where it is, with the sync app's credentials.
        clock: Time.
        redis: Where processes tell each other of throttling; None for a process on its own.
        request_time: After this long, waiting included, a document call is given up.
        on_call: Told each attempt that went on the wire; must not raise.
    """
    async with AsyncExitStack() as stack:
        app = sync_app(name)
        gate = await stack.enter_async_context(
            shared_gate(
                redis, app, system=_SYSTEM, name=f"{name}:sync", clock=clock, settings=SYNC_GATE
            )
        )
        token_gate = await stack.enter_async_context(
            shared_gate(
                redis, tokens_of(app), system=TOKEN_SYSTEM, name=f"{name}:sync:tokens", clock=clock
            )
        )
        issuer = await stack.enter_async_context(_issuer(environment, clock))
        source = await stack.enter_async_context(TokenSource(issuer, clock=clock, gate=token_gate))
        session = await stack.enter_async_context(erp_session(environment.ca_file))
        policy = _policy(name, gate, clock, on_call)
        await stack.enter_async_context(Prober(policy.probes()))
        transport = Transport(
            session, base_url=environment.url, tokens=source, clock=clock, system=_SYSTEM
        )
        yield ErpAccess(
            DocumentCalls(transport, policy=policy, clock=clock, request_time=request_time),
            FinanceOperationsClient(transport, policy=policy, clock=clock),
            policy,
            (gate, token_gate),
        )


def _issuer(environment: Environment, clock: Clock) -> EntraTokens:
    if environment.sync_client_id is None or environment.sync_client_secret is None:
        raise ValueError("the environment has no app for the sync")
    return EntraTokens(
        authority=f"{environment.authority}/{environment.tenant}",
        client_id=environment.sync_client_id,
        client_secret=environment.sync_client_secret,
        scope=f"{environment.url}/.default",
        clock=clock,
        ca_file=environment.ca_file,
    )


def _policy(
    name: str,
    gate: Gate,
    clock: Clock,
    on_call: Callable[[CallReport], None] | None,
) -> CallPolicy:
    dice = random.random
    breakers = {
        kind: Breaker(
            system=_SYSTEM, name=f"{name}:{kind}", clock=clock, chance=dice, settings=settings
        )
        for kind, settings in (
            (OperationClass.MASTER_READ, MASTER_READS),
            (OperationClass.DOCUMENT_READ, DOCUMENT_READS),
            (OperationClass.DOCUMENT_WRITE, DOCUMENT_WRITES),
        )
    }
    return CallPolicy(
        system=_SYSTEM,
        breakers=breakers,
        gate=gate,
        bulkhead=Bulkhead(system=_SYSTEM, name=f"{name}:sync", clock=clock),
        retrier=Retrier(clock=clock, chance=dice),
        clock=clock,
        on_call=on_call,
    )
