"""Build the running sync out of its settings: which parts are opened, in which order.

Everything is opened in one stack and closed in reverse order: first nothing new comes in,
then what is under way is finished, then the connections go.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from pricing_proxy.background import Background
from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock
from pricing_proxy.resilience.gate import Gate
from pricing_proxy.shared_state.redis_watch import RedisWatch
from pricing_proxy.supervision import Supervision
from pricing_proxy.telemetry.traces import Traces, traces_to
from sync.description import Built
from sync.engine.database_health import DatabaseHealth
from sync.engine.metrics import Counting, SyncMetrics
from sync.engine.outages import Outages
from sync.engine.queue import JobQueue, queue_application
from sync.engine.runner import Runner
from sync.engine.schedules import FailingSchedules, Schedule, Schedules
from sync.engine.sweep import Sweep
from sync.engine.workers import Workers
from sync.flows import FLOWS
from sync.given import Given
from sync.reconciling import reconciling_of
from sync.serve.building import configured_markets, given_of
from sync.serve.hearing import hearing
from sync.serve.mirror_counting import MirrorCounting
from sync.serve.mirror_state import MirrorState, of_mirrors, read_mirrors
from sync.serve.stores import Stores, stores
from sync.serve.systems import Systems, systems
from sync.serve.timetable import timetable
from sync.serve.watching import DatabaseWatch, watching
from sync.settings import SyncSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The running sync.

    Attributes:
        intake: Routes for shop and ERP; None without a secret to know either by.
        stores: What is kept.
        workers: What is worked on.
        metrics: What is counted, for an operator's listener to show.
        gates: What throttling closes.
        redis: Whether Redis keeps what is written.
        supervision: How background work fares.
    """

    intake: web.Application | None
    stores: Stores
    workers: Workers
    metrics: SyncMetrics
    gates: Sequence[Gate]
    redis: RedisWatch
    supervision: Supervision


@dataclass(frozen=True, slots=True)
class _Watching:
    """Who is told of what goes on."""

    metrics: SyncMetrics
    traces: Traces
    supervision: Supervision
    health: DatabaseHealth


@asynccontextmanager
async def running(settings: SyncSettings, *, clock: Clock) -> AsyncIterator[Running]:
    """Run the flows; on exit, finish what is under way and close everything."""
    async with AsyncExitStack() as stack:
        metrics = SyncMetrics(clock)
        supervision = metrics.watch_background()
        traces = stack.enter_context(traces_to(settings.telemetry, service="d365-sync"))
        opened = await stack.enter_async_context(stores(settings, supervision))
        # Before anything is written: other processes look for it under these.
        for code, market in configured_markets(settings).items():
            await opened.forms.note(code, market.own_prefixes)
        calls = metrics.watch_calls(traces)
        ways = await stack.enter_async_context(
            systems(settings, clock=clock, watch=calls, supervision=supervision)
        )
        given = given_of(settings, opened, ways, clock=clock)
        metrics.watch_certificates(ways.certificates)
        flows = {flow.name: flow.build(given) for flow in FLOWS}
        plan = _plan(settings, opened, ways, flows, given)
        for gate in ways.gates:
            metrics.show_gate(gate.name, partial(_closed_seconds, gate))
        told = _Watching(metrics, traces, supervision, DatabaseHealth(clock.monotonic_us))
        workers = await _work(settings, opened, flows, stack, told=told, clock=clock)
        heard = hearing(settings, flows, given, ways.seen, metrics)
        background = _background(settings, opened, plan, told=told, clock=clock)
        for name, work in {**background, **heard.lines}.items():
            await stack.enter_async_context(work.watched(supervision, name))
        yield Running(
            intake=heard.intake,
            stores=opened,
            workers=workers,
            metrics=metrics,
            gates=ways.gates,
            redis=ways.redis,
            supervision=supervision,
        )


def _plan(
    settings: SyncSettings, opened: Stores, ways: Systems, flows: Mapping[str, Built], given: Given
) -> Sequence[Schedule]:
    """Return what is done by the clock."""
    return timetable(
        settings.sync,
        flows,
        journal=opened.journal,
        mirroring=given.mirroring,
        storefront=ways.storefront,
        reconciled=[each for flow in FLOWS for each in flow.reconciles(given)],
        reconciling=reconciling_of(given, opened.reconciliations),
    )


def _background(
    settings: SyncSettings,
    opened: Stores,
    plan: Sequence[Schedule],
    *,
    told: _Watching,
    clock: Clock,
) -> Mapping[str, Background]:
    """Return what goes on beside the workers, by its name for operators."""
    database, failing, alerts = opened.opened.database, FailingSchedules(), settings.sync.alerts

    async def mirrors() -> MirrorState | None:
        return await read_mirrors(opened, settings.sync, clock.utc())

    wrong = partial(of_mirrors, opened, settings.sync, clock=clock)
    every = (*plan, watching(alerts, opened, plan, failing, clock=clock, of_mirrors=wrong))
    return {
        "counting of events": Counting(
            opened.overview, opened.odd_rows, opened.alerts, told.metrics
        ),
        "counting of mirrors": MirrorCounting(told.metrics.registry, mirrors),
        "sweep": Sweep(database, JobQueue(), health=told.health),
        "schedules": Schedules(database, every, failing=failing, health=told.health),
        "watch over the database": DatabaseWatch(alerts, told.health, clock=clock),
    }


def _closed_seconds(gate: Gate) -> float:
    return gate.view().opens_in_us / MICROSECONDS_PER_SECOND


async def _work(
    settings: SyncSettings,
    opened: Stores,
    flows: Mapping[str, Built],
    stack: AsyncExitStack,
    *,
    told: _Watching,
    clock: Clock,
) -> Workers:
    outages, database = Outages(clock.monotonic_us), opened.opened
    runner = Runner(
        database=database.database,
        events=opened.events,
        journal=opened.journal,
        flows={name: built.flow for name, built in flows.items()},
        clock=clock,
        give_up_after=settings.sync.delivery.give_up_after,
        longest=settings.sync.delivery.longest,
        outages=outages,
        health=told.health,
        metrics=told.metrics,
        span=told.traces.span,
    )
    most = settings.sync.postgres.connections
    app = queue_application(
        database.url, runner.carry, connections=most, outages=outages, health=told.health
    )
    await stack.enter_async_context(app.open_async())
    workers = Workers(
        app,
        opened.control,
        lines=_lines(settings),
        concurrency=settings.sync.concurrency,
        health=told.health,
    )
    return await stack.enter_async_context(workers.watched(told.supervision, "workers"))


def _lines(settings: SyncSettings) -> list[tuple[str, str]]:
    """Return every flow with every market it runs for."""
    return [(flow, code) for code, market in settings.sync.markets.items() for flow in market.flows]
