"""Strangers take no place from a caller who may call, nor from a health check."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.listening.crowd import Crowd, Reason
from tests.listening.raw import Listening, request, showing, wire
from tests.patience import PATIENCE_SECONDS

MOST = 16
NEWCOMERS = 4
KNOWN = request("GET", "/accepted")
STRANGE = request("GET", "/shown")


@pytest.fixture
async def shown() -> AsyncIterator[Listening]:
    async with showing(Crowd("tests", most=MOST)) as running:
        yield running


async def settled(shown: Listening, size: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while shown.crowd.size != size:  # noqa: ASYNC110 -- another's state
            await asyncio.sleep(0)


async def test_silent_strangers_give_way_and_known_callers_stay(shown: Listening) -> None:
    async with AsyncExitStack() as stack, wire(shown.port) as known:
        await known.send(KNOWN)
        assert (await known.answer()).status == 200
        silent = [await stack.enter_async_context(wire(shown.port)) for _ in range(5 * MOST)]
        asking = await stack.enter_async_context(wire(shown.port))
        await asking.send(STRANGE)
        assert (await asking.answer()).status == 200
        await known.send(KNOWN)
        assert (await known.answer()).status == 200
        await settled(shown, MOST)
        ended = [each for each in silent if each.reader.at_eof()]
    assert ended == silent[: len(ended)]
    assert shown.crowd.closed[Reason.GAVE_WAY] >= 4 * MOST


async def test_a_stranger_that_asks_outlives_those_that_do_not(shown: Listening) -> None:
    async with AsyncExitStack() as stack:
        asking = await stack.enter_async_context(wire(shown.port))
        for _ in range(3 * MOST):
            await stack.enter_async_context(wire(shown.port))
            await asking.send(STRANGE)
            assert (await asking.answer()).status == 200


async def test_known_callers_leave_room_for_newcomers(shown: Listening) -> None:
    """Their longest silent connection goes; a fleet of them does not keep out a health check."""
    async with AsyncExitStack() as stack:
        lines = []
        for _ in range(2 * MOST):
            line = await stack.enter_async_context(wire(shown.port))
            await line.send(KNOWN)
            assert (await line.answer()).status == 200
            lines.append(line)
        await settled(shown, MOST - NEWCOMERS)
        assert shown.crowd.known == MOST - NEWCOMERS
        health = await stack.enter_async_context(wire(shown.port))
        await health.send(STRANGE)
        assert (await health.answer()).status == 200
        for line in lines[-MOST + NEWCOMERS :]:
            await line.send(KNOWN)
            assert (await line.answer()).status == 200


@dataclass(eq=False)
class Someone:
    """A connection that does as it is told."""

    heard_at: float = 0.0
    is_at_rest: bool = True
    sent_away: list["Someone"] = field(default_factory=list)

    def end_overdue(self, now: float, *, idle_seconds: float) -> Reason | None:
        return Reason.IDLE if now - self.heard_at > idle_seconds else None

    def give_way(self) -> None:
        self.sent_away.append(self)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["enter", "heard", "accept", "leave", "busy", "rest"]), st.integers(0)
    ),
    max_size=80,
)


@given(most=st.integers(4, 12), steps=STEPS)
def test_whatever_happens_the_crowd_keeps_its_bounds(
    most: int, steps: list[tuple[str, int]]
) -> None:
    """Held against a list of who came, in the order in which they were heard."""
    crowd = Crowd("model", most=most)
    there: list[Someone] = []
    away: list[Someone] = []
    known: set[Someone] = set()
    newcomers = max(1, most // 4)
    for now, (step, number) in enumerate(steps):
        if step == "enter":
            someone = Someone(heard_at=float(now), sent_away=away)
            crowd.enter(someone)
            there.append(someone)
            if len(there) > most:
                oldest = next(each for each in there if each not in known)
                assert oldest is not someone
                assert away.pop() is oldest
                there.remove(oldest)
        elif there:
            someone = there[number % len(there)]
            if step == "heard":
                someone.heard_at = float(now)
                crowd.heard(someone)
                there.remove(someone)
                there.append(someone)
            elif step == "accept":
                resting = [each for each in there if each in known and each.is_at_rest]
                is_full = len(known) >= most - newcomers
                took = crowd.accept(someone)
                assert took == (someone not in known and (not is_full or bool(resting)))
                if took:
                    known.add(someone)
                    if is_full:
                        gone = away.pop()
                        assert gone.heard_at == min(each.heard_at for each in resting)
                        known.discard(gone)
                        there.remove(gone)
            elif step == "leave":
                crowd.leave(someone)
                there.remove(someone)
                known.discard(someone)
            else:
                someone.is_at_rest = step == "rest"
        assert away == []
        assert (crowd.size, crowd.known) == (len(there), len(known))
        assert crowd.size <= most
        assert crowd.known <= most - newcomers
