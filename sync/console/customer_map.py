"""Bring existing customers over: what would be done with each, and doing it.

Those of a table are linked to the accounts it names, as `link` does one by one; without a
table, customers without an account are put in line, and the running sync finds or makes it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pricing_proxy.names import is_same_name
from pricing_proxy.resilience.errors import UpstreamError
from sync.console.link_case import LinkCase, LinkCases, Subject
from sync.customers.matching import Candidate
from sync.customers.rules import FLOW
from sync.given import Given
from sync.serve.stores import Stores
from sync.store.customer_links import Owner
from sync.store.interventions import InterventionError
from sync.store.states import ENDED

# One that cannot be read costs no other; so many in a row are not the customers' fault.
_AWAY = 3

Progress = Callable[[int], None]
"""Told how many customers were looked at."""

Wanted = Mapping[int, str] | Sequence[int] | None
"""The accounts of a table, customers by their ids, or all who have no account."""


class Fate(StrEnum):
    """What becomes of a customer."""

    LINK = "linked to the account named"
    ENTER = "put in line: an account is found or made"
    HAS = "left alone: has an account"
    UNDER_WAY = "left alone: in line or held already"
    WRONG = "left alone: something is wrong"


@dataclass(frozen=True, slots=True)
class Planned:
    """One customer.

    Attributes:
        chosen: The account that is linked.
        text: What is wrong.
    """

    customer_id: int
    fate: Fate
    chosen: Candidate | None = None
    text: str = ""


class CustomerMap:
    """Plans for one market's customers, and carries plans out.

    Args:
        market: Its code.
        given: The ways to the systems.
        opened: What is kept.
        cases: Reads customers and accounts.
    """

    def __init__(self, market: str, *, given: Given, opened: Stores, cases: LinkCases) -> None:
        self._market = market
        self._given = given
        self._opened = opened
        self._cases = cases

    async def count(self, wanted: Wanted) -> int:
        """Return how many customers a plan is for."""
        if wanted is not None:
            return len(wanted)
        return await self._given.shop.customers.customer_count(self._website)

    async def plan(self, wanted: Wanted, done: Progress) -> list[Planned]:
        """Return what would be done with each; raises `UpstreamError` when a system is away."""
        if wanted is None:
            return await self._plan_all(done)
        planned, failures = list[Planned](), 0
        for place, customer_id in enumerate(wanted, start=1):
            try:
                planned.append(await self._planned(customer_id, wanted))
                failures = 0
            except UpstreamError as error:
                failures += 1
                if failures == _AWAY:
                    raise
                text = f"cannot be read: {error}"
                planned.append(Planned(customer_id, Fate.WRONG, text=text))
            done(place)
        return planned

    async def carry_out(
        self, planned: Sequence[Planned], done: Progress, *, by: str, reason: str
    ) -> list[str]:
        """Do what was planned; return what could not be done, as somebody else was at it."""
        failed, linked = [], defaultdict[str, list[Owner]](list)
        for place, each in enumerate(planned, start=1):
            subject = Subject(self._market, each.customer_id)
            try:
                if each.chosen is not None:
                    owner = Owner(self._market, str(each.customer_id))
                    mine = linked[each.chosen.account]
                    await self._opened.decisions.link(
                        owner,
                        each.chosen.account,
                        company=self._cases.company_of(subject),
                        # Of several rows with one account each but the first finds another's.
                        others=(*each.chosen.owners, *mine),
                        by=by,
                        reason=reason,
                    )
                    mine.append(owner)
                await self._cases.go_on(subject, by=by)
            except InterventionError as error:
                failed.append(f"customer {each.customer_id}: {error}")
            done(place)
        return failed

    @property
    def _website(self) -> int:
        return self._given.markets[self._market].own.website_id

    async def _plan_all(self, done: Progress) -> list[Planned]:
        known = {*map(int, await self._given.accounts.accounts(self._market))}
        planned: list[Planned] = []
        async for page in self._given.shop.customers.customers_of(self._website):
            planned += [await self._waiting(customer.id, known) for customer in page.rows]
            planned += [
                Planned(row.entity_id, Fate.WRONG, text=f"cannot be read: {row.text}")
                for row in page.odd
            ]
            done(len(planned))
        return planned

    async def _planned(
        self, customer_id: int, wanted: Mapping[int, str] | Sequence[int]
    ) -> Planned:
        if not isinstance(wanted, Mapping):
            return await self._named(customer_id)
        account = wanted[customer_id]
        case = await self._cases.read(Subject(self._market, customer_id), account=account)
        return self._judged(case, account)

    async def _named(self, customer_id: int) -> Planned:
        """Return what would be done with one, also where it has an account."""
        customer = await self._given.shop.customers.customer(customer_id)
        if customer is None or customer.website_id != self._website:
            return Planned(customer_id, Fate.WRONG, text=self._no_customer(customer_id))
        return await self._waiting(customer_id, ())

    async def _waiting(self, customer_id: int, known: Collection[int]) -> Planned:
        if customer_id in known:
            return Planned(customer_id, Fate.HAS)
        events = await self._opened.overview.by_document(FLOW, str(customer_id))
        if any(one.market == self._market and one.state not in ENDED for one in events):
            return Planned(customer_id, Fate.UNDER_WAY)
        return Planned(customer_id, Fate.ENTER)

    def _judged(self, case: LinkCase, account: str) -> Planned:
        customer_id = case.subject.customer_id
        text = self._objection(case, account)
        if text:
            return Planned(customer_id, Fate.WRONG, text=text)
        [chosen] = case.candidates
        if case.link is not None:
            return Planned(customer_id, Fate.HAS)
        return Planned(customer_id, Fate.LINK, chosen)

    def _objection(self, case: LinkCase, account: str) -> str:
        """Return why a customer of a table is left alone, empty where it is not."""
        shop, link = case.customer, case.link
        if shop is None or shop.website_id != self._website:
            return self._no_customer(case.subject.customer_id)
        if not case.candidates:
            return f"{case.market.company} has no account {account}"
        spelled, change = case.candidates[0].account, f"d365-sync link {self._market} {shop.id}"
        if case.configured is not None and not is_same_name(case.configured, spelled):
            return f"markets.{self._market}.magento_customers says {case.configured}"
        if link is not None and not is_same_name(link.account, spelled):
            return f"has account {link.account}; {change} {spelled} changes that"
        if any(is_same_name(each.account, spelled) for each in case.refusals):
            return f"{spelled} was taken away from it or rejected; {change} {spelled} all the same"
        return ""

    def _no_customer(self, customer_id: int) -> str:
        return f"the shop has no customer {customer_id} on website {self._website}"


def counted_by_fate(planned: Sequence[Planned]) -> Mapping[Fate, int]:
    """Return how many customers there are of each fate, all of them named."""
    counts = Counter(each.fate for each in planned)
    return {fate: counts[fate] for fate in Fate}
