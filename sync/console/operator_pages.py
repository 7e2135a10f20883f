"""The operator listener: the state on one page, metrics, and a sign of life.

    GET /              flows, what waits for a person with field and advice, open alerts
    GET /pages.css     its style
    GET /metrics       Prometheus' text format
    GET /health/live   200 as long as the event loop turns

It only shows; whoever wants to change something uses the commands. It listens on this
machine alone, so it asks for no login.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from pricing_proxy.clock import Clock
from pricing_proxy.listening.host_names import refusing_other_names
from pricing_proxy.listening.metrics_listener import metrics_response
from pricing_proxy.pages.drawing import page, set_up, style_sheet
from pricing_proxy.resilience.gate import Gate
from pricing_proxy.shared_state.redis_watch import RedisWatch
from pricing_proxy.supervision import Supervision
from sync.console.gates import options_of
from sync.console.run_tables import pace_text, progress, rotation_text
from sync.console.run_view import line_of
from sync.engine.metrics import SyncMetrics
from sync.serve.mirror_state import MirrorState
from sync.serve.stores import Stores
from sync.store.flow_control import is_paused
from sync.store.overview import FlowState
from sync.store.states import STUCK, EventState

_MOST_HELD = 100
_NO_STORE = {"Cache-Control": "no-store"}


class OperatorPages:
    """The handlers.

    Args:
        stores: What is shown.
        metrics: What is counted.
        mirrors: Reads how they stand at an instant; None where none is on.
        clock: Time.
        gates: What throttling closes, as this process knows it.
        redis: Whether Redis keeps what is written.
        supervision: How this process' background work fares.
    """

    def __init__(
        self,
        stores: Stores,
        metrics: SyncMetrics,
        *,
        mirrors: Callable[[datetime], Awaitable[MirrorState | None]],
        clock: Clock,
        gates: Sequence[Gate],
        redis: RedisWatch,
        supervision: Supervision,
    ) -> None:
        self._stores = stores
        self._metrics = metrics
        self._read_mirrors = mirrors
        self._clock = clock
        self._gates = gates
        self._redis = redis
        self._supervision = supervision

    def application(self, *, host_names: Sequence[str] = ()) -> web.Application:
        """Return the listener's application.

        Args:
            host_names: Names that browsers may call it by, beside `localhost`.
        """
        app = web.Application(middlewares=[refusing_other_names(host_names)])
        set_up(app, "sync.console")
        app.router.add_get("/", self.state)
        app.router.add_get("/pages.css", self.style)
        app.router.add_get("/metrics", self.metrics)
        app.router.add_get("/health/live", self.live)
        return app

    async def state(self, request: web.Request) -> web.Response:
        """Answer the page; 503 while the database does not answer."""
        try:
            pauses = await self._stores.control.pauses()
            context = {
                "now": f"{self._clock.utc():%Y-%m-%d %H:%M:%S} UTC",
                "states": [state.value for state in EventState],
                "stuck": [state.value for state in STUCK],
                "flows": await self._stores.overview.flows(),
                "held": await self._stores.overview.stuck(most=_MOST_HELD),
                "held_count": await self._stores.overview.count_stuck(),
                "odd_rows": await self._stores.odd_rows.waiting(),
                "watched": await self._stores.watched.states(),
                "unsettled": await self._stores.unsettled.read(),
                "alerts": await self._stores.alerts.open_alerts(),
                "mirrors": await self._mirrors(),
                "gates": [view for gate in self._gates if (view := gate.view()).is_closed],
                "options_of": options_of,
                "troubles": self._redis.troubles,
                "refused": self._metrics.refused.view(),
                "failing": [view for view in self._supervision.view() if view.is_failing],
            }
        except (SQLAlchemyError, OSError) as error:
            text = f"PostgreSQL does not answer ({type(error).__name__}); try again.\n"
            return web.Response(status=503, text=text, headers={**_NO_STORE, "Retry-After": "5"})

        def paused(flow: FlowState) -> bool:
            return is_paused(pauses, flow.flow, flow.market)

        return page(request, "state.html", {**context, "is_paused": paused})

    async def _mirrors(self) -> Mapping[str, object] | None:
        now = self._clock.utc()
        state = await self._read_mirrors(now)
        if state is None:
            return None
        lines = [line_of(run, state.rows.get(run.id), now=now) for run in state.runs]
        shown = [(line, progress(line) or line.run.text) for line in lines]
        return {
            "lines": shown,
            "pace": pace_text(state.pace),
            "wanted": state.wanted,
            "rotations": [rotation_text(each, now=now) for each in state.rotations],
        }

    async def style(self, _: web.Request) -> web.Response:
        """Answer the page's style."""
        return web.Response(body=style_sheet(), content_type="text/css", charset="utf-8")

    async def metrics(self, _: web.Request) -> web.Response:
        """Answer what is counted."""
        return metrics_response(self._metrics.text())

    async def live(self, _: web.Request) -> web.Response:
        """Answer 200 as long as the event loop turns."""
        return web.json_response({"status": "live"}, headers=_NO_STORE)
