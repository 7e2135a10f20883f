"""ERP and Entra ID behind a proxy, which alone can resolve their names."""

import traceback
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from fakeredis import FakeAsyncRedis

from pricing_proxy.check.run import run_checks
from pricing_proxy.clock import SystemClock
from pricing_proxy.configuration.environments import Environment
from pricing_proxy.configuration.proxies import UsualProxy
from pricing_proxy.d365.way import PRICING, erp_way
from pricing_proxy.diagnosis.direct_calls import DirectErp, Patience
from pricing_proxy.diagnosis.report import Report
from pricing_proxy.http_exchange import http_session
from pricing_proxy.resilience.call_class import CallClass, Ticket
from pricing_proxy.resilience.errors import UpstreamUnavailableError
from pricing_proxy.settings import Settings
from pricing_proxy.shared_state.gate import Gates
from tests.check.patience import CALM, SILENT, findings, red
from tests.d365.certificates import Authority, make_authority
from tests.d365.loopback import soon
from tests.d365.test_entra import Entra
from tests.fakes.http_proxy import HttpProxy

ERP, LOGIN = "erp.example.com", "login.example.com"
TICKET = Ticket(CallClass.INTERACTIVE)
USER, PASSWORD = "robot", "s3cr3t/:@%"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("tls"), "ours", ERP, LOGIN)


@pytest.fixture(autouse=True)
def others_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody but `configuration` looks there: whoever does is lost."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv(name.lower(), "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)


@pytest.fixture
async def proxy(authority: Authority) -> AsyncIterator[HttpProxy]:
    """A proxy that knows the way to both, and asks for a password."""

    async def version(_: web.Request) -> web.Response:
        return web.json_response({"value": "10.0.44"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", version)
    erp = TestServer(app, host="127.0.0.1", scheme="https")
    await erp.start_server(ssl=authority.server)
    async with erp, Entra().serving(authority) as entra:
        entra.base = f"https://{LOGIN}"
        ports = {ERP: erp.port or 0, LOGIN: entra.port}
        async with HttpProxy(ports, login=f"{USER}:{PASSWORD}").serving() as running:
            yield running


def document(authority: Authority, **more: Any) -> dict[str, Any]:
    return {
        "url": f"https://{ERP}",
        "authority": f"https://{LOGIN}",
        "tenant": "tenant",
        "ca_file": str(authority.ca_file),
        "time_zone": "Europe/Berlin",
        "pricing_client_id": "pricing-app",
        "pricing_client_secret": "shop-secret-0815",
        **more,
    }


def usual(proxy: HttpProxy, **more: str) -> UsualProxy:
    """Return an environment that names the proxy, with its password quoted."""
    there = f"http://{USER}:s3cr3t%2F%3A%40%25@127.0.0.1:{proxy.port}"
    return UsualProxy.of({"HTTPS_PROXY": there, **more})


@asynccontextmanager
async def asking(environment: Environment) -> AsyncIterator[Any]:
    """Give what asks the ERP for its version, as the price service does."""
    async with erp_way(
        "erp", environment, PRICING, gates=Gates(FakeAsyncRedis(), SystemClock())
    ) as way:
        yield lambda: way.client.application_version(ticket=TICKET, deadline=soon())


async def test_a_call_and_its_token_go_through_the_environments_proxy(
    proxy: HttpProxy, authority: Authority
) -> None:
    environment = Environment.model_validate(document(authority), context=usual(proxy))
    async with asking(environment) as ask:
        assert await ask() == "10.0.44"

    assert set(proxy.tunnels) == {f"{ERP}:443", f"{LOGIN}:443"}
    assert proxy.refused == 0


async def test_a_call_and_its_token_go_through_the_configured_proxy(
    proxy: HttpProxy, authority: Authority
) -> None:
    own = {"proxy": f"http://{USER}@127.0.0.1:{proxy.port}", "proxy_password": PASSWORD}
    environment = Environment.model_validate(document(authority, **own))
    async with asking(environment) as ask:
        assert await ask() == "10.0.44"

    assert set(proxy.tunnels) == {f"{ERP}:443", f"{LOGIN}:443"}


@pytest.mark.parametrize("excepted", [ERP, LOGIN])
async def test_who_is_excepted_is_called_directly(
    proxy: HttpProxy, authority: Authority, excepted: str
) -> None:
    """Nothing but the proxy knows the name, so that fails; the other went through."""
    told = usual(proxy, NO_PROXY=excepted)
    environment = Environment.model_validate(document(authority), context=told)
    async with asking(environment) as ask:
        with pytest.raises(UpstreamUnavailableError, match="cannot be reached"):
            await ask()

    assert f"{excepted}:443" not in proxy.tunnels


async def test_a_wrong_password_of_the_proxy_is_the_proxys_refusal(
    proxy: HttpProxy, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a token, and of a call that has one."""
    own = {"proxy": f"http://{USER}@127.0.0.1:{proxy.port}", "proxy_password": "hunter2"}
    environment = Environment.model_validate(document(authority, **own))
    patience = Patience.of(CALM, SystemClock())
    way_out = environment.proxy_to(environment.url)
    async with asking(environment) as ask, http_session(None, proxy=way_out) as session:
        with_token = DirectErp(session, environment, token="token", patience=patience)
        for call in (ask, with_token.version):
            with pytest.raises(UpstreamUnavailableError, match="the proxy on the way") as caught:
                await call()
            told = "".join(traceback.format_exception(caught.value))
            assert "hunter2" not in told + caplog.text
            assert caught.value.is_connection_failure
    assert proxy.tunnels == []


async def checked(environment: Mapping[str, Any], told: UsualProxy) -> Report:
    settings = Settings.model_validate(
        {
            "environments": {"erp": environment},
            "markets": {"de": {"environment": "erp", "legal_entity": "demf", "currency": "EUR"}},
        },
        context=told,
    )
    return await run_checks(
        settings, clock=SystemClock(), limits=SILENT, on_progress=lambda _: None
    )


async def test_check_names_the_proxy_that_is_used(proxy: HttpProxy, authority: Authority) -> None:
    report = await checked(document(authority), usual(proxy))

    shown = f"through proxy 127.0.0.1:{proxy.port} (HTTPS_PROXY)"
    for row in ("Entra ID reachable", "F&O reachable"):
        assert findings(report)[row].found.endswith(shown)
    assert "s3cr3t" not in str(findings(report))


@pytest.mark.parametrize(
    ("at", "why"),
    [("robot:wrong@127.0.0.1:{}", "the proxy on the way"), ("127.0.0.1:9", "the proxy on the way")],
)
async def test_check_blames_the_proxy_that_fails(
    proxy: HttpProxy, authority: Authority, at: str, why: str
) -> None:
    there = f"http://{at.format(proxy.port)}"
    report = await checked(document(authority), UsualProxy.of({"HTTPS_PROXY": there}))

    failed = red(report)
    assert set(failed) == {"Entra ID reachable", "F&O reachable"}
    for finding in failed.values():
        assert why in finding.found
        assert "(HTTPS_PROXY)" in finding.found
        assert "proxy" in finding.next_step
        assert "wrong" not in finding.found
