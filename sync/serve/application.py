"""Build the running sync out of its settings; the only module that connects the parts.

Everything is opened in one stack and closed in reverse order: first nothing new comes in,
then what is under way is finished, then the connections go.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from aiohttp import web

from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock
from pricing_proxy.configuration.reading import secret_text
from pricing_proxy.d365.fo.documents import DocumentCalls
from pricing_proxy.d365.way import SYNC, erp_way
from pricing_proxy.resilience.evidence import SlowRule
from pricing_proxy.resilience.gate import Gate
from pricing_proxy.resilience.operation import CallWatch
from pricing_proxy.shared_state.gate import SHOP, Gates
from pricing_proxy.shared_state.guard import REDIS_BREAKER, guarded, redis_guard
from pricing_proxy.shared_state.maps import SharedMaps
from pricing_proxy.shared_state.opening import redis_client
from pricing_proxy.shared_state.seen_events import SeenEvents
from pricing_proxy.telemetry.traces import traces_to
from sync.customers.publishing import publish_changed, publish_customers
from sync.engine.flow import Flow
from sync.engine.metrics import Counting, SyncMetrics
from sync.engine.queue import JobQueue, queue_application
from sync.engine.runner import Runner
from sync.engine.schedules import Schedule, Schedules
from sync.engine.sweep import Sweep
from sync.engine.workers import Workers
from sync.intake.hints import Hint, Hints
from sync.intake.routes import IntakeRoutes
from sync.magento.shop import Shop
from sync.magento.way import SYSTEM, shop_way
from sync.serve.assembly import Assembly, Flows, Sources
from sync.serve.companies import prefixes_of_market
from sync.serve.stores import Stores, stores
from sync.serve.timetable import Publishing, timetable
from sync.serve.watching import watching
from sync.settings import SyncSettings
from sync.store.all_links import AllLinks, KeptLinks

# A command fails within the section's own time-out; this bounds the largest, which carries all
# of a market's customers. Nobody waits with a page, so that one is not slow.
_REDIS_US = 2_000_000
_REDIS_BREAKER = replace(REDIS_BREAKER, slow=SlowRule(_REDIS_US, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Systems:
    """The ways to the other systems.

    Attributes:
        shop: The shop.
        erps: The document calls of every environment by its name.
        published: The maps that are shared with the price service.
        seen: Which events the shop told of.
        gates: What is closed while a system throttles.
    """

    shop: Shop
    erps: Mapping[str, DocumentCalls]
    published: SharedMaps
    seen: SeenEvents
    gates: Sequence[Gate]


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The running sync.

    Attributes:
        intake: Routes for the shop; None without a secret to check its hints by.
        stores: What is kept.
        workers: What is worked on.
        metrics: What is counted, for an operator's listener to show.
        gates: What throttling closes.
    """

    intake: web.Application | None
    stores: Stores
    workers: Workers
    metrics: SyncMetrics
    gates: Sequence[Gate]


@asynccontextmanager
async def systems(
    settings: SyncSettings, *, clock: Clock, watch: CallWatch | None = None
) -> AsyncIterator[Systems]:
    """Open the ways to the shop, the ERPs and Redis; `watch` is told of each call."""
    magento = settings.sync.magento
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(redis_client(settings.redis))
        guard = redis_guard(clock, timeout_us=_REDIS_US, settings=_REDIS_BREAKER)
        await stack.enter_async_context(guarded(redis, guard))
        shared = Gates(redis, clock)
        shop_gate, _ = await stack.enter_async_context(
            shared.gate(SHOP, system=SYSTEM, name="shop")
        )
        shop = await stack.enter_async_context(
            shop_way(
                magento.url,
                magento.credentials,
                clock=clock,
                signed_url=magento.signed_url,
                ca_file=magento.ca_file,
                connections=magento.connections,
                call_time=timedelta(seconds=magento.timeout_seconds),
                gate=shop_gate,
                watch=watch,
            )
        )
        erps, gates = {}, [shop_gate]
        for name, environment in settings.environments.items():
            way = await stack.enter_async_context(
                erp_way(name, environment, SYNC, gates=shared, clock=clock, watch=watch)
            )
            gates += way.gates
            erps[name] = DocumentCalls(
                way.transport,
                policy=way.policy,
                clock=clock,
                request_time=settings.sync.delivery.longest["fo"],
            )
        yield Systems(
            shop=shop,
            erps=erps,
            published=SharedMaps(redis, guard),
            seen=SeenEvents(redis, guard),
            gates=gates,
        )


def assembled(
    settings: SyncSettings, opened: Stores, ways: Systems, *, clock: Clock
) -> tuple[Flows, Sources]:
    """Return the flows and their sources."""
    assembly, kept = assembly_of(settings, ways, clock=clock), KeptLinks(opened.opened.database)
    flows = assembly.flows(kept=kept, published=ways.published, forms=opened.forms)
    sources = assembly.sources(
        events=opened.events, watermarks=opened.watermarks, kept=kept, forms=opened.forms
    )
    return flows, sources


def assembly_of(settings: SyncSettings, ways: Systems, *, clock: Clock) -> Assembly:
    """Return what puts flows together."""
    return Assembly(settings, shop=ways.shop, erps=ways.erps, clock=clock)


@asynccontextmanager
async def running(settings: SyncSettings, *, clock: Clock) -> AsyncIterator[Running]:
    """Run the flows; on exit, finish what is under way and close everything."""
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(stores(settings))
        # Before anything is written: other processes look for it under these.
        for code in settings.sync.markets:
            await opened.forms.note(code, prefixes_of_market(settings, code))
        metrics = SyncMetrics(clock)
        traces = stack.enter_context(traces_to(settings.telemetry, service="d365-sync"))
        ways = await stack.enter_async_context(
            systems(settings, clock=clock, watch=metrics.watch_calls(traces))
        )
        flows, sources = assembled(settings, opened, ways, clock=clock)
        plan = _plan(settings, opened, ways, sources)
        for gate in ways.gates:
            metrics.show_gate(gate.name, partial(_closed_seconds, gate))
        await stack.enter_async_context(Counting(opened.overview, metrics))
        workers = await _work(settings, opened, flows, stack, metrics=metrics, clock=clock)
        await stack.enter_async_context(Sweep(opened.opened.database, JobQueue()))
        watch = watching(settings.sync.alerts, opened, plan, clock=clock)
        await stack.enter_async_context(Schedules(opened.opened.database, (*plan, watch)))
        hints = await stack.enter_async_context(Hints(_LookUp(sources)))
        yield Running(
            intake=_intake(settings, ways.seen, hints, clock),
            stores=opened,
            workers=workers,
            metrics=metrics,
            gates=ways.gates,
        )


def _closed_seconds(gate: Gate) -> float:
    return gate.view().opens_in_us / MICROSECONDS_PER_SECOND


async def _work(
    settings: SyncSettings,
    opened: Stores,
    flows: Flows,
    stack: AsyncExitStack,
    *,
    metrics: SyncMetrics,
    clock: Clock,
) -> Workers:
    by_name: dict[str, Flow] = {
        flow.name: flow for flow in (flows.orders, flows.customers, flows.returns)
    }
    runner = Runner(
        database=opened.opened.database,
        events=opened.events,
        journal=opened.journal,
        flows=by_name,
        clock=clock,
        give_up_after=settings.sync.delivery.give_up_after,
        longest=settings.sync.delivery.longest,
        metrics=metrics,
    )
    app = queue_application(
        opened.opened.url, runner.carry, connections=settings.sync.postgres.connections
    )
    await stack.enter_async_context(app.open_async())
    lines = [
        (flow, code) for code, market in settings.sync.markets.items() for flow in market.flows
    ]
    workers = Workers(app, opened.control, lines=lines, concurrency=settings.sync.concurrency)
    return await stack.enter_async_context(workers)


def _plan(
    settings: SyncSettings, opened: Stores, ways: Systems, sources: Sources
) -> Sequence[Schedule]:
    known = AllLinks(opened.opened.database, settings.named_customers)
    published = ways.published
    markets = [*settings.sync.markets]
    publishing = Publishing(
        whole=lambda: publish_customers(known, published, markets=markets),
        changed=lambda: publish_changed(known, published, markets=markets),
    )
    return timetable(settings.sync, sources, journal=opened.journal, publishing=publishing)


class _LookUp:
    """Asks the source that a hint is for."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    async def __call__(self, hint: Hint) -> None:
        if hint.kind == "order":
            await self._sources.orders.hint(entity_id=hint.entity_id)
        elif hint.kind == "customer":
            await self._sources.customers.hint(customer_id=hint.entity_id)
        else:
            await self._sources.returns.poll()


def _intake(
    settings: SyncSettings, seen: SeenEvents, hints: Hints, clock: Clock
) -> web.Application | None:
    intake = settings.sync.intake
    secrets = [text for each in (intake.secret, intake.old_secret) if (text := secret_text(each))]
    if not secrets:
        return None
    routes = IntakeRoutes(secrets=secrets, seen=seen, hints=hints, utc=clock.utc)
    return routes.application()
