"""Build what protects the calls to one system: breakers, gate, bulkhead, retries, in one policy."""

import random
from collections.abc import Mapping

from pricing_proxy.clock import Clock
from pricing_proxy.resilience.breaker import Breaker
from pricing_proxy.resilience.breaker_settings import BreakerSettings
from pricing_proxy.resilience.bulkhead import Bulkhead
from pricing_proxy.resilience.gate import Gate
from pricing_proxy.resilience.operation import CallWatch, OperationClass
from pricing_proxy.resilience.policy import CallPolicy
from pricing_proxy.resilience.retry import Retrier


def protection(
    system: str,
    gate: Gate,
    breakers: Mapping[OperationClass, BreakerSettings],
    *,
    place: str,
    clock: Clock,
    watch: CallWatch | None = None,
) -> CallPolicy:
    """Return the policy that every call passes through.

    Args:
        system: For errors and metrics.
        gate: Closed while the system throttles; the bulkhead has its name.
        breakers: When each opens, by what fails together.
        place: What the breakers' names begin with, such as the environment.
        clock: Time.
        watch: Told of each call; None for nobody.
    """
    dice = random.random
    return CallPolicy(
        system=system,
        breakers={
            kind: Breaker(
                system=system, name=f"{place}:{kind}", clock=clock, chance=dice, settings=settings
            )
            for kind, settings in breakers.items()
        },
        gate=gate,
        bulkhead=Bulkhead(system=system, name=gate.name, clock=clock),
        retrier=Retrier(clock=clock, chance=dice),
        clock=clock,
        watch=watch,
    )
