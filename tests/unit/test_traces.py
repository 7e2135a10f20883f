"""Whose trace a request belongs to: a server's goes on, a browser's is only pointed at."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from pricing_proxy.configuration.proxies import UsualProxy
from pricing_proxy.configuration.telemetry import Telemetry
from pricing_proxy.telemetry.traces import Traces, traces_to
from pricing_proxy.web.app import public_app
from tests.d365.certificates import make_authority
from tests.fakes.http_proxy import HttpProxy
from tests.fakes.price_world import price_service
from tests.web.shop import BODY_LIMIT, KEY, body, shop_routes
from tests.web.storefront import bearer, token

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


class Collector(SpanExporter):
    """Keeps what is exported."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.spans += spans
        return SpanExportResult.SUCCESS


async def spans_of(headers: dict[str, str], *, sample_ratio: float = 1.0) -> list[ReadableSpan]:
    """Return what is recorded of one request that is answered with 200."""
    collector = Collector()
    with Traces(service="tests", exporter=collector, sample_ratio=sample_ratio) as traces:
        world = price_service()
        app = public_app(shop_routes(world).routes, body_limit_bytes=BODY_LIMIT, traces=traces)
        async with TestClient(TestServer(app)) as client:
            answer = await client.post("/v1/prices", json=body(), headers=headers)
            assert answer.status == 200
        await world.loader.flights.aclose()
    return collector.spans


async def test_a_server_s_trace_goes_on_here() -> None:
    [span] = await spans_of({"X-API-Key": KEY, "traceparent": TRACEPARENT}, sample_ratio=0.0)

    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == TRACE
    assert (span.name, span.links) == ("POST /v1/prices", ())


async def test_a_browser_s_trace_is_linked_and_decides_nothing() -> None:
    headers = {**bearer(token()), "traceparent": TRACEPARENT}
    [span] = await spans_of(headers)

    assert span.context is not None
    assert f"{span.context.trace_id:032x}" != TRACE
    assert span.parent is None
    [link] = span.links
    assert f"{link.context.trace_id:032x}" == TRACE
    assert await spans_of(headers, sample_ratio=0.0) == []


async def test_what_is_no_traceparent_is_not_linked() -> None:
    [span] = await spans_of({**bearer(token()), "traceparent": "00-what-ever"})

    assert span.links == ()


async def test_traces_leave_through_the_proxy_that_configuration_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exporter would look into the environment itself, and find others' proxies there."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    authority = make_authority(tmp_path, "ours", "traces.example.com")
    async with HttpProxy({}, login="robot:s3cr3t").serving() as proxy:
        there = f"http://robot:s3cr3t@127.0.0.1:{proxy.port}"
        told = Telemetry.model_validate(
            {"otlp_endpoint": "https://traces.example.com", "trace_sample_ratio": 1},
            context=UsualProxy.of({"HTTPS_PROXY": there}),
        )
        app = web.Application()
        received: list[str] = []

        async def take(request: web.Request) -> web.Response:
            received.append(request.path)
            return web.Response()

        app.router.add_post("/{path:.*}", take)
        collector = TestServer(app, host="127.0.0.1", scheme="https")
        await collector.start_server(ssl=authority.server)
        async with collector:
            proxy.ports = {"traces.example.com": collector.port or 0}
            monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", str(authority.ca_file))
            traces = traces_to(told, service="tests")
            traces.note("GET /x", took_us=1)
            await asyncio.to_thread(traces.__exit__)

    assert received == ["/v1/traces"]
    assert proxy.tunnels == ["traces.example.com:443"]
