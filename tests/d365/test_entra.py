"""The real msal against an Entra ID of our own, over TLS on loopback."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from pricing_proxy.clock import SystemClock
from pricing_proxy.configuration.entra_apps import ClientSecret, EntraApp
from pricing_proxy.d365.auth import TokenSource
from pricing_proxy.d365.client_proof import proof
from pricing_proxy.d365.entra import EntraTokens
from pricing_proxy.resilience.errors import (
    UpstreamContractError,
    UpstreamDeniedError,
    UpstreamError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from tests.d365.certificates import Authority, make_authority
from tests.d365.test_token_source import token_gate

SECRET = "shop-secret-0815"
APP = EntraApp(kind="pricing", client_id="pricing-app", proof=ClientSecret(SecretStr(SECRET)))
SCOPE = "https://erp.example.com/.default"


class Entra:
    """A tenant's endpoints; `answer` replaces the token endpoint's answer while set.

    `base` is the address that it tells of itself; by default where it listens.
    """

    def __init__(self) -> None:
        self.issued = 0
        self.discoveries = 0
        self.answer: web.Response | None = None
        self.metadata: dict[str, Any] | None = None
        self.asked_with: dict[str, str] = {}
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.base: str | None = None
        self._server: TestServer | None = None

    @asynccontextmanager
    async def serving(self, authority: Authority) -> AsyncIterator["Entra"]:
        app = web.Application()
        app.router.add_get("/tenant/v2.0/.well-known/openid-configuration", self._discover)
        app.router.add_post("/tenant/oauth2/v2.0/token", self._token)
        self._server = TestServer(app, host="127.0.0.1", scheme="https")
        await self._server.start_server(ssl=authority.server)
        try:
            yield self
        finally:
            await self._server.close()
            # asyncio ends TLS in several turns of the loop, and warns when it gets none.
            for _ in range(20):
                await asyncio.sleep(0)

    @property
    def port(self) -> int:
        assert self._server is not None
        assert self._server.port is not None
        return self._server.port

    @property
    def authority(self) -> str:
        return f"{self.base or f'https://127.0.0.1:{self.port}'}/tenant"

    def tokens(self, **options: Any) -> EntraTokens:
        return EntraTokens(
            authority=options.pop("authority", None) or self.authority,
            client_id="pricing-app",
            proof=proof(APP, clock=SystemClock()),
            scope=SCOPE,
            clock=SystemClock(),
            **options,
        )

    async def _discover(self, _: web.Request) -> web.Response:
        self.discoveries += 1
        base = self.authority
        return web.json_response(
            self.metadata
            or {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
            }
        )

    async def _token(self, request: web.Request) -> web.Response:
        self.asked_with = {name: str(value) for name, value in (await request.post()).items()}
        await self.may_answer.wait()
        if self.answer is not None:
            answer, self.answer = self.answer, None
            return answer
        self.issued += 1
        return web.json_response(
            {"token_type": "Bearer", "expires_in": 3599, "access_token": f"token-{self.issued}"}
        )


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("tls"), "ours")


@pytest.fixture
async def idp(authority: Authority) -> AsyncIterator[Entra]:
    async with Entra().serving(authority) as server:
        yield server


async def test_a_token_is_issued_to_our_credentials(idp: Entra, authority: Authority) -> None:
    async with idp.tokens(ca_file=authority.ca_file) as tokens:
        token = await tokens.issue()
    assert (token.text, token.lifetime) == ("token-1", timedelta(seconds=3599))
    assert idp.asked_with["grant_type"] == "client_credentials"
    assert idp.asked_with["scope"] == SCOPE
    assert idp.asked_with["client_secret"] == SECRET


async def test_each_token_is_a_new_one(idp: Entra, authority: Authority) -> None:
    """The cache of msal would hand back the token that the ERP has just refused."""
    async with idp.tokens(ca_file=authority.ca_file) as tokens:
        assert [(await tokens.issue()).text for _ in range(3)] == ["token-1", "token-2", "token-3"]
    assert idp.discoveries == 1


async def test_a_refused_token_is_fetched_anew(idp: Entra, authority: Authority) -> None:
    async with (
        idp.tokens(ca_file=authority.ca_file) as tokens,
        TokenSource(tokens, clock=SystemClock(), gate=token_gate(SystemClock())) as source,
    ):
        refused = await source.token()
        source.invalidate(refused)
        assert await source.token() != refused


async def test_an_explicit_ca_wins_over_the_environments(
    idp: Entra, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_authority(tmp_path, "other")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(other.ca_file))
    async with idp.tokens(ca_file=authority.ca_file) as tokens:
        assert (await tokens.issue()).text == "token-1"


@pytest.mark.parametrize("is_known_to_environment", [True, False])
async def test_a_certificate_that_is_not_trusted_is_refused(
    idp: Entra,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    is_known_to_environment: bool,  # noqa: FBT001 - the parameter under test
) -> None:
    if is_known_to_environment:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.ca_file))
    async with idp.tokens() as tokens:
        with pytest.raises(UpstreamUnavailableError, match="certificate") as caught:
            await tokens.issue()
    assert caught.value.is_connection_failure
    assert idp.discoveries == 0


def _error(code: str, status: int, **headers: str) -> web.Response:
    description = f"AADSTS7000215: Invalid client secret provided: {SECRET}. Trace ID: 1"
    return web.json_response(
        {"error": code, "error_description": description}, status=status, headers=headers
    )


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (lambda: _error("invalid_client", 401), UpstreamDeniedError),
        (lambda: _error("invalid_scope", 400), UpstreamDeniedError),
        (lambda: _error("invalid_client", 200), UpstreamDeniedError),
        (lambda: _error("temporarily_unavailable", 400), UpstreamUnavailableError),
        (lambda: _error("server_error", 500), UpstreamUnavailableError),
        (lambda: web.Response(status=502, text=f"<html>{SECRET}"), UpstreamUnavailableError),
        (lambda: web.Response(status=503), UpstreamUnavailableError),
        (lambda: _error("x", 429, **{"Retry-After": "7"}), UpstreamThrottledError),
        (lambda: _error("x", 503, **{"Retry-After": "7"}), UpstreamThrottledError),
        (lambda: web.Response(text=f"<html>{SECRET}"), UpstreamContractError),
        (lambda: web.Response(text="[" * 100_000), UpstreamContractError),
        (lambda: web.json_response({"access_token": ""}), UpstreamContractError),
        (lambda: web.json_response({"access_token": "t"}), UpstreamContractError),
        (
            lambda: web.json_response({"access_token": "t", "expires_in": 0}),
            UpstreamContractError,
        ),
        (
            lambda: web.json_response({"access_token": "t", "expires_in": 10**30}),
            UpstreamContractError,
        ),
        (
            lambda: web.Response(status=307, headers={"Location": "https://127.0.0.1:1/"}),
            UpstreamContractError,
        ),
    ],
)
async def test_each_failure_has_its_error_and_the_next_try_is_a_real_one(
    idp: Entra,
    authority: Authority,
    answer: Any,
    error: type[UpstreamError],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """By itself, msal would repeat some of these answers for up to a minute, from its cache."""
    idp.answer = answer()
    async with idp.tokens(ca_file=authority.ca_file) as tokens:
        with pytest.raises(error) as caught:
            await tokens.issue()
        assert (await tokens.issue()).text == "token-1"
    assert caught.value.system == "entra"
    assert SECRET not in str(caught.value)
    assert SECRET not in caplog.text


async def test_the_retry_after_of_entra_is_told(idp: Entra, authority: Authority) -> None:
    idp.answer = _error("x", 429, **{"Retry-After": "7"})
    async with idp.tokens(ca_file=authority.ca_file) as tokens:
        with pytest.raises(UpstreamThrottledError) as caught:
            await tokens.issue()
    assert caught.value.retry_after == timedelta(seconds=7)


async def test_a_wrong_secret_is_named_by_code_and_number(idp: Entra, authority: Authority) -> None:
    idp.answer = _error("invalid_client", 401)
    async with idp.tokens(ca_file=authority.ca_file) as tokens:
        with pytest.raises(UpstreamDeniedError, match=r"401 invalid_client AADSTS7000215$"):
            await tokens.issue()


@pytest.mark.parametrize(
    "metadata", [{"issuer": "x"}, {"token_endpoint": 5, "authorization_endpoint": 5}]
)
async def test_an_authority_that_is_not_entra_is_a_broken_contract(
    idp: Entra, authority: Authority, metadata: dict[str, Any]
) -> None:
    idp.metadata = metadata
    async with idp.tokens(ca_file=authority.ca_file) as tokens:
        with pytest.raises(UpstreamContractError, match="not Entra's"):
            await tokens.issue()


async def test_an_unknown_tenant_is_denied(idp: Entra, authority: Authority) -> None:
    other = idp.authority.replace("tenant", "nobody")
    async with idp.tokens(ca_file=authority.ca_file, authority=other) as tokens:
        with pytest.raises(UpstreamDeniedError, match="404"):
            await tokens.issue()


async def test_an_entra_that_is_away_is_a_connection_failure(authority: Authority) -> None:
    server = TestServer(web.Application())
    await server.start_server()
    port = server.port
    await server.close()
    away = f"https://127.0.0.1:{port}/tenant"
    async with Entra().tokens(ca_file=authority.ca_file, authority=away) as tokens:
        with pytest.raises(UpstreamUnavailableError, match="cannot be reached") as caught:
            await tokens.issue()
    assert caught.value.is_connection_failure


async def test_a_ca_file_that_is_missing_is_named(idp: Entra, tmp_path: Path) -> None:
    async with idp.tokens(ca_file=tmp_path / "none.pem") as tokens:
        with pytest.raises(UpstreamUnavailableError, match="CA file"):
            await tokens.issue()


async def test_an_entra_that_never_answers_is_a_time_out(idp: Entra, authority: Authority) -> None:
    idp.may_answer.clear()
    async with idp.tokens(ca_file=authority.ca_file, read_seconds=0.2) as tokens:
        with pytest.raises(UpstreamTimeoutError):
            await tokens.issue()
    idp.may_answer.set()


async def test_leaving_ends_the_thread(idp: Entra, authority: Authority) -> None:
    async with idp.tokens(ca_file=authority.ca_file) as tokens:
        await tokens.issue()
        assert [t for t in threading.enumerate() if t.name.startswith("msal")]
    assert not [t for t in threading.enumerate() if t.name.startswith("msal")]


async def test_nothing_is_contacted_before_the_first_token(idp: Entra) -> None:
    async with idp.tokens():
        pass
    assert idp.discoveries == 0
