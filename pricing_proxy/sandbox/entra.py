"""Simulated Entra ID: one tenant's discovery document and token endpoint.

It speaks the client-credentials flow with the shapes that the real msal expects, so
that msal runs against it unchanged. Two apps are registered, as in production: one
for interactive prices, one for background sync.
"""

import hmac
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from pricing_proxy.sandbox.calls import Calls
from pricing_proxy.sandbox.dials import Dials
from pricing_proxy.sandbox.tokens import LIFETIME, Tokens
from pricing_proxy.sandbox.wire import json_answer

TENANT = "demo-tenant"
APPS: Mapping[str, str] = {
    "demo-pricing": "demo-pricing-secret",
    "demo-sync": "demo-sync-secret",
}
"""Client ids and their secrets: published on purpose, they open nothing but the sandbox."""

_TOKEN_PATH = f"/{TENANT}/oauth2/v2.0/token"
_DISCOVERY_PATH = f"/{TENANT}/v2.0/.well-known/openid-configuration"
_SCOPE_END = "/.default"


async def count_entra_call(request: web.Request, calls: Calls) -> None:
    """Count a request under what it asks Entra ID for."""
    names = {_TOKEN_PATH: "token", _DISCOVERY_PATH: "discovery"}
    calls.count(names.get(request.path, "other"))


def entra_app(
    *,
    dials: Dials,
    tokens: Tokens,
    environment_url: Callable[[], str],
    middleware: Middleware,
) -> web.Application:
    """Return Entra ID as an application.

    Args:
        dials: `token_revoked` refuses every secret.
        tokens: Where issued tokens are remembered.
        environment_url: The only environment that this tenant knows.
        middleware: The faults of this system.
    """
    tenant = _Tenant(dials, tokens, environment_url)
    app = web.Application(middlewares=[middleware])
    app.router.add_get(_DISCOVERY_PATH, tenant.discovery)
    app.router.add_post(_TOKEN_PATH, tenant.token)
    return app


class _Tenant:
    def __init__(self, dials: Dials, tokens: Tokens, environment_url: Callable[[], str]) -> None:
        self._dials = dials
        self._tokens = tokens
        self._environment_url = environment_url

    async def discovery(self, request: web.Request) -> web.Response:
        root = f"{request.scheme}://{request.host}/{TENANT}"
        return json_answer(
            {
                "issuer": f"{root}/v2.0",
                "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
                "token_endpoint": f"{root}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{root}/oauth2/v2.0/devicecode",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
                "response_types_supported": ["code"],
                "subject_types_supported": ["pairwise"],
            }
        )

    async def token(self, request: web.Request) -> web.Response:
        form = await request.post()
        client, secret = str(form.get("client_id", "")), str(form.get("client_secret", ""))
        if form.get("grant_type") != "client_credentials":
            return _refused(400, "unsupported_grant_type", "AADSTS70003: Unsupported grant type.")
        if client not in APPS:
            text = f"AADSTS700016: Application '{client[:40]}' was not found in the directory."
            return _refused(400, "unauthorized_client", text)
        if self._dials.token_revoked or not hmac.compare_digest(
            secret.encode(), APPS[client].encode()
        ):
            text = "AADSTS7000215: Invalid client secret provided."
            return _refused(401, "invalid_client", text)
        audience = self._environment_url()
        if form.get("scope") != audience + _SCOPE_END:
            text = "AADSTS500011: The resource principal was not found in the tenant."
            return _refused(400, "invalid_resource", text)
        return json_answer(self._granted(audience))

    def _granted(self, audience: str) -> dict[str, Any]:
        seconds = int(LIFETIME.total_seconds())
        return {
            "token_type": "Bearer",
            "expires_in": seconds,
            "ext_expires_in": seconds,
            "access_token": self._tokens.issue(audience),
        }


def _refused(status: int, error: str, description: str) -> web.Response:
    code = int(description.partition(":")[0].removeprefix("AADSTS"))
    body = {"error": error, "error_description": description, "error_codes": [code]}
    return json_answer(body, status=status)
