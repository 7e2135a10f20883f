"""The protected way to one ERP environment as one of our apps: tokens, gates, breakers, calls.

Each app has gates of its own, before the ERP and before the issuer of its tokens, shared
through Redis by all of its processes: when one of them is throttled, all wait. The pricing
app is not slowed down by the sync's throttling; the sync gives way to it.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import ClientSession

from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock
from pricing_proxy.configuration.entra_apps import AppKind
from pricing_proxy.configuration.environments import Environment
from pricing_proxy.d365.auth import TOKEN_SYSTEM, Issuer, TokenSource
from pricing_proxy.d365.entra import entra_tokens
from pricing_proxy.d365.fo.client import FinanceOperationsClient
from pricing_proxy.d365.transport import Transport
from pricing_proxy.http_exchange import http_session
from pricing_proxy.resilience.breaker_settings import (
    DOCUMENT_READS,
    DOCUMENT_WRITES,
    MASTER_READS,
    MIRROR_READS,
    PRICE_READS,
    BreakerSettings,
    found_back_soon,
)
from pricing_proxy.resilience.gate import Gate
from pricing_proxy.resilience.gate_state import GateSettings
from pricing_proxy.resilience.operation import CallWatch, OperationClass
from pricing_proxy.resilience.policy import CallPolicy
from pricing_proxy.resilience.prober import Prober
from pricing_proxy.resilience.protection import protection
from pricing_proxy.shared_state.gate import Gates, SharedGate, app_gate, tokens_of
from pricing_proxy.telemetry.certificate_metrics import CertificateEnd

# The bulkhead admits 64 calls at most; a call never waits for a connection behind it.
CONNECTIONS = 80
# Longer than the pause between two background reads, so that connections stay warm.
_KEPT_SECONDS = 75.0
_SYSTEM = "fo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How one of our apps calls an ERP.

    Attributes:
        app: Which one.
        breakers: What it calls, and when it stops.
        gate: How it goes on after a 429, where not as the defaults say.
        gives_way: The app that waits too when this one is throttled again and again.
    """

    app: AppKind
    breakers: Mapping[OperationClass, BreakerSettings]
    gate: GateSettings | None = None
    gives_way: AppKind | None = None


PRICING = Manner(
    app="pricing",
    breakers={OperationClass.PRICE_READ: PRICE_READS, OperationClass.MASTER_READ: MASTER_READS},
    gives_way="sync",
)
SYNC = Manner(
    app="sync",
    breakers={
        OperationClass.MASTER_READ: found_back_soon(MASTER_READS),
        OperationClass.DOCUMENT_READ: found_back_soon(DOCUMENT_READS),
        OperationClass.DOCUMENT_WRITE: found_back_soon(DOCUMENT_WRITES),
        OperationClass.MIRROR_READ: found_back_soon(MIRROR_READS),
    },
    gate=GateSettings(
        # Nobody waits for a page here, so the documented wait is kept where none is named.
        first_wait_us=30 * MICROSECONDS_PER_SECOND,
        # No customer waits either: a first second of as many calls as the bulkhead's least limit
        # lets a quick ERP answer anyway. It doubles, and a random 429 costs a second, not five.
        ramp_starts=20,
        checkout_percent=0,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErpWay:
    """The way to one environment, and what guards it.

    Attributes:
        client: Reads master data and prices.
        transport: Carries all calls.
        policy: Guards them.
        gates: Closed while the ERP, or the issuer of tokens, throttles.
        openers: What opens each gate in all processes, by its name.
        certificate_ends_at: Returns until when the certificate is good by which our app proves who
            it is; None where it has none.
    """

    client: FinanceOperationsClient
    transport: Transport
    policy: CallPolicy
    gates: tuple[Gate, Gate]
    openers: Mapping[str, SharedGate]
    certificate_ends_at: CertificateEnd


@asynccontextmanager
async def erp_way(
    name: str,
    environment: Environment,
    manner: Manner,
    *,
    gates: Gates,
    watch: CallWatch | None = None,
) -> AsyncIterator[ErpWay]:
    """Open the way as one of our apps; on exit, close it in reverse order.

    Args:
        name: The environment's name in the configuration.
        environment: Where it is; raises `ValueError` when it names no such app.
        manner: Which app calls, and how.
        gates: Where its processes tell each other of throttling; its clock is used.
        watch: Told of each call; None for nobody.
    """
    async with (
        _gates(name, environment.url, manner, gates) as opened,
        entra_tokens(environment, environment.app(manner.app), clock=gates.clock) as issuer,
        _tokens(issuer, opened[1][0], gates.clock) as tokens,
        _session(environment) as session,
    ):
        clock, path = gates.clock, environment.price_service_path
        transport = Transport(
            session, base_url=environment.url, tokens=tokens, clock=clock, system=_SYSTEM
        )
        (gate, _), (token_gate, _) = opened
        policy = protection(_SYSTEM, gate, manner.breakers, place=name, clock=clock, watch=watch)
        async with Prober(policy.probes()).watched(gates.supervision, f"probes of {name}"):
            yield ErpWay(
                client=FinanceOperationsClient(
                    transport, policy=policy, clock=clock, price_service_path=path
                ),
                transport=transport,
                policy=policy,
                gates=(gate, token_gate),
                openers={each.name: opener for each, opener in opened},
                certificate_ends_at=issuer.certificate_ends_at,
            )


def _session(environment: Environment) -> ClientSession:
    return http_session(
        environment.ca_file,
        proxy=environment.proxy_to(environment.url),
        connections=CONNECTIONS,
        keepalive_seconds=_KEPT_SECONDS,
    )


@asynccontextmanager
async def _gates(
    name: str, url: str, manner: Manner, gates: Gates
) -> AsyncIterator[tuple[tuple[Gate, SharedGate], tuple[Gate, SharedGate]]]:
    """Yield the gates before the ERP and before the issuer of tokens."""
    app, called = app_gate(url, manner.app), f"{name}:{manner.app}"
    async with (
        gates.gate(
            app,
            system=_SYSTEM,
            name=called,
            settings=manner.gate,
            gives_way=manner.gives_way and app_gate(url, manner.gives_way),
        ) as gate,
        gates.gate(tokens_of(app), system=TOKEN_SYSTEM, name=f"{called}:tokens") as tokens,
    ):
        yield gate, tokens


@asynccontextmanager
async def _tokens(issuer: Issuer, gate: Gate, clock: Clock) -> AsyncIterator[TokenSource]:
    async with TokenSource(issuer, clock=clock, gate=gate) as tokens:
        # A process whose maps come from Redis calls the ERP for a customer first of all.
        tokens.begin()
        yield tokens
