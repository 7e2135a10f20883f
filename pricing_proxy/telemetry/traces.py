"""Traces over OTLP when an endpoint is configured; otherwise a span costs one comparison.

Spans are named by route templates and operations; they carry no query, body or customer.
"""

import random
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import Token
from typing import Self

import requests
from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from pricing_proxy.configuration.proxies import Proxy
from pricing_proxy.configuration.telemetry import Telemetry

# A parent that was not sampled, so its children are not either; it is never sent anywhere.
_NOT_SAMPLED = trace.set_span_in_context(
    trace.NonRecordingSpan(trace.SpanContext(trace_id=1, span_id=1, is_remote=False)), Context()
)


class Traces:
    """Starts spans; a context manager that flushes them at the end.

    Args:
        service: Name of the program in traces.
        exporter: Where spans go; None switches tracing off.
        sample_ratio: Share of requests that are traced.
    """

    def __init__(self, *, service: str, exporter: SpanExporter | None, sample_ratio: float) -> None:
        self._provider: TracerProvider | None = None
        self._tracer: trace.Tracer | None = None
        self._drawn_tracer: trace.Tracer | None = None
        self._sample_ratio = sample_ratio
        if exporter is not None:
            resource = Resource.create({"service.name": service})
            processor = BatchSpanProcessor(exporter)
            self._provider = TracerProvider(
                resource=resource, sampler=ParentBased(TraceIdRatioBased(sample_ratio))
            )
            # For requests that were already drawn; it shares, and does not end, the processor.
            drawn = TracerProvider(resource=resource, sampler=ALWAYS_ON, shutdown_on_exit=False)
            for provider in (self._provider, drawn):
                provider.add_span_processor(processor)
            self._tracer = self._provider.get_tracer("pricing_proxy")
            self._drawn_tracer = drawn.get_tracer("pricing_proxy")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._provider is not None:
            self._provider.shutdown()

    @property
    def is_on(self) -> bool:
        """Whether spans are recorded at all."""
        return self._tracer is not None

    def draws(self) -> bool:
        """Return whether a request that nobody traces yet is one of those to be traced.

        Drawn before a span is begun: one that is begun and then not sampled costs as much as
        the prices of a page.
        """
        return self._sample_ratio >= 1 or random.random() < self._sample_ratio  # noqa: S311 -- a sample

    def note(self, name: str, *, took_us: int) -> None:
        """Record a request that is just over, if it is drawn, as a trace of one span."""
        if self._drawn_tracer is None or not self.draws():
            return
        ended_ns = time.time_ns()
        span = self._drawn_tracer.start_span(
            name, context=Context(), start_time=ended_ns - took_us * 1000
        )
        span.end(ended_ns)

    def drawn_span(self, name: str) -> AbstractContextManager[object]:
        """Record the block as the first span of a trace, for a request that was drawn."""
        if self._drawn_tracer is None:
            return nullcontext()
        return self._drawn_tracer.start_as_current_span(name)

    @contextmanager
    def span(
        self, name: str, *, parent: str | None = None, link: str | None = None
    ) -> Iterator[None]:
        """Record the block as a span.

        Args:
            name: A route template or an operation.
            parent: A caller's `traceparent`, whose trace the span goes on with.
            link: A `traceparent` that the span only points at; without a parent named, the
                span begins a trace, or goes on with the one around it.
        """
        if self._tracer is None:
            yield
            return
        links = [] if link is None else _links(link)
        context = None if parent is None else _context(parent)
        with self._tracer.start_as_current_span(name, context=context, links=links):
            yield


def leave_out() -> Token[Context]:
    """Begin a stretch that is not traced, nor what happens within; `rejoin` ends it."""
    return attach(_NOT_SAMPLED)


def rejoin(token: Token[Context]) -> None:
    """End what `leave_out` began."""
    detach(token)


def _context(traceparent: str) -> Context:
    return TraceContextTextMapPropagator().extract({"traceparent": traceparent}, Context())


def _links(traceparent: str) -> list[trace.Link]:
    """Return the link, or none for a text that is no `traceparent`."""
    named = trace.get_current_span(_context(traceparent)).get_span_context()
    return [trace.Link(named)] if named.is_valid else []


def traces_to(told: Telemetry, *, service: str) -> Traces:
    """Return traces of a program that go where the configuration says, or nowhere.

    Args:
        told: The section of the configuration.
        service: Name of the program in traces.
    """
    exporter = None
    if told.otlp_endpoint is not None:
        exporter = OTLPSpanExporter(
            endpoint=f"{told.otlp_endpoint}/v1/traces", session=_session(told.collector_proxy())
        )
    return Traces(service=service, exporter=exporter, sample_ratio=told.trace_sample_ratio)


def _session(proxy: Proxy | None) -> requests.Session:
    session = requests.Session()
    # The exporter's own would take proxies, certificates and passwords from the environment.
    session.trust_env = False
    if proxy is not None:
        session.proxies = {"https": proxy.secret_url}
    return session
