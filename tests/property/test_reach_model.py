"""How far a source was read, over drawn schedules: nothing is missed, and nothing read for ever.

Rows become visible up to the overlap late, are dated ahead, and change in bulk; the shop's clock
is set forward and back by hours; looks come late, fail, or find a slow shop.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.engine.looking import Looking
from sync.engine.reach import MOST_KNOWN, Reach
from sync.engine.windows import ClockReading, Window
from sync.magento.odd_rows import OddRow
from sync.store.lines import Urgency
from tests.virtual_time import ManualClock, run_virtual

OVERLAP = timedelta(seconds=30)
PAGE = 50
SECOND = timedelta(seconds=1)


class Row(NamedTuple):
    """One version of a row, as it can be seen."""

    entity_id: int
    updated_at: datetime
    version: int


class Page(NamedTuple):
    """What is answered at once."""

    rows: Sequence[Row]
    reading: ClockReading | None
    odd: Sequence[OddRow] = ()


class BrokenError(Exception):
    """The shop fails."""


@dataclass
class Shop:
    """Rows, and a clock that somebody sets.

    Attributes:
        offset: Of its clock from ours.
        late: Rows that were written and cannot be seen yet, with the instant from which they can.
        reads: How often each version was answered.
        steps: How often the clock was set back.
        failures: How often it broke in the middle of a look.
    """

    clock: ManualClock = field(default_factory=ManualClock)
    offset: timedelta = timedelta(0)
    rows: dict[int, Row] = field(default_factory=dict)
    late: list[tuple[datetime, Row]] = field(default_factory=list)
    reads: Counter[Row] = field(default_factory=Counter)
    latency: timedelta = timedelta(milliseconds=100)
    breaks_after: int | None = None
    steps: int = 0
    failures: int = 0

    @property
    def now(self) -> datetime:
        return self.clock.utc() + self.offset

    def step(self, by: timedelta) -> None:
        self.offset += by
        self.steps += by < timedelta(0)

    def write(
        self, entity_id: int, *, late: timedelta = timedelta(0), ahead: timedelta = timedelta(0)
    ) -> None:
        """Write a row, unless an earlier write of it still goes on."""
        self._show()
        if any(row.entity_id == entity_id for _, row in self.late):
            return
        before = self.rows.get(entity_id)
        dated = (self.now + ahead).replace(microsecond=0)
        row = Row(entity_id, dated, before.version + 1 if before else 1)
        self.late.append((self.clock.utc() + late, row))
        self._show()

    async def ask(self, window: Window) -> AsyncGenerator[Page, None]:
        """Answer page by page, each as of its own instant."""
        place, count = (window.since, 0), 0
        while True:
            sent_at = self.clock.utc()
            self.clock.advance(self.latency / 2)
            if self.breaks_after is not None and count >= self.breaks_after:
                self.failures += 1
                raise BrokenError
            self._show()
            found = sorted(
                (row for row in self.rows.values() if window.takes(row.entity_id, row.updated_at)),
                key=lambda row: (row.updated_at, row.entity_id),
            )
            page = [row for row in found if (row.updated_at, row.entity_id) > place][:PAGE]
            told = self.now.replace(microsecond=0)
            self.clock.advance(self.latency / 2)
            self.reads.update(page)
            least = told - (self.clock.utc() - sent_at)
            yield Page(page, ClockReading(sent_at, least, told + SECOND))
            if len(page) < PAGE:
                return
            place, count = (page[-1].updated_at, page[-1].entity_id), count + 1

    def _show(self) -> None:
        now = self.clock.utc()
        for each in [each for each in self.late if each[0] <= now]:
            self.late.remove(each)
            self.rows[each[1].entity_id] = each[1]


@dataclass
class World:
    """A shop and who looks at it."""

    shop: Shop = field(default_factory=Shop)
    taken: set[Row] = field(default_factory=set)
    kept: str = ""
    asked: int = 0

    def __post_init__(self) -> None:
        self.kept = Reach.beginning(self.shop.now - 2 * OVERLAP).model_dump_json()

    @property
    def reach(self) -> Reach:
        return Reach.model_validate_json(self.kept)

    def look(self) -> None:
        looking: Looking[Page] = Looking(
            ask=self._ask,
            take=self._take,
            keep=self._keep,
            overlap=OVERLAP,
            clock=self.shop.clock,
        )
        try:
            run_virtual(looking.look(self.reach))
        except BrokenError:
            pass
        finally:
            self.shop.breaks_after = None

    def look_for(self, time: timedelta, *, every: timedelta) -> None:
        for _ in range(time // every):
            self.shop.clock.advance(every)
            self.look()

    def _ask(self, window: Window) -> AsyncGenerator[Page, None]:
        self.asked += 1
        return self.shop.ask(window)

    async def _take(self, page: Page, _: Urgency) -> None:
        self.taken.update(page.rows)

    async def _keep(self, reach: Reach) -> None:
        # Only a clock that was set back a little is behind what it had settled before.
        assert reach.settled <= max(self.reach.settled, self.shop.now - OVERLAP)
        assert reach.settled <= reach.fresh
        self.kept = reach.model_dump_json()


def seconds(least: float, most: float) -> st.SearchStrategy[timedelta]:
    milliseconds = st.integers(round(least * 1000), round(most * 1000))
    return milliseconds.map(lambda number: timedelta(milliseconds=number))


LATE = st.one_of(st.just(timedelta(0)), seconds(0, 3), seconds(0, OVERLAP.total_seconds()))
AHEAD = st.one_of(st.just(timedelta(0)), st.just(timedelta(0)), seconds(1, 10_000))
STEP = st.one_of(st.sampled_from([7200, -7200, 3600, -600, -31, -8]).map(lambda s: s * SECOND))
ACTIONS = st.one_of(
    st.tuples(st.just("write"), st.integers(1, 12), LATE, AHEAD),
    st.tuples(st.just("write"), st.integers(1, 12), LATE, st.just(timedelta(0))),
    st.tuples(st.just("bulk"), st.integers(1, 2 * MOST_KNOWN + 20), LATE),
    st.tuples(st.just("look"), st.one_of(seconds(0, 6), seconds(0, 40))),
    st.tuples(st.just("look"), st.one_of(seconds(0, 6), seconds(0, 40))),
    st.tuples(st.just("look"), st.one_of(seconds(5, 5.2))),
    st.tuples(st.just("away"), seconds(60, 4000)),
    st.tuples(st.just("step"), STEP),
    st.tuples(st.just("slow"), seconds(0.05, 20)),
    st.tuples(st.just("break"), st.integers(0, 3)),
)


def play(world: World, actions: Sequence[tuple[object, ...]]) -> None:  # noqa: C901 -- one case for each
    shop, is_noticed = world.shop, True
    for what, *values in actions:
        match what, values:
            case "write", [int(row), timedelta() as late, timedelta() as ahead]:
                shop.write(row, late=late, ahead=ahead)
            case "bulk", [int(count), timedelta() as late]:
                for row in range(100, 100 + count):
                    shop.write(row, late=late)
            case "look", [timedelta() as pause]:
                shop.clock.advance(pause)
                failures = shop.failures
                world.look()
                is_noticed = is_noticed or shop.failures == failures
            case "away", [timedelta() as pause]:
                shop.clock.advance(pause)
            case "step", [timedelta() as by]:
                # One that is undone before anybody asks leaves nothing to notice it by.
                if is_noticed:
                    shop.step(by)
                is_noticed = False
            case "slow", [timedelta() as latency]:
                shop.latency = latency
            case "break", [int(pages)]:
                shop.breaks_after = pages


@settings(max_examples=150, deadline=None)
@given(st.lists(ACTIONS, max_size=30))
def test_whatever_the_shop_holds_was_read_and_nothing_is_read_for_ever(
    actions: list[tuple[object, ...]],
) -> None:
    """Dates that come again, as the clock was set back, count as new ones."""
    world = World()
    # How the clock was set before anybody read it is not known.
    world.look_for(2 * OVERLAP, every=OVERLAP / 2)
    play(world, actions)
    world.shop.latency, world.shop.breaks_after = SECOND / 10, None
    world.look_for(2 * OVERLAP, every=5 * SECOND)
    # Until all that is dated ahead is past, or lies in the past again.
    world.look_for(timedelta(hours=6), every=timedelta(hours=1))
    world.look_for(2 * OVERLAP, every=5 * SECOND)

    assert set(world.shop.rows.values()) <= world.taken
    most = 2 + 2 * world.shop.steps + world.shop.failures
    assert {row: count for row, count in world.shop.reads.items() if count > most} == {}
    assert world.reach.settled >= world.shop.now - 2 * OVERLAP


def test_what_lies_ahead_again_as_the_clock_was_set_back_is_not_read_by_each_look() -> None:
    world = World()
    world.shop.write(1)
    world.look_for(OVERLAP, every=5 * SECOND)
    world.shop.step(-OVERLAP - SECOND)
    world.look_for(timedelta(minutes=5), every=5 * SECOND)

    assert max(world.shop.reads.values()) <= 4


@pytest.mark.parametrize("every", [5 * SECOND, OVERLAP])
def test_a_bulk_change_is_read_twice_and_never_again(every: timedelta) -> None:
    world = World()
    world.look()
    asked = world.asked
    for row in range(1, 197):
        world.shop.write(row)
    world.look_for(timedelta(minutes=10), every=every)

    assert set(world.shop.reads.values()) == {2}
    assert world.asked - asked == timedelta(minutes=10) // every


def test_an_order_whose_transaction_took_a_while_is_read_by_the_next_look() -> None:
    world = World()
    world.look_for(20 * SECOND, every=5 * SECOND)
    world.shop.write(1, late=3 * SECOND)
    world.shop.clock.advance(SECOND)
    world.look()
    assert not world.taken
    world.look_for(5 * SECOND, every=5 * SECOND)
    assert {row.entity_id for row in world.taken} == {1}

    world.look_for(timedelta(minutes=2), every=5 * SECOND)
    assert set(world.shop.reads.values()) == {2}


def test_rows_dated_ahead_are_read_at_once_and_hold_nothing_up() -> None:
    world = World()
    world.look()
    world.shop.write(2, ahead=timedelta(hours=2))
    world.shop.clock.advance(5 * SECOND)
    world.look()
    assert {row.entity_id for row in world.taken} == {2}

    world.shop.write(3)
    world.shop.write(4, ahead=timedelta(hours=1))
    world.look_for(5 * SECOND, every=5 * SECOND)

    assert {row.entity_id for row in world.taken} == {2, 3, 4}
    world.look_for(timedelta(minutes=30), every=5 * SECOND)
    ahead = {2: 1, 3: 2, 4: 1}
    assert {row.entity_id: count for row, count in world.shop.reads.items()} == ahead


def test_what_is_written_after_the_clock_was_set_back_is_read_by_the_next_look() -> None:
    world = World()
    for row in range(1, 61):
        world.shop.write(row)
        world.look_for(OVERLAP, every=5 * SECOND)
    world.shop.step(timedelta(hours=-2))
    before = world.shop.reads.total()
    world.shop.write(100)
    world.look_for(5 * SECOND, every=5 * SECOND)

    assert 100 in {row.entity_id for row in world.taken}
    # The hours that are lived again are not read all at once.
    assert world.shop.reads.total() - before < 10
