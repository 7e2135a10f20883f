"""Make of the settings, and of what is open, what every flow is built out of."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pricing_proxy.clock import Clock
from sync.engine.odd_rows import OddRowBook
from sync.engine.pace import Pace
from sync.engine.polling import Polling
from sync.given import ConfiguredMarket, Given
from sync.magento.shop import Shop
from sync.mirror.governor import SLOTS, Governor
from sync.mirroring import Mirroring
from sync.orders.rules import OrderRules
from sync.orders.starts import Starts
from sync.serve.stores import Stores
from sync.serve.systems import Systems
from sync.settings import SyncSettings
from sync.store.all_links import AllLinks, KeptLinks
from sync.store.claims import Claims
from sync.store.document_events import DocumentEvents
from sync.store.order_writes import OrderWrites
from sync.store.shop_lines import ShopLines
from sync.store.sku_locks import SkuLocks


def given_of(settings: SyncSettings, opened: Stores, ways: Systems, *, clock: Clock) -> Given:
    """Return what flows are built out of."""
    polling, database = settings.sync.polling, opened.opened.database
    return Given(
        markets=configured_markets(settings),
        shop=ways.shop,
        erps=ways.erps,
        reads=ways.reads,
        links=KeptLinks(database),
        accounts=AllLinks(database, settings.named_customers),
        forms=opened.forms,
        lines=ShopLines(database),
        locks=SkuLocks(database, most=max(1, settings.sync.postgres.connections // 2)),
        watched=opened.watched,
        traces=OrderWrites(database),
        document_events=DocumentEvents(database),
        expects=starts_of(settings, ways.shop).is_after,
        prices=ways.published,
        price_service=ways.price_service,
        polling=Polling(
            events=opened.events,
            watermarks=opened.watermarks,
            odd_rows=OddRowBook(opened.odd_rows, clock),
            overlap=timedelta(seconds=polling.overlap_seconds),
            clock=clock,
            pace=Pace(
                opened.watermarks,
                clock=clock,
                usual=timedelta(seconds=polling.every_seconds),
                is_hinted=settings.sync.intake.secret is not None,
            ),
        ),
        sweep_every=timedelta(seconds=polling.sweep_seconds),
        mirroring=mirroring_of(settings, opened, clock=clock),
    )


def mirroring_of(settings: SyncSettings, opened: Stores, *, clock: Clock) -> Mirroring:
    """Return what mirrors share."""
    section = settings.sync.mirror
    return Mirroring(
        section=section,
        plans=opened.mirrors,
        events=opened.events,
        interventions=opened.interventions,
        governor=Governor(
            opened.paces,
            Claims(opened.opened.database, SLOTS),
            shop=settings.sync.magento.url,
            ceiling=section.batches,
            clock=clock,
        ),
        notices=opened.notices,
        clock=clock,
    )


def starts_of(settings: SyncSettings, shop: Shop) -> Starts:
    """Return what says which orders of a shop are history."""
    markets = settings.sync.markets
    return Starts(
        shop.orders,
        rules={code: own.rules(OrderRules) for code, own in markets.items()},
        stores={code: own.store_ids for code, own in markets.items()},
    )


def configured_markets(settings: SyncSettings) -> dict[str, ConfiguredMarket]:
    """Return the markets that have flows, by code."""
    return {code: _configured(settings, code) for code in settings.sync.markets}


def _configured(settings: SyncSettings, code: str) -> ConfiguredMarket:
    markets, own = settings.sync.markets, settings.sync.markets[code]
    rules = own.rules(OrderRules)
    of_company = [each for each in markets if _company(settings, each) == _company(settings, code)]
    return ConfiguredMarket(
        code=code,
        section=settings.markets[code],
        own=own,
        of_company=of_company,
        prefixes={
            store: markets[each].rules(OrderRules).prefix_of(store)
            for each in of_company
            for store in markets[each].store_ids
        },
        reference_field=rules.reference_field,
        header_fields=[each.field for each in rules.carried],
        countries=rules.countries,
        splitting=rules.splitting,
        begins_at=rules.start_at if isinstance(rules.start_at, datetime) else None,
        time_zone=ZoneInfo(settings.environments[settings.markets[code].environment].time_zone),
    )


def _company(settings: SyncSettings, code: str) -> tuple[str, str]:
    section = settings.markets[code]
    return section.environment, section.legal_entity.casefold()
