"""Simulated Entra ID: one tenant's discovery document and token endpoint.

It speaks the client-credentials flow with the shapes that the real msal expects, so
that msal runs against it unchanged. Two apps are registered, as in production: one
for interactive prices, one for background sync. By what each may prove who it is stands in
`app_proofs`, and how that is judged in `app_judge`. The platform that makes federated tokens
publishes its keys beside the tenant.
"""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from aiohttp import web
from aiohttp.typedefs import Middleware

from pricing_proxy.clock import Clock
from pricing_proxy.sandbox.app_judge import AppJudge
from pricing_proxy.sandbox.app_proofs import ISSUER, AppProofs
from pricing_proxy.sandbox.calls import Calls
from pricing_proxy.sandbox.dials import Dials
from pricing_proxy.sandbox.tokens import LIFETIME, Tokens
from pricing_proxy.sandbox.wire import json_answer

TENANT = "demo-tenant"
_TOKEN_PATH = f"/{TENANT}/oauth2/v2.0/token"
_DISCOVERY_PATH = f"/{TENANT}/v2.0/.well-known/openid-configuration"
_PLATFORM = "/platform"
_SCOPE_END = "/.default"


async def count_entra_call(request: web.Request, calls: Calls) -> None:
    """Count a request under what it asks Entra ID for."""
    names = {_TOKEN_PATH: "token", _DISCOVERY_PATH: "discovery", f"{_PLATFORM}/keys": "keys"}
    calls.count(names.get(request.path, "other"))


def entra_app(
    *,
    dials: Dials,
    tokens: Tokens,
    proofs: AppProofs,
    clock: Clock,
    environment_url: Callable[[], str],
    middleware: Middleware,
) -> web.Application:
    """Return Entra ID as an application.

    Args:
        dials: `token_revoked` refuses every app, `proof_faults` what some prove themselves by.
        tokens: Where issued tokens are remembered.
        proofs: What is registered with the apps.
        clock: The tenant's time.
        environment_url: The only environment that this tenant knows.
        middleware: The faults of this system.
    """
    tenant = _Tenant(dials, tokens, proofs, clock, environment_url)
    app = web.Application(middlewares=[middleware])
    app.router.add_get(_DISCOVERY_PATH, tenant.discovery)
    app.router.add_post(_TOKEN_PATH, tenant.token)
    app.router.add_get(f"{_PLATFORM}/.well-known/openid-configuration", tenant.platform)
    app.router.add_get(f"{_PLATFORM}/keys", tenant.platform_keys)
    return app


class _Tenant:
    def __init__(
        self,
        dials: Dials,
        tokens: Tokens,
        proofs: AppProofs,
        clock: Clock,
        environment_url: Callable[[], str],
    ) -> None:
        self._dials = dials
        self._tokens = tokens
        self._proofs = proofs
        self._judge = AppJudge(proofs, clock=clock)
        self._clock = clock
        self._environment_url = environment_url

    async def discovery(self, request: web.Request) -> web.Response:
        root = f"{request.scheme}://{request.host}/{TENANT}"
        return json_answer(
            {
                "issuer": f"{root}/v2.0",
                "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
                "token_endpoint": f"{root}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{root}/oauth2/v2.0/devicecode",
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
                "response_types_supported": ["code"],
                "subject_types_supported": ["pairwise"],
            }
        )

    async def platform(self, request: web.Request) -> web.Response:
        keys = f"{request.scheme}://{request.host}{_PLATFORM}/keys"
        return json_answer({"issuer": ISSUER, "jwks_uri": keys})

    async def platform_keys(self, _: web.Request) -> web.Response:
        return json_answer(self._proofs.platform_jwks())

    async def token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        client = form.get("client_id", "")
        if form.get("grant_type") != "client_credentials":
            return self._refused(400, "unsupported_grant_type", 70003, "Unsupported grant type.")
        if client not in self._proofs.apps:
            text = (
                f"Application with identifier '{client[:40]}' was not found in the directory "
                f"'{TENANT}'."
            )
            return self._refused(400, "unauthorized_client", 700016, text)
        faults = dict(self._dials.proof_faults)
        if self._dials.token_revoked:
            faults = dict.fromkeys(("secret", "certificate", "token"), "unknown")
        endpoint = f"{request.scheme}://{request.host}{_TOKEN_PATH}"
        refused = self._judge.refusal(client, form, endpoint=endpoint, faults=faults)
        if refused is not None:
            return self._refused(refused.status, refused.error, refused.number, refused.text)
        audience = self._environment_url()
        if form.get("scope") != audience + _SCOPE_END:
            text = "The resource principal was not found in the tenant."
            return self._refused(400, "invalid_resource", 500011, text)
        return json_answer(self._granted(audience))

    def _granted(self, audience: str) -> dict[str, Any]:
        seconds = int(LIFETIME.total_seconds())
        return {
            "token_type": "Bearer",
            "expires_in": seconds,
            "ext_expires_in": seconds,
            "access_token": self._tokens.issue(audience),
        }

    def _refused(self, status: int, error: str, number: int, text: str) -> web.Response:
        """Return a refusal as Entra ID words it, with what its support asks for."""
        at = f"{self._clock.utc():%Y-%m-%d %H:%M:%S}Z"
        trace, correlation = uuid4(), uuid4()
        told = f"Trace ID: {trace} Correlation ID: {correlation} Timestamp: {at}"
        body = {
            "error": error,
            "error_description": f"AADSTS{number}: {text} {told}",
            "error_codes": [number],
            "timestamp": at,
            "trace_id": str(trace),
            "correlation_id": str(correlation),
            "error_uri": f"https://login.microsoftonline.com/error?code={number}",
        }
        return json_answer(body, status=status)
