"""Ask Entra ID for tokens, as the service does, and see how it answers.

Several msal applications ask side by side. msal's threads cannot be stopped: when one is
still waiting at the end, it is left behind, and `TokenSamples.is_stuck` says so.
"""

import asyncio
import re
from contextlib import AsyncExitStack
from dataclasses import dataclass

from pricing_proxy.clock import MICROSECONDS_PER_SECOND
from pricing_proxy.configuration.entra_apps import EntraApp
from pricing_proxy.configuration.environments import Environment
from pricing_proxy.d365.auth import IssuedToken
from pricing_proxy.d365.entra import EntraTokens, entra_tokens
from pricing_proxy.diagnosis.direct_calls import Patience
from pricing_proxy.diagnosis.limits import Limits
from pricing_proxy.diagnosis.sampling import TimedCall, sample_many
from pricing_proxy.diagnosis.vitals import Vitals
from pricing_proxy.resilience.errors import UpstreamError, UpstreamTimeoutError

# 6 x (2 + 3) requests: one failure in five is then missed once in eight hundred checks.
_APPLICATIONS = 6
_TOKENS_EACH = 4
# The first token of an application takes two: the tenant's endpoints, then the token.
_FIRST_REQUESTS = 2
_AADSTS = re.compile(r"AADSTS\d+", re.ASCII)
_ADVICE = {
    "AADSTS7000215": "the secret is wrong: put the secret's value (not its id) into",
    "AADSTS7000222": "the secret has expired: make a new one and put it into",
    "AADSTS700027": "the certificate is not registered with the app, or no more: register it (App "
    "registrations > Certificates & secrets), or name another in",
    "AADSTS700024": "the assertion is not within its time: set this machine's clock by NTP, look "
    "whether the platform renews its token, and at",
    "AADSTS700211": "no federated credential of the app names the token's issuer: add one (App "
    "registrations > Certificates & secrets > Federated credentials) for the client id in",
    "AADSTS700212": "no federated credential of the app names the token's audience: correct it for "
    "the client id in",
    "AADSTS700213": "no federated credential of the app names the token's subject: add one (App "
    "registrations > Certificates & secrets > Federated credentials) for the client id in",
    "AADSTS7002138": "the federated credential's subject differs in capitals: correct it for the "
    "client id in",
    "AADSTS700021": "the token's issuer and subject are not this app: correct the client id in",
    "AADSTS700016": "the app is not in this tenant: correct the client id or the tenant in",
    "AADSTS90002": "there is no such tenant: correct the tenant in",
    "AADSTS500011": "the tenant does not know this ERP: correct the url, or the tenant, in",
}


@dataclass(frozen=True, slots=True)
class TokenSamples:
    """What Entra ID answered.

    Attributes:
        samples: One for each token asked for.
        token: The last one; None when none came.
        is_stuck: A thread still waits for Entra ID.
    """

    samples: list[TimedCall]
    token: IssuedToken | None
    is_stuck: bool


async def sample_tokens(
    environment: Environment, app: EntraApp, *, limits: Limits, patience: Patience
) -> TokenSamples:
    """Return how Entra ID answers the app; over when patience ends at the latest."""
    issued: list[IssuedToken] = []
    stuck: list[EntraTokens] = []
    async with AsyncExitStack() as stack:
        sources = [
            await stack.enter_async_context(
                entra_tokens(
                    environment,
                    app,
                    clock=patience.clock,
                    read_seconds=limits.wait.total_seconds(),
                )
            )
            for _ in range(_APPLICATIONS)
        ]

        def asking(source: EntraTokens) -> "_Asking":
            return _Asking(source, patience, issued, stuck)

        samples = await sample_many(
            [asking(source).ask for source in sources],
            times=_TOKENS_EACH,
            enough=limits.sampling,
            clock=patience.clock,
            first_requests=_FIRST_REQUESTS,
        )
        if stuck:
            # Leaving the stack would wait for the threads: they are left behind instead.
            stack.pop_all()
    return TokenSamples(samples, issued[-1] if issued else None, bool(stuck))


def entra_vitals(name: str, environment: Environment, app: EntraApp, limits: Limits) -> Vitals:
    """Return Entra ID's rows for an environment of the configuration."""
    here = f"environments.{name}"
    address = environment.authority
    return Vitals(
        label="Entra ID",
        admitted="token issued",
        slow=limits.entra_slow,
        unsteady=limits.unsteady,
        when_lost=f"From this machine, open {address}; look at {here}.authority, ca_file "
        "and proxy, DNS and firewall",
        when_throttling="Wait as long as it asks; then look who else asks for tokens as this "
        f"app (sign-in logs of client {app.client_id})",
        when_failing=f"Look at Microsoft's service health; if that is fine, at {here}.authority "
        "and at proxies in between",
        when_refusing=lambda error: _advice(error, here, app),
        when_slow=f"Measure the way to {address} from this machine: DNS, proxy, line; "
        "then Microsoft's service health",
        proxy=environment.proxy_to(address),
    )


class _Asking:
    """One application's way to ask, with the check's own time limit."""

    def __init__(
        self,
        source: EntraTokens,
        patience: Patience,
        issued: list[IssuedToken],
        stuck: list[EntraTokens],
    ) -> None:
        self._source = source
        self._patience = patience
        self._issued = issued
        self._stuck = stuck

    async def ask(self) -> None:
        left_us = self._patience.until.remaining_us(self._patience.clock.monotonic_us())
        try:
            async with asyncio.timeout(left_us / MICROSECONDS_PER_SECOND):
                self._issued.append(await self._source.issue())
        except TimeoutError as error:
            # A name with many addresses is tried address by address: longer than one wait.
            self._stuck.append(self._source)
            raise UpstreamTimeoutError("no token in time", system="entra") from error


def _advice(error: UpstreamError, here: str, app: EntraApp) -> str:
    number = _AADSTS.search(str(error))
    known = _ADVICE.get(number.group()) if number else None
    if known is not None:
        return f"For Entra ID {known} {here}"
    return (
        f"Compare tenant, {app.kind}_client_id and by what it proves who it is in {here} with the "
        "app's registration"
    )
