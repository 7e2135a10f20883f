"""What the programs tell about themselves: one section for both.

Where they must differ, the environment of one process says so:
`PRICING_PROXY_TELEMETRY__LOG_LEVEL=debug`.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pricing_proxy.configuration.addresses import ServerUrl
from pricing_proxy.configuration.environments import MODEL
from pricing_proxy.configuration.proxies import Outgoing, Proxy


class Telemetry(Outgoing):
    """What is told about the program.

    Attributes:
        log_format: "text" for people, "json" for collectors.
        log_level: The least severe level that is written.
        otlp_endpoint: Base address of an OTLP/HTTP collector; traces are off without one. It is
            called through the proxy of `HTTPS_PROXY`, unless `NO_PROXY` names it.
        trace_sample_ratio: Share of requests that are traced.
    """

    model_config = MODEL

    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    otlp_endpoint: ServerUrl | None = None
    trace_sample_ratio: Annotated[float, Field(ge=0, le=1)] = 0.01

    @model_validator(mode="after")
    def _knows_the_way(self) -> Self:
        self.collector_proxy()
        return self

    def collector_proxy(self) -> Proxy | None:
        """Return the proxy on the way to the collector; None for the straight way."""
        return None if self.otlp_endpoint is None else self._usual.way_to(self.otlp_endpoint)
