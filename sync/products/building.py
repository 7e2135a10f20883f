"""The products flow: what it is to all others, and how it is built."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial

from sync.description import Built, Description
from sync.engine.schedules import Schedule
from sync.erp_events import ErpEvent
from sync.given import ConfiguredMarket, Given
from sync.magento import resources
from sync.mirror.ports import Mirror, Policy
from sync.mirror_flows import mirror_flow
from sync.products.changed_items import ChangedItems
from sync.products.check import shop_rows
from sync.products.contracts import contracts
from sync.products.dangers import dangers, mirror_limits
from sync.products.late_bulks import LateBulks
from sync.products.linking import Linking
from sync.products.making import Making
from sync.products.mapping import BLOCKED, DISABLED, PRICE, STATUS, VERSION
from sync.products.market import ProductMarket
from sync.products.options import OptionBook
from sync.products.patches import ALONE_FOR, ProductPatches
from sync.products.pricing import Pricing
from sync.products.rule_mistakes import masters_of, mistakes
from sync.products.rules import FLOW, ProductRules
from sync.products.service_prices import ServicePrices
from sync.products.shop_reading import ShopReading
from sync.products.source import ProductReader
from sync.products.writer import ProductWriter
from sync.reconciliation.healing import Reconciled
from sync.reconciliation.mirror_comparison import MirrorComparison, OtherCopy
from sync.store.mirror_notices import MirrorNotice
from sync.store.mirror_records import Risk, Values

_LOOK_EVERY, _NIGHTLY = timedelta(minutes=1), timedelta(days=1)
# Prices are compared night by night, so many of them drawn anew each time.
_SAMPLE = 2000
_LATE = "the shop's queue has written it late"
_CHANGED = "changed in the ERP"
_UNLINKED = "its variants are not all linked"
_QUEUE = (
    "The shop's queue is not worked off: products are written one by one. See whether its "
    "consumers run (bin/magento queue:consumers:list, cron)"
)


def build(given: Given) -> Built:
    """Return the flow with its schedules."""
    built = mirror_flow(given, FLOW, product_mirrors(given))
    looks = [_late_bulks(given, market) for market in given.having(FLOW)]
    schedules = [*built.schedules, *looks, *_changes(given)]
    return replace(built, schedules=schedules, erp_hint=partial(hear, given))


async def hear(given: Given, event: ErpEvent) -> None:
    """Have an item read soon that the ERP told of."""
    for market in event.markets:
        member = given.markets[market].own.rules(ProductRules).events.get(event.name, "")
        if item := event.members.get(member):
            await _want(given, market, [item], reason=event.name)


def product_mirrors(given: Given) -> list[Mirror]:
    """Return the mirrors of the markets that have products on."""
    markets = product_markets(given.having(FLOW))
    return [_mirror(given, given.markets[code], market) for code, market in markets.items()]


def reconciled(given: Given) -> list[Reconciled]:
    """Return what compares the products of each market that has them on, and their prices."""
    return [
        its
        for mirror in product_mirrors(given)
        for its in (
            _reconciled(given, mirror, "products", without={PRICE}),
            _reconciled(
                given,
                mirror,
                "prices",
                only={PRICE},
                sample=_SAMPLE,
                copy=_service_prices(given, mirror.market),
            ),
        )
    ]


def _service_prices(given: Given, market: str) -> ServicePrices | None:
    """Return the prices that the price service has; None where it cannot be asked for any."""
    service, configured = given.price_service, given.markets[market]
    section, rules = configured.section, configured.own.rules(ProductRules)
    if service is None or section.probe_customer is None:
        return None
    return ServicePrices(
        service,
        market=market,
        customer=section.probe_customer,
        decimals=min(section.price_decimals, rules.price_decimals),
    )


def _reconciled(
    given: Given,
    mirror: Mirror,
    kind: str,
    *,
    only: Collection[str] = (),
    without: Collection[str] = (),
    sample: int | None = None,
    copy: OtherCopy | None = None,
) -> Reconciled:
    plans, market = given.mirroring.plans, mirror.market

    async def heal(keys: Sequence[str]) -> None:
        await plans.want(FLOW, market, keys, is_forced=True, reason="reconciliation")

    return Reconciled(
        comparison=MirrorComparison(
            kind, mirror, plans.known, only=only, without=without, sample=sample, copy=copy
        ),
        every=_NIGHTLY,
        heal=heal,
        by_hand=f"d365-sync resync {FLOW} --market {market} --plan --force",
        is_ready=partial(plans.runs.is_adopted, FLOW, market),
    )


def product_markets(markets: Mapping[str, ConfiguredMarket]) -> dict[str, ProductMarket]:
    """Return the markets that have products on, each with what it owns."""
    rules = {code: market.own.rules(ProductRules) for code, market in markets.items()}
    masters = masters_of({code: _said_of(each) for code, each in rules.items()})
    has_masters = any(
        rules[code].dimensions and "variants" in rules[code].owned(is_master=True)
        for code in masters
    )
    websites = sorted(market.own.website_id for market in markets.values())
    return {
        code: ProductMarket(
            code=code,
            company=market.company,
            website_id=market.own.website_id,
            store_ids=market.own.store_ids,
            rules=rules[code],
            is_master=code in masters,
            has_masters=has_masters,
            websites=rules[code].websites or websites,
        )
        for code, market in markets.items()
    }


PRODUCTS = Description(
    name=FLOW,
    goes_to="the shop",
    rules=ProductRules,
    build=build,
    mapping_version=VERSION,
    erp_hints=lambda rules: rules.events,
    contracts=contracts,
    resources=(
        resources.PRODUCTS,
        resources.ATTRIBUTES,
        resources.PRICES,
        resources.BULKS,
        resources.STORES,
    ),
    shop_rows=shop_rows,
    mistakes=mistakes,
    mirrors=product_mirrors,
    reconciles=reconciled,
)


def _changes(given: Given) -> Iterator[Schedule]:
    """Yield what asks the ERP which items changed, market by market."""
    every = timedelta(seconds=given.mirroring.section.change_seconds)
    for code, configured in given.having(FLOW).items():
        changed = ChangedItems(
            given.reads_of(configured),
            given.polling.watermarks,
            partial(_want, given, code, reason=_CHANGED),
            market=code,
            company=configured.company,
            clock=given.polling.clock,
        )
        yield Schedule(f"read which items changed of {code}", every, changed.look)


def _said_of(rules: ProductRules) -> Mapping[str, bool | None]:
    return {"master": rules.master}


def _mirror(given: Given, configured: ConfiguredMarket, market: ProductMarket) -> Mirror:
    rules, clock = market.rules, given.polling.clock

    def today() -> date:
        return clock.utc().astimezone(configured.time_zone).date()

    def risks(known: Values | None, wanted: Values) -> list[Risk]:
        return dangers(known, wanted, rules.limits)

    reader = ProductReader(given.reads_of(configured), market, clock=clock, today=today)
    policies: dict[str, Policy] = dict.fromkeys(rules.keep, "keep")
    return Mirror(
        flow=FLOW,
        market=market.code,
        shop=given.shop.url,
        scopes=market.scopes,
        reader=reader,
        writer=_writer(given, market, reader),
        risks=risks,
        limits=mirror_limits(rules.limits),
        policies=policies,
        absent=_absent(market),
        chunk_rows=rules.chunk_rows,
        batch_rows=rules.batch_rows,
    )


def _writer(given: Given, market: ProductMarket, reader: ProductReader) -> ProductWriter:
    shop, rules, clock = given.shop, market.rules, given.polling.clock
    options = OptionBook(
        shop.attributes, locks=given.locks, clock=clock, makes=rules.new_options == "create"
    )
    reading = ShopReading(shop.catalog, shop.configurables, options=options, market=market)
    patches = ProductPatches(
        shop.catalog,
        shop.bulks,
        book=given.mirroring.plans.bulks(shop.url, FLOW, market.code),
        clock=clock,
        wait=timedelta(seconds=rules.bulk_wait_seconds),
        overdue=partial(_tell_overdue, given, market.code),
    )
    return ProductWriter(
        reading,
        patches=patches,
        making=Making(reader, patches=patches, options=options, market=market),
        linking=Linking(
            shop.configurables,
            reading=reading,
            options=options,
            clock=clock,
            want=partial(_want, given, market.code, reason=_UNLINKED),
        ),
        pricing=Pricing(shop.base_prices, reading=reading, market=market),
        options=options,
    )


def _absent(market: ProductMarket) -> Values | None:
    """Return what becomes of what the ERP has no more: it is disabled, never deleted."""
    if "status" not in market.owned:
        return None
    return {STATUS: DISABLED} if market.rules.status == "erp" else {BLOCKED: "1"}


def _late_bulks(given: Given, market: str) -> Schedule:
    """Return when somebody looks after bulks that were given up."""

    async def want(keys: Sequence[str], is_forced: bool) -> None:  # noqa: FBT001 -- passed by place
        plans = given.mirroring.plans
        await plans.want(FLOW, market, keys, is_forced=is_forced, reason=_LATE)

    book = given.mirroring.plans.bulks(given.shop.url, FLOW, market)
    late = LateBulks(given.shop.bulks, book, want=want)
    return Schedule(f"look after late bulks of {market}", _LOOK_EVERY, late.look)


async def _tell_overdue(given: Given, market: str, text: str) -> None:
    notice = MirrorNotice(flow=FLOW, market=market, key="queue", title=_QUEUE, text=text, count=1)
    await given.mirroring.notices.note(notice, lasts=ALONE_FOR)


async def _want(given: Given, market: str, keys: Sequence[str], *, reason: str) -> None:
    await given.mirroring.plans.want(FLOW, market, keys, is_forced=False, reason=reason)
