import asyncio
import itertools

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from pricing_proxy.resilience.aimd import AimdSettings, Signal
from pricing_proxy.resilience.bulkhead import Bulkhead, has_room, mirrors_share, shares
from pricing_proxy.resilience.call_class import CallClass, Caller, Ticket
from pricing_proxy.resilience.errors import CallRefusedError
from tests.resilience.scenario import SECOND, armed_timers, clock, deadline_in, now, run

CHECKOUT, INTERACTIVE = CallClass.CHECKOUT, CallClass.INTERACTIVE
REFRESH, BACKGROUND, MIRROR = CallClass.REFRESH, CallClass.BACKGROUND, CallClass.MIRROR


def new_bulkhead(limit: int) -> Bulkhead:
    return Bulkhead(
        system="fo", name="fo pricing", clock=clock(), settings=AimdSettings(initial=limit)
    )


class Workers:
    """Tasks that hold a slot until told; remembers the order in which they got it."""

    def __init__(self, bulkhead: Bulkhead) -> None:
        self.bulkhead = bulkhead
        self.order: list[str] = []
        self.running: dict[str, asyncio.Event] = {}

    async def come(
        self, name: str, klass: CallClass, *, ticket: Ticket | None = None, within: float = 60
    ) -> "asyncio.Task[None]":
        async def work() -> None:
            given_ticket = ticket or Ticket(klass)
            async with self.bulkhead.slot(given_ticket, start_by=deadline_in(within)):
                self.order.append(name)
                self.running[name] = asyncio.Event()
                try:
                    await self.running[name].wait()
                finally:
                    del self.running[name]

        task = asyncio.create_task(work(), name=name)
        await asyncio.sleep(0)
        return task

    async def come_many(self, name: str, klass: CallClass, count: int) -> None:
        for index in range(count):
            await self.come(f"{name} {index}", klass)

    async def finish(self, name: str) -> None:
        self.running[name].set()
        for _ in range(3):
            await asyncio.sleep(0)

    async def finish_all(self) -> None:
        while self.running:
            await self.finish(next(iter(self.running)))
        assert set(self.bulkhead.view().running.values()) == {0}
        assert set(self.bulkhead.view().waiting.values()) == {0}


@given(limit=st.integers(4, 64))
def test_the_shares_are_the_limit_and_checkout_has_forty_percent(limit: int) -> None:
    share = shares(limit)
    assert sum(share) == limit
    assert min(share) >= 0
    assert share[CHECKOUT] * 100 >= limit * 40
    assert share[INTERACTIVE] >= 2


def test_refresh_and_background_shrink_first_when_the_limit_falls() -> None:
    assert shares(64) == (26, 29, 6, 3)
    assert shares(4) == (2, 2, 0, 0)


@given(
    limit=st.integers(4, 64),
    comers=st.lists(st.sampled_from(CallClass), max_size=150),
)
@settings(max_examples=100, deadline=None)
def test_whoever_comes_shares_hold_and_are_lent_downwards_only(
    limit: int, comers: list[CallClass]
) -> None:
    running = dict.fromkeys(CallClass, 0)
    for klass in comers:
        if has_room(klass, running, limit):
            running[klass] += 1
    share = shares(limit)
    assert running[CHECKOUT] <= share[CHECKOUT]
    between = sum(running.values()) - running[CHECKOUT] - running[MIRROR]
    assert between <= limit - share[CHECKOUT]
    assert running[MIRROR] <= mirrors_share(limit) <= share[CHECKOUT]
    assert running[INTERACTIVE] <= share[INTERACTIVE]
    assert running[INTERACTIVE] + running[REFRESH] <= share[INTERACTIVE] + share[REFRESH]
    # Checkout's share is free for it, whatever the others hold.
    assert has_room(CHECKOUT, running, limit) == (running[CHECKOUT] < share[CHECKOUT])


@given(
    limit=st.integers(4, 64),
    comers=st.lists(st.sampled_from(CallClass), max_size=150),
)
@settings(max_examples=50, deadline=None)
def test_nobody_ever_waits_for_a_mirror(limit: int, comers: list[CallClass]) -> None:
    with_mirrors, without = dict.fromkeys(CallClass, 0), dict.fromkeys(CallClass, 0)
    for klass in comers:
        if klass is MIRROR:
            with_mirrors[MIRROR] += has_room(MIRROR, with_mirrors, limit)
            continue
        has_it = has_room(klass, without, limit)
        assert has_room(klass, with_mirrors, limit) == has_it
        with_mirrors[klass] += has_it
        without[klass] += has_it


def test_mirrors_run_on_what_checkout_leaves() -> None:
    idle = dict.fromkeys(CallClass, 0)
    assert (mirrors_share(4), mirrors_share(8), mirrors_share(64)) == (1, 2, 16)
    assert has_room(MIRROR, idle, 4)
    assert not has_room(MIRROR, {**idle, MIRROR: 1}, 4)
    assert not has_room(MIRROR, {**idle, CHECKOUT: 2}, 4)


def test_checkout_goes_at_once_while_pages_flood() -> None:
    async def main() -> None:
        workers = Workers(new_bulkhead(10))
        await workers.come_many("page", INTERACTIVE, 50)
        await workers.come_many("refresh", REFRESH, 50)
        assert len(workers.running) == 6
        await workers.come_many("checkout", CHECKOUT, 5)
        assert [name for name in workers.order if name.startswith("checkout")] == [
            f"checkout {index}" for index in range(4)
        ]
        await workers.finish_all()

    run(main())


def test_what_pages_leave_unused_is_lent_to_refreshing() -> None:
    async def main() -> None:
        workers = Workers(new_bulkhead(10))
        await workers.come_many("background", BACKGROUND, 20)
        assert len(workers.running) == 6
        await workers.come("page", INTERACTIVE)
        assert "page" not in workers.running
        await workers.finish("background 0")
        assert "page" in workers.running
        await workers.finish_all()

    run(main())


def test_pages_do_not_take_the_share_of_refreshing() -> None:
    async def main() -> None:
        workers = Workers(new_bulkhead(10))
        await workers.come_many("page", INTERACTIVE, 20)
        assert len(workers.running) == 5
        await workers.come("refresh", REFRESH)
        assert "refresh" in workers.running
        await workers.finish_all()

    run(main())


def test_the_higher_class_first_the_newest_page_and_the_oldest_of_the_rest() -> None:
    async def main() -> None:
        workers = Workers(new_bulkhead(4))
        await workers.come_many("running", INTERACTIVE, 2)
        for klass, index in itertools.product((BACKGROUND, REFRESH, INTERACTIVE), range(2)):
            await workers.come(f"{klass.name} {index}", klass)
        await workers.finish_all()
        assert workers.order[2:] == [
            "INTERACTIVE 1",
            "INTERACTIVE 0",
            "REFRESH 0",
            "REFRESH 1",
            "BACKGROUND 0",
            "BACKGROUND 1",
        ]

    run(main())


def test_a_full_line_refuses_the_newcomer_at_once() -> None:
    async def main() -> None:
        workers = Workers(new_bulkhead(4))
        await workers.come_many("refresh", REFRESH, 2 + 128)
        late = await workers.come("late", REFRESH)
        with pytest.raises(CallRefusedError, match="too long a line"):
            await late
        await workers.finish_all()
        assert len(workers.order) == 130

    run(main())


def test_a_full_line_of_pages_refuses_the_oldest() -> None:
    """Its visitor has waited longest, and is the likeliest to have left."""

    async def main() -> None:
        workers = Workers(new_bulkhead(4))
        await workers.come_many("running", INTERACTIVE, 2)
        oldest = await workers.come("oldest", INTERACTIVE)
        await workers.come_many("page", INTERACTIVE, 127)
        await workers.come("newest", INTERACTIVE)
        with pytest.raises(CallRefusedError, match="other calls"):
            await oldest
        await workers.finish("running 0")
        assert "newest" in workers.running
        await workers.finish_all()

    run(main())


def test_a_flood_takes_the_places_of_its_own_and_the_turns_of_its_own() -> None:
    """A full line of a crawler's checkouts: the shop's is let in, and served next."""

    async def main() -> None:
        workers = Workers(new_bulkhead(4))
        await workers.come_many("running", CHECKOUT, 2)
        flood = [
            await workers.come("flood", CHECKOUT, ticket=Ticket(CHECKOUT, Caller("crawler", "C-9")))
            for _ in range(128)
        ]
        await workers.come("shop's", CHECKOUT, ticket=Ticket(CHECKOUT, Caller("shop", "C-1")))
        with pytest.raises(CallRefusedError, match="other calls"):
            await flood[-1]
        await workers.finish("running 0")
        await workers.finish("running 1")
        assert sorted(workers.order[2:]) == ["flood", "shop's"]
        for task in flood:
            task.cancel()
        await workers.finish_all()

    run(main())


def test_a_call_that_another_caller_joins_while_it_waits_takes_that_one_s_turn_too() -> None:
    async def main() -> None:
        workers = Workers(new_bulkhead(4))
        await workers.come_many("running", CHECKOUT, 2)
        tickets = [Ticket(CHECKOUT, Caller("crawler", "C-1")) for _ in range(3)]
        for index, ticket in enumerate(tickets):
            await workers.come(f"crawler {index}", CHECKOUT, ticket=ticket)
        tickets[-1].share(Caller("shop", "C-1"))
        await workers.finish("running 0")
        await workers.finish("running 1")
        assert workers.order[2:] == ["crawler 0", "crawler 2"]
        await workers.finish_all()

    run(main())


def test_a_deadline_that_passes_in_the_line_ends_the_wait() -> None:
    async def main() -> None:
        workers = Workers(new_bulkhead(4))
        await workers.come_many("page", INTERACTIVE, 2)
        began = now()
        late = await workers.come("late", INTERACTIVE, within=1.5)
        with pytest.raises(CallRefusedError, match="in time"):
            await late
        assert now() - began == pytest.approx(1.5)
        await workers.finish_all()
        assert "late" not in workers.order

    run(main())


def test_a_lifted_call_obeys_at_once() -> None:
    """A checkout joins a queued refresh: the free slot of checkout is its own now."""

    async def main() -> None:
        workers = Workers(new_bulkhead(4))
        await workers.come_many("refresh", REFRESH, 5)
        ticket = Ticket(REFRESH)
        await workers.come("lifted", REFRESH, ticket=ticket)
        ticket.lift(INTERACTIVE)
        await asyncio.sleep(0)
        assert "lifted" not in workers.running
        ticket.lift(CHECKOUT)
        await asyncio.sleep(0)
        assert "lifted" in workers.running
        assert workers.bulkhead.view().running["checkout"] == 1
        ticket.lift(CHECKOUT)
        await workers.finish_all()

    run(main())


def test_a_lift_is_not_refused_by_a_full_line() -> None:
    async def main() -> None:
        workers = Workers(new_bulkhead(4))
        await workers.come_many("checkout", CHECKOUT, 2 + 128)
        await workers.come_many("refresh", REFRESH, 2)
        ticket = Ticket(REFRESH)
        await workers.come("lifted", REFRESH, ticket=ticket)
        ticket.lift(CHECKOUT)
        assert workers.bulkhead.view().waiting["checkout"] == 129
        await workers.finish_all()
        assert workers.order[-1] == "lifted"

    run(main())


@pytest.mark.parametrize("steps", range(6))
def test_cancelled_at_any_moment_the_slot_is_not_lost(steps: int) -> None:
    """Before it waits, while it waits, between grant and start, and while it works."""

    async def main() -> None:
        workers = Workers(new_bulkhead(4))
        await workers.come_many("page", INTERACTIVE, 2)
        waiting = asyncio.create_task(_hold(workers.bulkhead, Ticket(INTERACTIVE)))
        loop = asyncio.get_running_loop()
        loop.call_soon(workers.running["page 0"].set)
        for _ in range(steps):
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert workers.bulkhead.view().waiting["interactive"] == 0
        await workers.come("next", INTERACTIVE)
        await asyncio.sleep(0)
        assert "next" in workers.running
        await workers.finish_all()

    run(main())


async def _hold(bulkhead: Bulkhead, ticket: Ticket) -> None:
    async with bulkhead.slot(ticket, start_by=deadline_in(60)):
        await asyncio.sleep(3600)


def test_a_lift_after_the_grant_changes_nothing() -> None:
    """The slot is booked already; it must be given back under the class it was booked for."""

    async def main() -> None:
        workers = Workers(new_bulkhead(4))
        await workers.come_many("page", INTERACTIVE, 2)
        ticket = Ticket(REFRESH)
        await workers.come("lifted", REFRESH, ticket=ticket)
        workers.running["page 0"].set()
        await asyncio.sleep(0)
        ticket.lift(CHECKOUT)
        await asyncio.sleep(0)
        assert workers.bulkhead.view().running == {
            "checkout": 0,
            "interactive": 1,
            "refresh": 1,
            "background": 0,
            "mirror": 0,
        }
        await workers.finish_all()

    run(main())


def test_the_deadline_and_cancellation_in_one_instant_leave_nothing_behind() -> None:
    async def main() -> None:
        workers = Workers(new_bulkhead(4))
        await workers.come_many("page", INTERACTIVE, 2)
        late = await workers.come("late", INTERACTIVE, within=1.0)
        loop = asyncio.get_running_loop()
        loop.call_at(loop.time() + 1.0, late.cancel)
        await asyncio.sleep(2)
        assert late.cancelled()
        await workers.finish_all()

    run(main())


def test_cancelled_first_the_turn_goes_to_the_next_in_line() -> None:
    async def main() -> None:
        workers = Workers(new_bulkhead(4))
        await workers.come_many("refresh", REFRESH, 2)
        gone = await workers.come("gone", REFRESH)
        await workers.come("next", REFRESH)
        gone.cancel()
        # The slot comes free before the cancelled task has had a chance to run.
        workers.bulkhead._dispatch()
        await workers.finish("refresh 0")
        assert workers.order[2:] == ["next"]
        await workers.finish_all()

    run(main())


def test_a_call_that_got_its_slot_leaves_no_timer_behind() -> None:
    """Its deadline may be a minute away, and there may be hundreds such calls a second."""

    async def main() -> None:
        workers = Workers(new_bulkhead(4))
        await workers.come_many("page", INTERACTIVE, 10)
        await workers.finish_all()
        assert armed_timers() == []

    run(main())


def test_a_higher_limit_serves_the_line_at_once() -> None:
    async def main() -> None:
        workers = Workers(new_bulkhead(4))
        await workers.come_many("page", INTERACTIVE, 3)
        assert len(workers.running) == 2
        for _ in range(5):
            workers.bulkhead.observe(Signal.ANSWERED, began_us=1, ended_us=2, is_slow=False)
        await asyncio.sleep(0)
        assert workers.bulkhead.view().limit == 5
        assert shares(5) == (2, 3, 0, 0)
        assert len(workers.running) == 3
        await workers.finish_all()

    run(main())


def test_an_idle_bulkhead_does_not_raise_its_limit() -> None:
    """One call at a time proves nothing about ten."""

    async def main() -> None:
        bulkhead = new_bulkhead(10)
        async with bulkhead.slot(Ticket(INTERACTIVE), start_by=deadline_in(1)):
            for _ in range(100):
                bulkhead.observe(Signal.ANSWERED, began_us=1, ended_us=2, is_slow=False)
        assert bulkhead.view().limit == 10

    run(main())


def test_a_lower_limit_ends_nobody_but_admits_nobody_either() -> None:
    async def main() -> None:
        told: list[int] = []
        bulkhead = Bulkhead(
            system="fo",
            name="fo",
            clock=clock(),
            on_limit=told.append,
            settings=AimdSettings(initial=10),
        )
        workers = Workers(bulkhead)
        await workers.come_many("page", INTERACTIVE, 5)
        bulkhead.observe(Signal.OVERLOADED, began_us=SECOND, ended_us=2 * SECOND, is_slow=False)
        assert told == [5]
        await workers.come("late", INTERACTIVE)
        await workers.finish("page 0")
        await workers.finish("page 1")
        assert "late" not in workers.running
        await workers.finish("page 2")
        assert "late" in workers.running
        await workers.finish_all()

    run(main())
