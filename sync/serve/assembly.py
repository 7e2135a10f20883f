"""Put the flows and their sources together out of settings and open clients.

Nothing is opened here: the composition root gives the clients, the entity map, the price
service's maps and the engine's stores, and closes them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from pricing_proxy.clock import Clock
from pricing_proxy.d365.fo.customers import Customers
from pricing_proxy.d365.fo.documents import DocumentCalls
from pricing_proxy.d365.fo.orders import SalesOrders
from pricing_proxy.d365.fo.returns import Returns
from sync.customers.flow import CustomerContext, CustomerFlow
from sync.customers.identity import Identity
from sync.customers.mapping import CustomerMarket
from sync.customers.matching import AccountMatcher
from sync.customers.persons import Claims, Persons
from sync.customers.ports import AccountLinks, AccountMap, Owners
from sync.customers.source import CustomerSource
from sync.engine.flow import Links
from sync.engine.polling import Polling
from sync.engine.sources import Events, Watermarks
from sync.magento.shop import Shop
from sync.orders.flow import OrderFlow, OrderMarket
from sync.orders.late_doubles import LateDoubles, SweptMarket
from sync.orders.number_ranges import RangeWatch
from sync.orders.selling import Selling
from sync.orders.sold_products import SoldProducts
from sync.orders.source import OrderSource, is_in
from sync.orders.writer import OrderWriter
from sync.returns.flow import ReturnFlow, ReturnMarket
from sync.returns.source import ReturnSource
from sync.sales.references import Forms
from sync.serve.companies import companies, markets_of_company
from sync.serve.identities import Identities
from sync.settings import FlowName, SyncSettings


class KeptLinks(Protocol):
    """Where links are kept."""

    def of_market(self, market: str) -> Links:
        """Return the entity map of a market."""
        ...

    def claims(self, company: Collection[str]) -> Claims:
        """Return the claims of what customers have typed, given all markets of an ERP company."""
        ...

    def of_customers(self, market: str, *, company: Collection[str]) -> AccountLinks:
        """Return the links of a market's customers, given all markets of its ERP company."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Flows:
    """What carries events."""

    orders: OrderFlow
    customers: CustomerFlow
    returns: ReturnFlow


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What enters events."""

    orders: OrderSource
    doubles: LateDoubles
    ranges: RangeWatch
    customers: CustomerSource
    returns: ReturnSource


class Assembly:
    """Builds flows and sources.

    Args:
        settings: The configuration.
        shop: The shop.
        erps: The ERP's document calls by environment.
        clock: Time.
    """

    def __init__(
        self,
        settings: SyncSettings,
        *,
        shop: Shop,
        erps: Mapping[str, DocumentCalls],
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._shop = shop
        self._erps = erps
        self._clock = clock
        self._max_request = settings.sync.delivery.longest["fo"]
        self._overlap = timedelta(seconds=settings.sync.polling.overlap_seconds)

    def flows(self, *, kept: KeptLinks, published: AccountMap, forms: Forms) -> Flows:
        """Return the flows.

        Args:
            kept: Where links are kept.
            published: The price service's customer map.
            forms: Every prefix that references ever had.
        """
        markets = self._settings.sync.markets
        identities = Identities(
            self._settings, shop=self._shop, links_of=kept.of_market, forms=forms
        )
        return Flows(
            orders=OrderFlow(
                self._shop.orders,
                markets={code: self._orders(code, identities) for code in markets},
            ),
            customers=CustomerFlow(
                self._shop.customers,
                contexts={code: self._customers(code, kept) for code in markets},
                published=published,
                clock=self._clock,
            ),
            returns=ReturnFlow(
                self._shop.credit_memos,
                orders=self._shop.orders,
                markets={code: self._returns(code, identities) for code in markets},
            ),
        )

    def sources(
        self, *, events: Events, watermarks: Watermarks, kept: KeptLinks, forms: Forms
    ) -> Sources:
        """Return the sources of the flows that are on, market by market."""
        own = self._settings.sync.markets
        polling = Polling(
            events=events, watermarks=watermarks, overlap=self._overlap, clock=self._clock
        )
        with_orders = self._with("orders")
        return Sources(
            orders=OrderSource(
                self._shop.orders,
                polling,
                market_of_store=self._market_of_store("orders"),
                rules={code: own[code].orders for code in with_orders},
            ),
            doubles=LateDoubles(
                self._shop.orders,
                markets={
                    code: SweptMarket(
                        erp=self._sales_orders(code),
                        company=self._company(code),
                        stores=own[code].store_ids,
                        links=kept.of_market(code),
                        of_company=[kept.of_market(each) for each in self.company_of(code)],
                    )
                    for code in with_orders
                },
                forms=forms,
                events=events,
            ),
            ranges=RangeWatch(self._shop.orders, companies(self._settings)),
            customers=CustomerSource(
                self._shop.customers,
                polling,
                market_of_website={own[code].website_id: code for code in self._with("customers")},
                links={code: kept.of_market(code) for code in self._with("customers")},
            ),
            returns=ReturnSource(
                self._shop.credit_memos,
                polling,
                market_of_store=self._market_of_store("returns"),
            ),
        )

    def _orders(self, code: str, identities: Identities) -> OrderMarket:
        own, market = self._settings.sync.markets[code], self._settings.markets[code]
        return OrderMarket(
            selling=Selling(
                market=code,
                company=market.legal_entity,
                currencies=frozenset(market.currencies or [market.currency]),
            ),
            rules=own.orders,
            store_ids=frozenset(own.store_ids),
            sold=SoldProducts(
                self._shop.products,
                self._erp(code),
                company=market.legal_entity,
                unit_attribute=own.orders.unit_attribute,
                clock=self._clock,
            ),
            writer=OrderWriter(
                self._sales_orders(code),
                own=identities.own_headers(code, self._sales_orders(code)),
                company=market.legal_entity,
                rules=own.orders,
            ),
        )

    def matcher(self, code: str, links: Owners) -> AccountMatcher:
        """Return what finds the accounts that may be a market's customers'."""
        own = self._settings.sync.markets
        return AccountMatcher(
            Customers(self._erp(code)),
            self._shop.customers,
            market=self.customer_market(code),
            rules=own[code].customers,
            links=links,
            sharing=self._sharing(code),
            website_of={one: each.website_id for one, each in own.items()},
        )

    def customer_market(self, code: str) -> CustomerMarket:
        """Return a market as its customers need it."""
        own, market = self._settings.sync.markets[code], self._settings.markets[code]
        return CustomerMarket(
            code=code,
            company=market.legal_entity,
            currency=market.currency,
            countries=own.customers.countries or own.orders.countries,
        )

    def company_of(self, code: str) -> list[str]:
        """Return all markets of a market's ERP company."""
        return markets_of_company(self._settings, code)

    def _customers(self, code: str, kept: KeptLinks) -> CustomerContext:
        own, market = self._settings.sync.markets[code], self.customer_market(code)
        erp, company = Customers(self._erp(code)), self.company_of(code)
        links = kept.of_customers(code, company=company)
        identity = Identity(
            market=market,
            rules=own.customers,
            erp=erp,
            links=links,
            matcher=self.matcher(code, links),
            persons=Persons(kept.claims(company)),
            trusts_email=self._trusts_email({code, *self._sharing(code)}),
            configured=self._settings.markets[code].magento_customers,
        )
        return CustomerContext(
            market=market, rules=own.customers, erp=erp, links=links, identity=identity
        )

    def _returns(self, code: str, identities: Identities) -> ReturnMarket:
        own, returns = self._settings.sync.markets[code], Returns(self._erp(code))
        return ReturnMarket(
            company=self._company(code),
            store_ids=frozenset(own.store_ids),
            rules=own.returns,
            splitting=own.orders.splitting,
            returns=returns,
            orders=identities.sold_orders(code, self._sales_orders(code)),
            own=identities.own_returns(code, returns),
            references=identities.return_references(code),
            expects=lambda order: is_in(order, own.orders),
        )

    def _sales_orders(self, code: str) -> SalesOrders:
        field = self._settings.sync.markets[code].orders.reference_field
        return SalesOrders(self._erp(code), reference_field=field)

    def _erp(self, code: str) -> DocumentCalls:
        return self._erps[self._settings.markets[code].environment]

    def _company(self, code: str) -> str:
        return self._settings.markets[code].legal_entity

    def _trusts_email(self, codes: Collection[str]) -> bool:
        own = self._settings.sync.markets
        return all(own[code].customers.email_is_guarded for code in codes)

    def _sharing(self, code: str) -> set[str]:
        """Return the other markets that share accounts with this one, directly or by a third."""
        markets = self._settings.sync.markets
        pairs = [(one, own.customers.shared_with) for one, own in markets.items()]
        known, found = {code}, {code}
        while found:
            found = {one for pair in pairs for one in pair if one and known & {*pair}} - known
            known |= found
        return known - {code}

    def _with(self, flow: FlowName) -> list[str]:
        return [code for code, own in self._settings.sync.markets.items() if flow in own.flows]

    def _market_of_store(self, flow: FlowName) -> dict[int, str]:
        markets = self._settings.sync.markets
        return {store: code for code in self._with(flow) for store in markets[code].store_ids}
