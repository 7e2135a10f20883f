"""Read all that is known of one customer's account: in the shop, here, in the ERP."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from pricing_proxy.clock import Clock
from pricing_proxy.d365.fo.catalog import customer_of
from pricing_proxy.d365.fo.customer_models import CustomerAccountRow
from pricing_proxy.d365.fo.customers import Customers
from pricing_proxy.names import is_same_name
from pricing_proxy.resilience.errors import UpstreamError
from sync.customers.building import buying, matcher
from sync.customers.mapping import Buying
from sync.customers.matching import Candidate, attribute_of
from sync.customers.publishing import publish_link
from sync.customers.rules import FLOW, CustomerRules
from sync.engine.sources import ShopDocument, enter
from sync.given import ConfiguredMarket
from sync.magento.customer_models import ShopCustomer
from sync.serve.building import given_of
from sync.serve.stores import Stores
from sync.serve.systems import Systems
from sync.settings import SyncSettings
from sync.store.all_links import KeptLinks
from sync.store.customer_links import CustomerLinks, Owner, Refusal
from sync.store.interventions import InterventionError
from sync.store.link_decisions import KnownLink
from sync.store.records import EventRecord


class Subject(NamedTuple):
    """Which customer is meant."""

    market: str
    customer_id: int

    def __str__(self) -> str:
        """Return it as commands take it."""
        return f"{self.market}/{self.customer_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCase:
    """A customer and the accounts that are or may be its.

    Attributes:
        customer: None when the shop has none of this id.
        link: What is stored; None without a link.
        configured: The account that the configuration names.
        candidates: The stored account, the ones that were typed, or the one asked for.
        refusals: What people said is not the customer's.
    """

    subject: Subject
    market: Buying
    rules: CustomerRules
    customer: ShopCustomer | None
    link: KnownLink | None
    configured: str | None
    candidates: Sequence[Candidate]
    refusals: Sequence[Refusal]


class LinkCases:
    """Reads and settles cases.

    Args:
        settings: The configuration.
        opened: What is kept.
        ways: The ways to the other systems.
        clock: Time.
    """

    def __init__(
        self, settings: SyncSettings, opened: Stores, ways: Systems, *, clock: Clock
    ) -> None:
        self._configured = settings.named_customers
        self._opened = opened
        self._given = given_of(settings, opened, ways, clock=clock)

    def company_of(self, subject: Subject) -> list[str]:
        """Return all markets of the customer's ERP company."""
        return [*self._market(subject).of_company]

    async def subject_of(self, text: str) -> Subject:
        """Return whom an event's number or MARKET/CUSTOMER names.

        Raises:
            InterventionError: It names nobody.
        """
        if text.isdecimal():
            event = await self._customer_event(int(text))
            return Subject(event.market, int(event.business_key))
        market, _, customer_id = text.rpartition("/")
        if market not in self._given.markets or not customer_id.isdecimal():
            raise InterventionError(
                f"{text} is neither the number of an event nor MARKET/CUSTOMER, as b2b_de/42"
            )
        return Subject(market, int(customer_id))

    async def read(self, subject: Subject, *, account: str | None = None) -> LinkCase:
        """Return a customer's case; raises `UpstreamError`.

        Args:
            subject: Which customer.
            account: Look at this account, whatever was typed.
        """
        stored = await self._stored(subject)
        customer = await self._given.shop.customers.customer(subject.customer_id)
        wanted = account or (stored.link.account if stored.link else None)
        if wanted is not None:
            found = await self._named(subject, wanted)
        elif customer is not None:
            refused = {each.account for each in stored.refusals}
            finding = matcher(self._given, self._market(subject), self._links(subject))
            found = await finding.candidates(customer, refused=refused)
        else:
            found = []
        return replace(stored, customer=customer, candidates=found)

    async def read_what_can_be(self, subject: Subject) -> LinkCase:
        """Return a customer's case; without what a system that is away would say."""
        try:
            return await self.read(subject)
        except UpstreamError:
            return await self._stored(subject)

    async def tell_prices(self, subject: Subject, row: CustomerAccountRow | None = None) -> None:
        """Have the price service follow a link; raises `SharedStateError`."""
        published = self._given.prices
        if row is not None:
            await published.note_customer(subject.market, customer_of(row))
        customer_id = str(subject.customer_id)
        account_now = partial(self._links(subject).account, customer_id)
        await publish_link(account_now, published, subject.market, customer_id)

    async def go_on(self, subject: Subject, *, by: str) -> list[int]:
        """Put the customer's held events back in line and return them; enter one if none is.

        What is blocked behind them goes on; and the shop is told which account it is.
        """
        customer_id, replayed = str(subject.customer_id), []
        for event in await self._opened.overview.held_of(FLOW, subject.market, customer_id):
            # One that moved on by itself meanwhile has seen what was decided.
            with suppress(InterventionError):
                await self._opened.interventions.replay(event.id, by=by)
                replayed.append(event.id)
        if not replayed:
            document = ShopDocument(FLOW, subject.market, subject.customer_id, customer_id)
            payload = {"customer_id": subject.customer_id}
            what = f"by hand/{self._given.polling.clock.utc().isoformat()}"
            await enter(self._opened.events, document, payload, what=what)
        return replayed

    async def hide(self, case: LinkCase, account: str) -> None:
        """Take an account out of the customer's attribute; raises `UpstreamError`."""
        code = case.rules.account_attribute
        if case.customer is None or not case.rules.is_written_back:
            return
        if is_same_name(attribute_of(case.customer, case.rules), account):
            emptied = {"custom_attributes": [{"attribute_code": code, "value": ""}]}
            await self._given.shop.customers.save_customer(case.customer, emptied)

    async def _stored(self, subject: Subject) -> LinkCase:
        """Return what no other system has to be asked for."""
        market, customer_id = self._market(subject), str(subject.customer_id)
        return LinkCase(
            subject=subject,
            market=buying(market),
            rules=market.own.rules(CustomerRules),
            customer=None,
            link=await self._opened.decisions.of_customer(subject.market, customer_id),
            configured=market.section.magento_customers.get(subject.customer_id),
            candidates=[],
            refusals=await self._links(subject).refusals(customer_id),
        )

    async def _named(self, subject: Subject, account: str) -> list[Candidate]:
        market = self._market(subject)
        row = await Customers(self._given.erp(market)).find(market.company, account)
        if row is None:
            return []
        me = Owner(subject.market, str(subject.customer_id))
        owners = await self._links(subject).owners(row.CustomerAccount)
        others = tuple(owner for owner in owners if owner != me)
        return [Candidate(row=row, ways=(), owners=others)]

    def _market(self, subject: Subject) -> ConfiguredMarket:
        return self._given.markets[subject.market]

    def _links(self, subject: Subject) -> CustomerLinks:
        kept = KeptLinks(self._opened.opened.database, self._configured)
        return kept.of_customers(subject.market, company=self.company_of(subject))

    async def _customer_event(self, event_id: int) -> EventRecord:
        """Return a customer's event: the one asked for, or the one it waits for."""
        event = await self._opened.overview.event(event_id)
        while event is not None and event.flow != FLOW and event.depends_on is not None:
            event = await self._opened.overview.event(event.depends_on)
        if event is None or event.flow != FLOW:
            raise InterventionError(f"event {event_id} is no customer's, and waits for none")
        return event
