"""Traces over OTLP when an endpoint is configured; otherwise a span costs one comparison.

Spans are named by route templates and operations; they carry no query, body or customer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator


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
        if exporter is not None:
            self._provider = TracerProvider(
                resource=Resource.create({"service.name": service}),
                sampler=ParentBased(TraceIdRatioBased(sample_ratio)),
            )
            self._provider.add_span_processor(BatchSpanProcessor(exporter))
            self._tracer = self._provider.get_tracer("pricing_proxy")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._provider is not None:
            self._provider.shutdown()

    @property
    def is_on(self) -> bool:
        """Whether spans are recorded at all."""
        return self._tracer is not None

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


def _context(traceparent: str) -> Context:
    return TraceContextTextMapPropagator().extract({"traceparent": traceparent}, Context())


def _links(traceparent: str) -> list[trace.Link]:
    """Return the link, or none for a text that is no `traceparent`."""
    named = trace.get_current_span(_context(traceparent)).get_span_context()
    return [trace.Link(named)] if named.is_valid else []


def traces_to(endpoint: str | None, *, service: str, sample_ratio: float) -> Traces:
    """Return traces that go to an OTLP/HTTP collector, or nowhere.

    Args:
        endpoint: Base address, such as http://collector:4318; None switches tracing off.
        service: Name of the program in traces.
        sample_ratio: Share of requests that are traced.
    """
    exporter = None if endpoint is None else OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")
    return Traces(service=service, exporter=exporter, sample_ratio=sample_ratio)
