"""What every flow is built out of: the markets as configured, and the ways to all else.

`sync.serve` opens it and closes it; a flow's `building` takes of it what the flow uses.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from pricing_proxy.configuration.markets import MarketSection
from pricing_proxy.d365.fo.documents import DocumentCalls
from pricing_proxy.d365.fo.mirror_reads import SetReads
from pricing_proxy.d365.fo.orders import SalesOrders
from pricing_proxy.shared_state.maps import SharedMaps
from sync.engine.polling import Polling
from sync.engine.schedules import Schedule
from sync.magento.order_models import OrderHead
from sync.magento.shop import Shop
from sync.mirroring import Mirroring
from sync.price_service.list_prices import ListPriceService
from sync.sales.owners import DocumentOwners
from sync.sales.references import Find, References
from sync.sales.value_lines import Splitting
from sync.sections import SyncMarket
from sync.store.all_links import AllLinks, KeptLinks
from sync.store.document_events import DocumentEvents
from sync.store.order_writes import OrderWrites
from sync.store.reference_forms import ReferenceForms
from sync.store.shop_lines import ShopLines
from sync.store.sku_locks import SkuLocks
from sync.store.watched_orders import WatchedOrders

# Each asks the shop for as much as all polls of a minute; so only one of them does within one.
_APART, _SWEEPS_APART = timedelta(minutes=1), 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfiguredMarket:
    """One market, with what its flows share of the rules for its orders.

    Attributes:
        code: Its code.
        section: The price service's section.
        own: The sync's.
        of_company: The markets whose documents are in the same company of the ERP, itself too.
        prefixes: What stands before the numbers of each store view of these in references.
        reference_field: Where the ERP's sales orders have the reference.
        header_fields: What else of their headers is written as configured.
        countries: ISO two-letter codes and the ERP's.
        splitting: How bundles with one price are sold.
        begins_at: From when on its orders are brought over; None where a number says so.
        time_zone: In which its ERP's days end.
    """

    code: str
    section: MarketSection
    own: SyncMarket
    of_company: Sequence[str]
    prefixes: Mapping[int, str]
    reference_field: str
    header_fields: Sequence[str]
    countries: Mapping[str, str]
    splitting: Splitting
    begins_at: datetime | None
    time_zone: ZoneInfo

    @property
    def company(self) -> str:
        """The company of the ERP."""
        return self.section.legal_entity

    @property
    def own_prefixes(self) -> Mapping[int, str]:
        """The prefixes of its own store views."""
        return {store: self.prefixes[store] for store in self.own.store_ids}


def companies(markets: Mapping[str, ConfiguredMarket]) -> dict[str, Mapping[int, str]]:
    """Return the prefixes of each company, by its environment and name."""
    return {
        f"{market.section.environment}/{market.company}": market.prefixes
        for market in markets.values()
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The ways to the shop, the ERP and what is kept, with the markets they are for.

    Attributes:
        markets: All of them, by code, whichever flows they have on.
        shop: The shop.
        erps: Each environment's documents, by its name.
        reads: Each environment's sets for mirrors, likewise.
        links: The entity map.
        accounts: The links of all customers, and the accounts that the configuration names.
        forms: Every prefix that references ever had.
        lines: The shop's lines that have stock reserved.
        locks: One at a time for each SKU.
        watched: The orders that are in the ERP and may move there.
        traces: What the journal says of orders.
        document_events: The events of documents.
        expects: Whether an order of a market is one that is brought over.
        prices: What the price service reads.
        price_service: What it answers; None where its address is not given.
        polling: What sources are read with.
        sweep_every: How often what that can miss is searched for.
        mirroring: What mirrors share.
    """

    markets: Mapping[str, ConfiguredMarket]
    shop: Shop
    erps: Mapping[str, DocumentCalls]
    reads: Mapping[str, SetReads]
    links: KeptLinks
    accounts: AllLinks
    forms: ReferenceForms
    lines: ShopLines
    locks: SkuLocks
    watched: WatchedOrders
    traces: OrderWrites
    document_events: DocumentEvents
    expects: Callable[[str, OrderHead], Awaitable[bool]]
    prices: SharedMaps
    price_service: ListPriceService | None
    polling: Polling
    sweep_every: timedelta
    mirroring: Mirroring

    def poll(
        self, flow: str, run: Callable[[], Awaitable[object]], *, is_awaited: bool = False
    ) -> Schedule:
        """Return the schedule of a flow's poll.

        Args:
            flow: Whose.
            run: Asks what changed.
            is_awaited: Whether somebody waits for what it finds.
        """
        pace = self.polling.pace
        every = partial(pace.every, flow, is_awaited=is_awaited)
        return Schedule(f"poll {flow}", pace.rarest, run, every)

    def sweep(self, flow: str, run: Callable[[], Awaitable[object]]) -> Schedule:
        """Return the schedule of a flow's sweep; the sweeps of all flows keep apart."""
        return Schedule(f"sweep {flow}", self.sweep_every, run, apart=self.apart)

    @property
    def apart(self) -> timedelta:
        """How long what asks the shop for much leaves the others alone that do so."""
        return min(_APART, self.sweep_every / _SWEEPS_APART)

    def having(self, flow: str) -> dict[str, ConfiguredMarket]:
        """Return the markets that have a flow on."""
        return {code: each for code, each in self.markets.items() if flow in each.own.flows}

    def market_of_store(self, flow: str) -> dict[int, str]:
        """Return the market of each store view that has a flow on."""
        return {
            store: code for code, each in self.having(flow).items() for store in each.own.store_ids
        }

    def erp(self, market: ConfiguredMarket) -> DocumentCalls:
        """Return the documents of a market's ERP."""
        return self.erps[market.section.environment]

    def reads_of(self, market: ConfiguredMarket) -> SetReads:
        """Return the sets of a market's ERP, as mirrors read them."""
        return self.reads[market.section.environment]

    def sales_orders(self, market: ConfiguredMarket) -> SalesOrders:
        """Return the sales orders of a market's ERP."""
        return SalesOrders(
            self.erp(market),
            reference_field=market.reference_field,
            more_fields=market.header_fields,
        )

    def references(self, market: ConfiguredMarket, find: Find, *, mark: str = "") -> References:
        """Return how one kind of a market's documents are called in the ERP.

        Args:
            market: The market.
            find: Finds the shop's documents of this kind by their numbers.
            mark: Stands before each reference of this kind.
        """
        return References(
            market.code, prefixes=market.prefixes, forms=self.forms, find=find, mark=mark
        )

    def owners(self, market: ConfiguredMarket, kind: str) -> DocumentOwners:
        """Return whose documents of a kind are, in all markets of the company."""
        return DocumentOwners(
            kind, {each: self.links.of_market(each) for each in market.of_company}
        )
