"""What operators see: `/status`, `/metrics`, and orders to a circuit breaker or a gate."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import orjson
from aiohttp import web

from pricing_proxy.listening.metrics_listener import metrics_response
from pricing_proxy.problem_details import Problem, ProblemError
from pricing_proxy.shared_state.maps import SharedStateError
from pricing_proxy.telemetry.metrics import Metrics
from pricing_proxy.web.handling import JSON_HEADERS, Asked
from pricing_proxy.web.problems import GATE_NOT_SHARED, UNKNOWN_BREAKER, UNKNOWN_GATE
from pricing_proxy.web.schemas import BreakerOrderBody, GateOrderBody
from pricing_proxy.web.status_page import status_page

P = TypeVar("P")

_log = logging.getLogger(__name__)


class OrderableBreaker(Protocol):
    """A circuit breaker that obeys operators."""

    def isolate(self) -> None:
        """Let nothing through until told otherwise."""
        ...

    def close(self) -> None:
        """Let everything through and count anew."""
        ...


class OpenableGate(Protocol):
    """A gate that obeys operators, in all processes."""

    async def open(self) -> None:
        """Open it; raises `SharedStateError` when other processes may not know."""
        ...


class StatusRoutes:
    """The handlers.

    Args:
        snapshot: Returns the state of the process.
        metrics: The process' instruments.
        breakers: Circuit breakers by name.
        gates: Gates by name.
    """

    def __init__(
        self,
        *,
        snapshot: Callable[[], Mapping[str, Any]],
        metrics: Metrics,
        breakers: Mapping[str, OrderableBreaker],
        gates: Mapping[str, OpenableGate],
    ) -> None:
        self._snapshot = snapshot
        self._metrics = metrics
        self._breakers = breakers
        self._gates = gates

    async def status(self, asked: Asked[None]) -> web.Response:
        """Answer with a page for browsers, JSON for everybody else."""
        snapshot = self._snapshot()
        if "text/html" in asked.request.headers.get("Accept", ""):
            return status_page(asked.request, snapshot)
        return web.Response(body=orjson.dumps(snapshot), headers=JSON_HEADERS)

    async def metrics(self, _: Asked[None]) -> web.Response:
        """Answer with all values in Prometheus' text format."""
        return metrics_response(self._metrics.text())

    async def order_breaker(self, asked: Asked[BreakerOrderBody]) -> web.Response:
        """Isolate or close a breaker; answers 200 with the state of the process."""
        breaker = _named(asked.request, self._breakers, UNKNOWN_BREAKER)
        if asked.body["order"] == "isolate":
            breaker.isolate()
        else:
            breaker.close()
        return web.Response(body=orjson.dumps(self._snapshot()), headers=JSON_HEADERS)

    async def order_gate(self, asked: Asked[GateOrderBody]) -> web.Response:
        """Open a gate here and in all other processes; answers 200 with the state of this one."""
        gate = _named(asked.request, self._gates, UNKNOWN_GATE)
        try:
            await gate.open()
        except SharedStateError:
            raise ProblemError(GATE_NOT_SHARED) from None
        _log.info("the key %s opened the gate %s", asked.by.name, asked.request.match_info["name"])
        return web.Response(body=orjson.dumps(self._snapshot()), headers=JSON_HEADERS)


def _named(request: web.Request, known: Mapping[str, P], unknown: Problem) -> P:
    """Return what the path names; raises a 404 that tells what there is."""
    part = known.get(request.match_info["name"])
    if part is None:
        raise ProblemError(unknown, f"{unknown.detail} Known are: {', '.join(sorted(known))}.")
    return part
