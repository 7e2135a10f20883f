"""What the programs tell about themselves: one section for both.

Where they must differ, the environment of one process says so:
`PRICING_PROXY_TELEMETRY__LOG_LEVEL=debug`.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from pricing_proxy.configuration.addresses import ServerUrl
from pricing_proxy.configuration.environments import MODEL


class Telemetry(BaseModel):
    """What is told about the program.

    Attributes:
        log_format: "text" for people, "json" for collectors.
        log_level: The least severe level that is written.
        otlp_endpoint: Base address of an OTLP/HTTP collector; traces are off without one.
        trace_sample_ratio: Share of requests that are traced.
    """

    model_config = MODEL

    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    otlp_endpoint: ServerUrl | None = None
    trace_sample_ratio: Annotated[float, Field(ge=0, le=1)] = 0.01
