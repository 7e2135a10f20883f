"""Answer what a customer pays for some lines, from memory where the freshness table allows.

A page that is wholly in memory is answered without awaiting anything. For the rest, the
request joins loads that are under way or starts one, waits as long as its mode bears, and
settles each line for the best that `domain.freshness.TABLE` lets it show. No line fails
another, and nothing raised upstream reaches the caller: a line that cannot be answered
says so.
"""

import asyncio
from collections.abc import Mapping

from pricing_proxy.clock import MICROSECONDS_PER_SECOND
from pricing_proxy.domain.freshness import TABLE, State
from pricing_proxy.prices.basis import Basis, Knowledge
from pricing_proxy.prices.boarding import board
from pricing_proxy.prices.flights import Flight
from pricing_proxy.prices.loading import Loader
from pricing_proxy.prices.open_line import OpenLine
from pricing_proxy.prices.page import Page
from pricing_proxy.prices.query import Failure, Key, PriceQuery, Quote
from pricing_proxy.prices.recalling import WholePage, delivered, recall, whole_page
from pricing_proxy.prices.warming import Warmer
from pricing_proxy.shared_state.customer_map import Customer
from pricing_proxy.shared_state.item_map import Item

# A line that was loaded and invalidated this often within one request settles for less.
_MOST_LOADS = 3


class PriceService:
    """The use case: quote a page.

    Args:
        basis: What finding a price rests on.
        loader: Starts loads and knows those under way.
        warmer: Refreshes behind the request, and remembers what a customer looks at.
    """

    def __init__(self, basis: Basis, *, loader: Loader, warmer: Warmer) -> None:
        self._basis = basis
        self._loader = loader
        self._warmer = warmer

    @property
    def remembers(self) -> bool:
        """Whether `recall` can answer anything at all."""
        return self._basis.memory.remembers

    def recall(self, query: PriceQuery) -> Quote | None:
        """Return the answer if memory holds it whole and fresh; None if more must be done."""
        basis, context = self._basis, query.context
        recalled = recall(
            query,
            market=basis.markets[query.market],
            shelf=basis.memory.shelf(context),
            known=basis.known(context, query.customer),
        )
        if recalled is not None:
            self._warmer.pages.append(query)
        return recalled

    async def quote(self, query: PriceQuery) -> Quote:
        """Return an answer for every line, within the mode's time or the caller's `wait_us`."""
        self._warmer.pages.append(query)
        known = self._known(query)
        market, shelf = self._basis.markets[query.market], self._basis.memory.shelf(query.context)
        recalled = recall(query, market=market, shelf=shelf, known=known)
        if recalled is not None:
            return recalled
        page = self._page(query, known)
        shelf = self._basis.memory.shelf(query.context)
        whole = None if shelf else whole_page(query, market)
        flight = None if whole is None else self._board_whole(page, whole)
        if whole is not None and flight is not None:
            wait_us = page.policy.wait_us(TABLE[State.ABSENT][query.mode].wait, query.wait_us)
            await self._wait(flight, until_us=known.now_us + wait_us)
            page.take_sleep(self._basis.watch.slept_us())
            known = self._known(query)
            brought = delivered(whole, flight.landed, known)
            if brought is not None:
                return brought
        page.look_in_memory(shelf, known)
        if flight is not None:
            for line in page.open_lines:
                line.flight = flight if line.key in flight.items else None
            page.decide(known)
        if page.open_lines:
            if query.customer is None:
                page.give_up("customer_not_checked")
            else:
                await self._settle(page, query.customer)
        if page.to_refresh and query.customer is not None:
            self._warmer.refresh(
                query.context, query.customer, page.to_refresh, caller=query.caller
            )
        return self._with_when_to_ask_again(page.quote(), page)

    def _with_when_to_ask_again(self, quote: Quote, page: Page) -> Quote:
        if page.loading_since_us is None:
            return quote
        wait_ms = self._loader.times.ask_again_ms(
            page.query.market, began_us=page.loading_since_us, now_us=quote.decided_us
        )
        return quote._replace(ask_again_ms=wait_ms)

    def _board_whole(self, page: Page, whole: WholePage) -> Flight | None:
        """Return one load for a page of which nothing is in memory, joined or begun.

        Its lines are looked at one by one only if that load turns out not to bring them all,
        fresh. None where they must be anyway.
        """
        query, customer, items = page.query, page.query.customer, whole.items
        if customer is None:
            return None
        if not self._loader.flights.carries_any(query.context, items):
            return self._start(page, customer, items)
        return self._loader.join_all(
            query.context,
            customer,
            items,
            klass=page.policy.klass,
            is_budgeted=query.is_budgeted,
            caller=query.caller,
        )

    def _page(self, query: PriceQuery, known: Knowledge) -> Page:
        """Return a page of a query that arrived just now; what memory holds knows of all sleep."""
        return Page(
            query,
            market=self._basis.markets[query.market],
            policy=self._basis.modes[query.mode],
            arrived_us=known.now_us,
            slept_us=self._basis.watch.slept_us(),
        )

    async def _settle(self, page: Page, customer: Customer) -> None:
        """Wait until every line is settled, by what is known at one instant: that of the answer."""
        boardings = 0
        while page.open_lines:
            if any(line.flight is None for line in page.open_lines):
                boardings += 1
                self._board(page, customer, is_last_call=boardings > _MOST_LOADS)
            if all(line.failure is None for line in page.open_lines):
                await self._next_step(page)
            page.take_sleep(self._basis.watch.slept_us())
            known = self._known(page.query)
            page.decide(known)
            if not page.open_lines:
                page.review(known)

    def _board(self, page: Page, customer: Customer, *, is_last_call: bool) -> None:
        """Find every open line a flight, or the reason why it gets none."""
        if is_last_call:
            for line in [each for each in page.open_lines if each.flight is None]:
                line.failure = Failure("changing", self._basis.clock.monotonic_us())
            return
        query = page.query

        def join(line: OpenLine) -> Flight | None:
            return self._loader.join(
                query.context,
                customer,
                line.key,
                line.item,
                floor_us=page.floor_us,
                klass=page.policy.klass,
                is_budgeted=query.is_budgeted,
                caller=query.caller,
            )

        claiming = board(page, self._loader, join)
        if claiming:
            flight = self._start(page, customer, {line.key: line.item for line in claiming})
            for line in claiming:
                line.flight = flight

    def _start(self, page: Page, customer: Customer, claims: Mapping[Key, Item]) -> Flight:
        self._warmer.seen.note(page.query.context, claims)
        return self._loader.start(
            page.query.context,
            customer,
            claims,
            accepts=page.accepts,
            deadline_us=page.load_until_us(self._basis.clock.monotonic_us()),
            klass=page.policy.klass,
            is_budgeted=page.query.is_budgeted,
            caller=page.query.caller,
        )

    async def _next_step(self, page: Page) -> None:
        """Wait until a flight knows more or the first line has waited long enough.

        Waiting beside the flights: a cancelled request leaves them as they are.
        """
        flights = {line.flight for line in page.open_lines if line.flight is not None}
        until_us = min(line.wait_until_us for line in page.open_lines)
        await self._wait(*flights, until_us=until_us)

    async def _wait(self, *flights: Flight, until_us: int) -> None:
        left_us = max(until_us - self._basis.clock.monotonic_us(), 0)
        await asyncio.wait(
            {flight.step for flight in flights},
            timeout=left_us / MICROSECONDS_PER_SECOND,
            return_when=asyncio.FIRST_COMPLETED,
        )

    def _known(self, query: PriceQuery) -> Knowledge:
        return self._basis.known(query.context, query.customer)
