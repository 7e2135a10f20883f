"""What the document says of operating the service: its state, and orders to its guards."""

from typing import Any

from pricing_proxy.web import openapi_examples as examples
from pricing_proxy.web import openapi_parts as parts
from pricing_proxy.web import problems
from pricing_proxy.web.access import AccessScope


def get_status() -> dict[str, Any]:
    """Return `GET /status`."""
    state = parts.answer("StatusAnswer", "A page for browsers, JSON for everybody else.")
    state["content"]["text/html"] = parts.TEXT
    return parts.operation(
        "getStatus",
        "See the state of the process",
        scope=AccessScope.OPERATE,
        is_open_on_loopback=True,
        answers={"200": state},
    )


def get_metrics() -> dict[str, Any]:
    """Return `GET /metrics`."""
    return parts.operation(
        "getMetrics",
        "Read all values in Prometheus' text format",
        scope=AccessScope.OPERATE,
        is_open_on_loopback=True,
        answers={"200": parts.text_answer("text/plain", "The values.")},
    )


def post_breaker_order() -> dict[str, Any]:
    """Return `POST /v1/breakers/{name}`."""
    return parts.operation(
        "postBreakerOrder",
        "Isolate or close a circuit breaker",
        description="`isolate` lets nothing through until told otherwise; `close` lets "
        "everything through and counts anew.",
        parameters=[parts.in_path("name", "As `/status` shows it.", "sandbox:price_read")],
        body=parts.body("BreakerOrderBody", examples.BREAKER_BODIES),
        scope=AccessScope.OPERATE,
        answers={"200": parts.answer("StatusAnswer", "The state of the process afterwards.")},
        mistakes=(*problems.BODY, problems.UNKNOWN_BREAKER),
    )


def post_gate_order() -> dict[str, Any]:
    """Return `POST /v1/gates/{name}`."""
    return parts.operation(
        "postGateOrder",
        "Open a gate that throttling has closed",
        description="In all replicas, through Redis; calls come back on a ramp. A gate that is "
        "open stays so.",
        parameters=[parts.in_path("name", "As `/status` shows it.", "sandbox:pricing:tokens")],
        body=parts.body("GateOrderBody", examples.GATE_BODIES),
        scope=AccessScope.OPERATE,
        answers={"200": parts.answer("StatusAnswer", "The state of the process afterwards.")},
        mistakes=(*problems.BODY, problems.UNKNOWN_GATE, problems.GATE_NOT_SHARED),
    )


def post_clearing() -> dict[str, Any]:
    """Return `POST /v1/kept-out/clear`."""
    return parts.operation(
        "postClearing",
        "Ask the ERP again for what it refused",
        description="In the process that is asked; what is kept out stands in `/status`.",
        body=parts.body("ClearingBody", examples.CLEARING_BODIES),
        scope=AccessScope.OPERATE,
        answers={"200": parts.answer("ClearingAnswer", "Cleared.", examples.CLEARING_ANSWERS)},
        mistakes=(*problems.BODY, problems.UNKNOWN_MARKET),
    )
