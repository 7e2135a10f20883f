import asyncio
import itertools
from collections.abc import Callable
from datetime import timedelta

import pytest

from pricing_proxy.resilience.call_class import CallClass, Ticket
from pricing_proxy.resilience.errors import (
    CallRefusedError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamUnavailableError,
)
from pricing_proxy.resilience.retry import Retrier, RetryLimits
from tests.resilience.scenario import clock, deadline_in, now, run

CHECKOUT, INTERACTIVE = CallClass.CHECKOUT, CallClass.INTERACTIVE
REFRESH, BACKGROUND = CallClass.REFRESH, CallClass.BACKGROUND
UNAVAILABLE = UpstreamUnavailableError("503", system="fo")
A_SECOND = timedelta(seconds=1)


def limits(
    klass: CallClass = INTERACTIVE,
    *,
    is_safe: bool = True,
    within: float = 60,
    ticket: Ticket | None = None,
    is_healthy: Callable[[], bool] = lambda: True,
) -> RetryLimits:
    return RetryLimits(
        is_safe=is_safe,
        ticket=ticket or Ticket(klass),
        start_by=deadline_in(within),
        is_healthy=is_healthy,
    )


class Flaky:
    """Fails with the errors it was given, then answers; remembers when it was tried."""

    def __init__(self, *errors: UpstreamError) -> None:
        self.errors = list(errors)
        self.tried_at: list[float] = []

    async def attempt(self) -> str:
        self.tried_at.append(now())
        await asyncio.sleep(0)
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def new_retrier(chance: float = 0.5) -> Retrier:
    return Retrier(clock=clock(), chance=lambda: chance)


async def tries_of(given: RetryLimits, error: UpstreamError = UNAVAILABLE) -> int:
    """Return how often a call that always fails is tried."""
    flaky = Flaky(*[error] * 50)
    with pytest.raises(type(error)) as caught:
        await new_retrier().run(flaky.attempt, given)
    assert caught.value is error
    return len(flaky.tried_at)


def test_a_customer_s_call_is_repeated_once_and_others_four_times() -> None:
    async def main() -> None:
        tries = [await tries_of(limits(klass)) for klass in CallClass]
        assert tries == [2, 2, 5, 5, 5]

    run(main())


def test_a_call_that_a_customer_joined_is_repeated_as_a_customer_s() -> None:
    async def main() -> None:
        ticket = Ticket(BACKGROUND)
        flaky = Flaky(*[UNAVAILABLE] * 50)

        async def lifted_meanwhile() -> str:
            ticket.lift(INTERACTIVE)
            return await flaky.attempt()

        with pytest.raises(UpstreamUnavailableError):
            await new_retrier().run(lifted_meanwhile, limits(ticket=ticket))
        assert len(flaky.tried_at) == 2

    run(main())


def test_an_operation_that_is_not_safe_is_never_repeated() -> None:
    async def main() -> None:
        assert await tries_of(limits(BACKGROUND, is_safe=False)) == 1

    run(main())


@pytest.mark.parametrize(
    "error",
    [
        UpstreamRejectedError("no such item", system="fo", status=400),
        CallRefusedError("breaker open", system="fo", retry_after=A_SECOND),
    ],
)
def test_what_repeating_cannot_help_is_not_repeated(error: UpstreamError) -> None:
    async def main() -> None:
        assert await tries_of(limits(BACKGROUND), error) == 1

    run(main())


def test_nothing_is_repeated_while_the_breaker_is_not_closed() -> None:
    async def main() -> None:
        assert await tries_of(limits(BACKGROUND, is_healthy=lambda: False)) == 1

    run(main())


def test_no_pause_ends_after_the_last_useful_start() -> None:
    async def main() -> None:
        assert await tries_of(limits(within=0.05)) == 1
        assert await tries_of(limits(within=0.051)) == 2

    run(main())


def test_pauses_double_to_two_seconds_and_chance_draws_from_all_of_them() -> None:
    async def main() -> None:
        for chance in (0.0, 0.25, 1.0):
            flaky = Flaky(*[UNAVAILABLE] * 4)
            answer = await new_retrier(chance).run(flaky.attempt, limits(BACKGROUND))
            assert answer == "answer"
            times = flaky.tried_at
            pauses = [after - before for before, after in itertools.pairwise(times)]
            assert pauses == pytest.approx([chance * step for step in (0.1, 0.2, 0.4, 0.8)])
            assert len(flaky.tried_at) == 5

    run(main())


def test_a_throttled_call_does_not_pause_here() -> None:
    """Pausing is the gate's: it knows until when, and for everybody."""

    async def main() -> None:
        flaky = Flaky(UpstreamThrottledError("429", system="fo", retry_after=A_SECOND))
        began = now()
        await new_retrier().run(flaky.attempt, limits())
        assert flaky.tried_at == [began, began]

    run(main())


@pytest.mark.parametrize(("calls", "repeated"), [(2, 2), (3, 3), (15, 3), (19, 3), (50, 10)])
def test_at_most_a_fifth_of_the_calls_in_flight_are_repeats_but_three_always_may_be(
    calls: int, repeated: int
) -> None:
    async def main() -> None:
        retrier = new_retrier()
        together = asyncio.Barrier(calls)
        begun = repeats = 0

        async def attempt() -> str:
            nonlocal begun, repeats
            begun += 1
            if begun <= calls:
                await together.wait()
                raise UNAVAILABLE
            repeats += 1
            await asyncio.sleep(1)
            return "answer"

        tasks = [asyncio.create_task(retrier.run(attempt, limits())) for _ in range(calls)]
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert repeats == results.count("answer") == repeated
        assert (retrier.budget.in_flight, retrier.budget.retrying) == (0, 0)

    run(main())


def test_a_place_in_the_budget_is_kept_through_all_repeats_of_one_call() -> None:
    async def main() -> None:
        retrier = new_retrier()
        seen: list[int] = []

        async def attempt() -> str:
            seen.append(retrier.budget.retrying)
            await asyncio.sleep(0)
            raise UNAVAILABLE

        with pytest.raises(UpstreamUnavailableError):
            await retrier.run(attempt, limits(BACKGROUND))
        assert seen == [0, 1, 1, 1, 1]
        assert retrier.budget.retrying == 0

    run(main())


@pytest.mark.parametrize("after_seconds", [0.01, 0.06, 0.12])
def test_cancelled_in_any_attempt_or_pause_it_ends_and_gives_its_place_back(
    after_seconds: float,
) -> None:
    async def main() -> None:
        retrier = new_retrier()

        async def attempt() -> str:
            await asyncio.sleep(0.05)
            raise UNAVAILABLE

        task = asyncio.create_task(retrier.run(attempt, limits(BACKGROUND)))
        await asyncio.sleep(after_seconds)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (retrier.budget.in_flight, retrier.budget.retrying) == (0, 0)

    run(main())
