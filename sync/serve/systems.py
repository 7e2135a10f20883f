"""Open the ways to the other systems: the shop, the ERPs, and the Redis that prices share."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from redis.asyncio import Redis

from pricing_proxy.clock import Clock
from pricing_proxy.d365.fo.documents import DocumentCalls
from pricing_proxy.d365.fo.mirror_reads import SetReads
from pricing_proxy.d365.way import SYNC, ErpWay, erp_way
from pricing_proxy.http_exchange import http_session
from pricing_proxy.resilience.evidence import SlowRule
from pricing_proxy.resilience.gate import Gate
from pricing_proxy.resilience.guard import BreakerGuard
from pricing_proxy.resilience.operation import CallWatch
from pricing_proxy.shared_state.gate import Gates, shop_gate
from pricing_proxy.shared_state.guard import REDIS_BREAKER, guarded, redis_guard
from pricing_proxy.shared_state.maps import SharedMaps
from pricing_proxy.shared_state.opening import redis_client
from pricing_proxy.shared_state.provenance import provenances
from pricing_proxy.shared_state.redis_watch import SYNC_KEYS, RedisWatch
from pricing_proxy.shared_state.seen_events import SeenEvents
from pricing_proxy.supervision import Supervision
from pricing_proxy.telemetry.certificate_metrics import CertificateEnd
from sync.magento.shop import Shop
from sync.magento.storefront import StorefrontPage
from sync.magento.way import SYSTEM, shop_way
from sync.price_service.list_prices import ListPriceService, price_service
from sync.settings import SyncSettings

# The largest command brings all of a market's customers, and nobody waits with a page: it may
# take so much longer than the section says, and is not slow.
_REDIS_US = 2_000_000
_REDIS_BREAKER = replace(REDIS_BREAKER, slow=SlowRule(_REDIS_US, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Systems:
    """The ways to the other systems.

    Attributes:
        shop: The shop.
        erps: The document calls of every environment by its name.
        reads: Its sets for mirrors, likewise.
        published: The maps that are shared with the price service.
        seen: Which events the shop told of.
        gates: What is closed while a system throttles.
        certificates: Until when those of our apps are good, by environment.
        redis: Whether Redis keeps what is written.
        storefront: The page by which the shop's speed is judged; None where none is.
        price_service: What customers are told; None where its address is not given.
    """

    shop: Shop
    erps: Mapping[str, DocumentCalls]
    reads: Mapping[str, SetReads]
    published: SharedMaps
    seen: SeenEvents
    gates: Sequence[Gate]
    certificates: Mapping[str, CertificateEnd]
    redis: RedisWatch
    storefront: StorefrontPage | None
    price_service: ListPriceService | None


@asynccontextmanager
async def systems(
    settings: SyncSettings,
    *,
    clock: Clock,
    watch: CallWatch | None = None,
    supervision: Supervision | None = None,
) -> AsyncIterator[Systems]:
    """Open the ways to the shop, the ERPs and Redis; `watch` is told of each call."""
    async with AsyncExitStack() as stack:
        magento = settings.sync.magento
        redis, guard, watched = await stack.enter_async_context(
            _redis(settings, clock, supervision)
        )
        shared = Gates(redis, clock, supervision)
        before_shop, _ = await stack.enter_async_context(
            shared.gate(shop_gate(magento.url), system=SYSTEM, name="shop")
        )
        shop = await stack.enter_async_context(
            shop_way(magento, clock=clock, gate=before_shop, watch=watch)
        )
        ways = {
            name: await stack.enter_async_context(
                erp_way(name, environment, SYNC, gates=shared, watch=watch)
            )
            for name, environment in settings.environments.items()
        }
        yield Systems(
            shop=shop,
            erps={name: _documents(settings, way, clock) for name, way in ways.items()},
            reads={name: _set_reads(way, clock) for name, way in ways.items()},
            published=SharedMaps(redis, read_from(settings), guard, shop=magento.url),
            seen=SeenEvents(magento.url, redis, guard),
            gates=[before_shop, *(gate for way in ways.values() for gate in way.gates)],
            certificates={name: way.certificate_ends_at for name, way in ways.items()},
            redis=watched,
            storefront=await stack.enter_async_context(_storefront(settings, clock)),
            price_service=await stack.enter_async_context(_prices(settings, clock)),
        )


@asynccontextmanager
async def _storefront(settings: SyncSettings, clock: Clock) -> AsyncIterator[StorefrontPage | None]:
    """Open the way that those who buy take, over a connection of its own."""
    magento, path = settings.sync.magento, settings.sync.mirror.probe_path
    if not path:
        yield None
        return
    way = magento.way_out()
    async with http_session(magento.ca_file, proxy=way, connections=1) as session:
        yield StorefrontPage(session, base_url=magento.url, path=path, clock=clock)


@asynccontextmanager
async def _prices(settings: SyncSettings, clock: Clock) -> AsyncIterator[ListPriceService | None]:
    """Open the way to the price service, where its address is given."""
    if settings.sync.price_service is None:
        yield None
        return
    async with price_service(settings.sync.price_service, clock=clock) as service:
        yield service


def _set_reads(way: ErpWay, clock: Clock) -> SetReads:
    return SetReads(way.transport, policy=way.policy, clock=clock)


def _documents(settings: SyncSettings, way: ErpWay, clock: Clock) -> DocumentCalls:
    return DocumentCalls(
        way.transport,
        policy=way.policy,
        clock=clock,
        request_time=settings.sync.delivery.longest["fo"],
    )


def read_from(settings: SyncSettings) -> Mapping[str, str]:
    """Return what each market's data are read from."""
    return provenances(settings.environments, settings.markets)


@asynccontextmanager
async def _redis(
    settings: SyncSettings, clock: Clock, supervision: Supervision | None
) -> AsyncIterator[tuple[Redis, BreakerGuard, RedisWatch]]:
    """Open Redis, its breaker, and what asks whether it keeps what is written."""
    patient = settings.redis.patient(_REDIS_US // 1000)
    guard = redis_guard(clock, timeout_us=_REDIS_US, settings=_REDIS_BREAKER)
    async with (
        redis_client(patient) as redis,
        guarded(redis, guard, supervision),
        RedisWatch(redis, SYNC_KEYS).watched(supervision, "watch over Redis") as watched,
    ):
        yield redis, guard, watched
