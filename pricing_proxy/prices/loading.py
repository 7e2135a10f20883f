"""Run one flight: look in Redis once, ask the ERP for what is left, keep what came back.

A key is settled as soon as it is known. Redis failing is no reason to fail: the ERP is
asked for everything then, by `prices.erp_loads`. Only what nothing invalidated meanwhile
enters the caches.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

from pricing_proxy.domain.entry import Entry
from pricing_proxy.domain.freshness import State
from pricing_proxy.prices.basis import Basis
from pricing_proxy.prices.cold_budget import UNBOUNDED, ColdBudget, within_budget
from pricing_proxy.prices.erp_loads import ErpLoads
from pricing_proxy.prices.failures import FailureMemory, reason_of, retry_after_us
from pricing_proxy.prices.flights import Arrival, Flight, Flights
from pricing_proxy.prices.invalidations import is_current
from pricing_proxy.prices.load_times import LoadTimes
from pricing_proxy.prices.odd_answers import OddAnswers
from pricing_proxy.prices.ports import CacheFailedError, Entries, Wanted
from pricing_proxy.prices.query import Context, Failure, Key
from pricing_proxy.prices.source_health import SourceHealth
from pricing_proxy.resilience.call_class import OURSELVES, CallClass, Caller, Ticket
from pricing_proxy.resilience.errors import UpstreamError
from pricing_proxy.shared_state.customer_map import Customer
from pricing_proxy.shared_state.item_map import Item

_SETTLED_BY_REDIS = (State.FRESH, State.NO_PRICE, State.UNVERIFIED)


class Loader:
    """Loads the keys of flights.

    Args:
        basis: What finding a price rests on.
        budget: What flights with `is_budgeted` may ask the ERP for.
        opens_in_us: Returns how long no call for a market's prices can begin, 0 when it can.

    Attributes:
        failures: Which keys lately failed.
        health: How each market's loads end.
        odd: The lines that were answered oddly.
        times: How long they take.
        flights: Those under way.
    """

    def __init__(
        self,
        basis: Basis,
        *,
        budget: ColdBudget = UNBOUNDED,
        opens_in_us: Callable[[str], int] = lambda _: 0,
    ) -> None:
        now_us = basis.clock.monotonic_us
        self._basis = basis
        self._budget = budget
        self.failures = FailureMemory(now_us=now_us, draw=basis.draw)
        self.health = SourceHealth(now_us=now_us)
        self.odd = OddAnswers(now_us=now_us)
        self.times = LoadTimes(opens_in_us)
        self.flights = Flights(run=self._run, now_us=now_us)
        self._erp = ErpLoads(
            basis,
            failures=self.failures,
            health=self.health,
            odd=self.odd,
            land=self.flights.land,
        )

    def join(
        self,
        context: Context,
        customer: Customer,
        key: Key,
        item: Item,
        *,
        floor_us: int,
        klass: CallClass,
        is_budgeted: bool = False,
        caller: Caller = OURSELVES,
    ) -> Flight | None:
        """Return what `find` returns, lifted to `klass`; another caller waits for it now."""
        flight = self.find(context, customer, key, item, floor_us=floor_us)
        if flight is None:
            return None
        return _shared(flight, klass, caller, is_budgeted=is_budgeted)

    def find(
        self, context: Context, customer: Customer, key: Key, item: Item, *, floor_us: int
    ) -> Flight | None:
        """Return a flight under way that will answer the key; None when there is none.

        It began at `floor_us` or later (a checkout never joins a load that began too early),
        and after all that is known to have changed.
        """
        flight = self.flights.of(context, key)
        if flight is None or flight.began_us < floor_us:
            return None
        marks = self._basis.marks(context, customer)
        is_after = is_current(marks, item.item_number, flight.position, flight.began_us)
        return flight if is_after else None

    def join_all(
        self,
        context: Context,
        customer: Customer,
        items: Mapping[Key, Item],
        *,
        klass: CallClass,
        is_budgeted: bool,
        caller: Caller = OURSELVES,
    ) -> Flight | None:
        """Return the one flight under way that answers all keys; None when there is none.

        For modes that a load may serve however early it began.
        """
        flight = self.flights.of_all(context, items)
        if flight is None:
            return None
        marks = self._basis.marks(context, customer)
        numbers = (item.item_number for item in items.values())
        if marks is not None and marks.touches(numbers, flight.position, flight.began_us):
            return None
        return _shared(flight, klass, caller, is_budgeted=is_budgeted)

    def start(
        self,
        context: Context,
        customer: Customer,
        items: Mapping[Key, Item],
        *,
        accepts: Callable[[State, Entry], bool],
        deadline_us: int,
        klass: CallClass,
        is_budgeted: bool = False,
        caller: Caller = OURSELVES,
    ) -> Flight:
        """Claim the keys and set off; nothing is awaited in between."""
        flight = Flight(
            context=context,
            customer=customer,
            items=items,
            began_us=self._basis.clock.monotonic_us(),
            position=self._basis.invalidations.position(context.market),
            accepts=accepts,
            deadline_us=deadline_us,
            ticket=Ticket(klass, caller),
            is_budgeted=is_budgeted,
        )
        self.flights.start(flight)
        return flight

    async def foresee(self, flight: Flight, refusal: UpstreamError | None) -> set[Key]:
        """Return what a flight that never sets off would ask the ERP for; remembers nothing.

        Args:
            flight: Is told what it would be refused.
            refusal: What its call would be refused with, None when it would be sent.
        """
        await self._look_in_redis(flight)
        left = self._left_for_the_erp(flight)
        failure = self.health.standing(flight.context.market)
        if failure is None and refusal is not None:
            retry_us = self._basis.clock.monotonic_us() + retry_after_us(refusal)
            failure = Failure(reason_of(refusal), retry_us)
        if left and failure is not None:
            left = self._refuse(flight, left, failure)
        return {wanted.key for wanted in left}

    def obstacle(self, context: Context, key: Key, klass: CallClass) -> Failure | None:
        """Return why the ERP must not be asked for a key now, None when it may be."""
        if klass is CallClass.CHECKOUT:
            # A checkout tries again where a page would not, but for what was refused to it twice.
            return self.failures.refusals.standing(context, key)
        return self.failures.standing(context, key)

    async def _run(self, flight: Flight) -> None:
        slept_us = self._basis.watch.slept_us()
        found = await self._look_in_redis(flight)
        if found:
            self._basis.memory.remember(flight.context, self._sound(found))
        left = self._left_for_the_erp(flight)
        if left and flight.is_budgeted:
            left = await within_budget(self._budget, flight, left, land=self.flights.land)
        if left and (failure := self.health.admit(flight.context.market)) is not None:
            left = self._refuse(flight, left, failure)
        if not left:
            return
        loaded: dict[Key, Entry] = {}
        async with asyncio.TaskGroup() as group:
            for chunk in self._erp.batches(flight, left):
                group.create_task(self._erp.load(flight, chunk, loaded))
        if loaded:
            took_us = self._basis.clock.monotonic_us() - flight.began_us
            self.times.note(flight.context.market, took_us)
        # Written after a sleep, what was read before it would look younger by that.
        is_awake = self._basis.watch.slept_us() == slept_us
        if loaded and found is not None and is_awake:
            await self._keep_in_redis(flight, loaded)

    def _refuse(self, flight: Flight, left: list[Wanted], failure: Failure) -> list[Wanted]:
        """Settle what is left with a failure, and so leave nothing."""
        for wanted in left:
            self.flights.land(flight, wanted.key, failure)
        flight.announce()
        return []

    def _left_for_the_erp(self, flight: Flight) -> list[Wanted]:
        left: list[Wanted] = []
        for key, item in flight.items.items():
            if key in flight.landed:
                continue
            failure = self.obstacle(flight.context, key, flight.ticket.klass)
            if failure is None:
                left.append(Wanted(key, item))
            else:
                self.flights.land(flight, key, failure)
        if flight.older or flight.landed:
            flight.announce()
        return left

    async def _look_in_redis(self, flight: Flight) -> Entries | None:
        """Return what Redis holds, as far as the flight is concerned; None when it failed."""
        try:
            found = await self._basis.store.read(flight.context, list(flight.items))
        except CacheFailedError:
            return None
        known = self._basis.known(flight.context, flight.customer)
        max_us = self._basis.markets[flight.context.market].lifetimes.max_us
        slept_us = self._basis.watch.slept_us()
        for key, entry in found.items():
            arrival = Arrival(entry, "l2", slept_us)
            state = known.state(entry, flight.items[key], max_us)
            if state in _SETTLED_BY_REDIS and flight.accepts(state, entry):
                self.flights.land(flight, key, arrival)
            else:
                flight.older[key] = arrival
        return found

    def _sound(self, found: Entries) -> Entries:
        # Redis' clock stepped back: in memory such an entry would keep later reads out.
        now_us = self._basis.clock.monotonic_us()
        return {key: entry for key, entry in found.items() if entry.loaded_us <= now_us}

    async def _keep_in_redis(self, flight: Flight, loaded: Mapping[Key, Entry]) -> None:
        marks = self._basis.marks(flight.context, flight.customer)
        current = {
            key: entry
            for key, entry in loaded.items()
            if is_current(marks, flight.items[key].item_number, entry.position, entry.loaded_us)
        }
        # The cache counts its failures; a price that Redis did not take is still an answer.
        with suppress(CacheFailedError):
            await self._basis.store.write(flight.context, current)


def _shared(flight: Flight, klass: CallClass, caller: Caller, *, is_budgeted: bool) -> Flight:
    """Return a flight that another caller has joined; our own work claims no turn for it."""
    flight.ticket.lift(klass)
    if caller != OURSELVES:
        flight.ticket.share(caller)
    if not is_budgeted:
        flight.is_budgeted = False
    return flight
