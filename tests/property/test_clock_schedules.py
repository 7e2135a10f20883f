"""No old price passes for a new one, whatever clocks, connections and machines do meanwhile.

Schedules of one form, which `test_replicas_model` meets too seldom: a price is read, the ERP's
book moves on, time passes, some of it happens in any order, and both replicas are asked. Pages
may wait meanwhile for one line while the others are settled. The judge of `Replicas.ask` knows
by true time what cannot be fresh and what cannot bind.
"""

import asyncio
import os
from collections.abc import Callable

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pricing_proxy.domain.freshness import Level, Mode
from pricing_proxy.prices.query import Quote
from tests.fakes.replicas import Replicas
from tests.virtual_time import run_virtual

Event = Callable[[Replicas], None]
_SECOND_US = 1_000_000


def step(seconds: int) -> Event:
    def happen(replicas: Replicas) -> None:
        replicas.redis.skew_us += seconds * _SECOND_US

    return happen


def fail_over(seconds: int) -> Event:
    def happen(replicas: Replicas) -> None:
        replicas.fail_over(replicas.redis.skew_us / _SECOND_US + seconds)

    return happen


def sleep(seconds: int, level: Level | None) -> Event:
    def happen(replicas: Replicas) -> None:
        replicas.sleep(seconds / 2)
        replicas.reprice()
        if level is not None:
            replicas.announce(level=level)
        replicas.sleep(seconds / 2)

    return happen


def cut(name: str) -> Event:
    return lambda replicas: replicas.redis.cut.add(name)


def reset(replicas: Replicas) -> None:
    replicas.redis.reset()


def lag(replicas: Replicas) -> None:
    replicas.redis.lag()


def heal(replicas: Replicas) -> None:
    replicas.redis.cut.clear()


def evict(replicas: Replicas) -> None:
    replicas.evict("clock:{clock}")


STEPS = st.sampled_from([-60, -40, -25, -20, -15, 20, 60])
SLEEPS = st.builds(sleep, st.sampled_from([3, 12, 60]), st.sampled_from([None, Level.HARD]))
CUT = ("first", "second", "first's reader", "second's reader")
EVENTS = st.one_of(
    STEPS.map(step),
    STEPS.map(fail_over),
    SLEEPS,
    st.sampled_from([reset, lag, heal, evict, *map(cut, CUT)]),
    st.sampled_from([0, 1]),  # restarts that replica
)
PAUSES = st.sampled_from([0.01, 0.3, 1.2, 3.0])
SCHEDULES = int(os.environ.get("SCHEDULES", "150"))


async def creep(replicas: Replicas, seconds: float, each: float) -> None:
    """Let time pass in which Redis' clock steps again and again, by less than anybody notices."""
    for _ in range(int(seconds)):
        replicas.redis.skew_us += round(each * _SECOND_US)
        await asyncio.sleep(1)


async def play(  # noqa: PLR0917 -- what a schedule is made of
    aging: tuple[float, float],
    lost: str,
    events: list[tuple[Event | int, float]],
    mode: Mode,
    spelled: str,
    slow_seconds: float,
) -> None:
    replicas = await Replicas.start()
    await asyncio.sleep(11)
    await replicas.ask(0, wait_seconds=5)
    await asyncio.sleep(0.1)
    replicas.reprice()
    await creep(replicas, *aging)
    replicas.redis.cut |= {lost} & set(CUT)
    waiting: list[asyncio.Task[Quote]] = []
    for event, pause in events:
        if slow_seconds:
            replicas.erp.slow["S-2"] = slow_seconds
            waiting += [
                asyncio.ensure_future(
                    replicas.ask(which, spelled, "S-2", "S-3", mode=mode, wait_seconds=5)
                )
                for which in (0, 1)
            ]
            await asyncio.sleep(pause)
        if isinstance(event, int):
            await replicas.restart(event)
        else:
            event(replicas)
        await asyncio.sleep(pause)
        await asyncio.gather(*(replicas.ask(which, spelled, mode=mode) for which in (0, 1)))
    replicas.redis.cut.clear()
    await asyncio.gather(*waiting)
    await replicas.stop()


@settings(
    max_examples=SCHEDULES,
    deadline=None,
    derandomize="SCHEDULES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    aging=st.tuples(
        st.sampled_from([5.0, 24.0, 40.0]), st.sampled_from([0.0, 0.0, -0.9, -0.3, 0.9])
    ),
    lost=st.sampled_from(["nobody", *CUT]),
    events=st.lists(st.tuples(EVENTS, PAUSES), min_size=1, max_size=4),
    mode=st.sampled_from(Mode),
    spelled=st.sampled_from(["S-1", " s-1 "]),
    slow_seconds=st.sampled_from([0, 0, 0.4, 2.5, 4.8]),
)
@example(
    # The sleep hid the step: between two readings the clocks were as far apart as before.
    aging=(5.0, 0.0),
    lost="nobody",
    events=[(step(-60), 0.01), (sleep(60, None), 1.2)],
    mode=Mode.BROWSE,
    spelled="S-1",
    slow_seconds=0,
)
@example(
    aging=(5.0, 0.0),
    lost="nobody",
    events=[(step(-25), 0.01), (sleep(60, None), 1.2)],
    mode=Mode.BROWSE,
    spelled="S-1",
    slow_seconds=0,
)
@example(
    # A page that waited took from another one's load what that had found before the sleep.
    aging=(5.0, 0.0),
    lost="first's reader",
    events=[(step(-60), 1.2), (step(-60), 1.2), (sleep(60, Level.HARD), 0.01)],
    mode=Mode.CHECKOUT,
    spelled="S-1",
    slow_seconds=4.8,
)
def test_no_schedule_of_clocks_makes_an_old_price_new(  # noqa: PLR0917 -- as `play`
    aging: tuple[float, float],
    lost: str,
    events: list[tuple[Event | int, float]],
    mode: Mode,
    spelled: str,
    slow_seconds: float,
) -> None:
    run_virtual(play(aging, lost, events, mode, spelled, slow_seconds))
