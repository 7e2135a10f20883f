"""Whatever becomes of what is written, and whoever else writes: a loop of writes is impossible.

The other system is any function of what is written and any opponent between two looks. A
look every five seconds for three hours stands for a poll that never ends.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import hypothesis.strategies as st
from hypothesis import given, settings

from pricing_proxy.http_exchange import Guard
from sync.engine.wishes import HOUR, MOST_WRITES, Wish, fulfil
from sync.store.wish_record import Place
from tests.fakes.order_shop import FakeWork, event_of
from tests.orders.selling_one import ORDER
from tests.virtual_time import ManualClock

PLACE = Place("fo", "account C-1", "name")
LOOKS, EVERY = 600, timedelta(seconds=18)

texts = st.sampled_from(["", "a", "A", "b", "c"])


class Other:
    """Another system's field.

    Args:
        keeps: What stands there after a text was written over another.
        answers: Whether a write's answer says what stands there.
    """

    def __init__(
        self, clock: ManualClock, keeps: Callable[[str, str], str], *, answers: bool
    ) -> None:
        self._clock = clock
        self._keeps = keeps
        self._answers = answers
        self.held = "before"
        self.written_at: list[datetime] = []

    async def look(self, work: FakeWork, wanted: str) -> list[str]:
        """Write what is wanted where it differs, as every flow does."""
        if self.held == wanted:
            await work.wishes.settle(PLACE)
            return []
        wish = Wish(place=PLACE, value=wanted, seen=self.held, advice="look")

        async def send(*, guard: Guard) -> str | None:
            await guard()
            self.written_at.append(self._clock.utc())
            self.held = self._keeps(self.held, wanted)
            return self.held if self._answers else None

        return await fulfil(work, wish, operation="update", request={}, send=send)

    @property
    def most_in_an_hour(self) -> int:
        """The most writes in any hour."""
        times = self.written_at
        return max((sum(at <= one < at + HOUR for one in times) for at in times), default=0)


@settings(max_examples=60, deadline=None)
@given(kept=st.dictionaries(st.tuples(texts, texts), texts), answers=st.booleans())
def test_a_system_that_changes_what_it_gets_is_left_alone_soon(
    *, kept: dict[tuple[str, str], str], answers: bool
) -> None:
    """Dropped, folded, cut: what comes of a write is a function of it, and soon known."""
    clock = ManualClock()
    other = Other(clock, lambda held, new: kept.get((held, new), new), answers=answers)
    work = FakeWork(event_of(ORDER), clock)

    async def poll() -> int:
        told = 0
        for _ in range(LOOKS):
            told += len(await other.look(work, "a"))
            clock.advance(EVERY)
        return told

    told = asyncio.run(poll())
    assert len(other.written_at) <= MOST_WRITES + 1
    assert told == (0 if other.held == "a" else 1)


@settings(max_examples=60, deadline=None)
@given(
    opponents=st.lists(st.one_of(st.none(), texts), min_size=1, max_size=7),
    wants=st.lists(texts, min_size=1, max_size=3),
    answers=st.booleans(),
)
def test_opponents_cost_five_writes_an_hour_at_most(
    *, opponents: Sequence[str | None], wants: Sequence[str], answers: bool
) -> None:
    """Two systems, markets or websites that each want another value: nobody writes on and on."""
    clock = ManualClock()
    other = Other(clock, lambda _, new: new, answers=answers)
    work = FakeWork(event_of(ORDER), clock)

    async def poll() -> None:
        for number in range(LOOKS):
            await other.look(work, wants[number % len(wants)])
            opponent = opponents[number % len(opponents)]
            other.held = other.held if opponent is None else opponent
            clock.advance(EVERY)

    asyncio.run(poll())
    # An hour of the count begins with a write, so one that is neither may see two halves.
    assert other.most_in_an_hour <= 2 * MOST_WRITES
    assert len(other.written_at) <= MOST_WRITES * 4
