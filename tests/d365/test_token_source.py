"""One token at hand: shared, renewed early, replaced when refused."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.clock import Clock
from pricing_proxy.d365.auth import IssuedToken, TokenSource
from pricing_proxy.resilience.errors import (
    CallRefusedError,
    UpstreamDeniedError,
    UpstreamError,
    UpstreamThrottledError,
    UpstreamUnavailableError,
)
from pricing_proxy.resilience.gate import Gate
from tests.virtual_time import LoopClock, run_virtual

HOUR = 3600.0


class Issuer:
    """Issues token-1, token-2, …, each after a second; fails while `outage` is set."""

    def __init__(self) -> None:
        self.issued = 0
        self.asked = 0
        self.outage: UpstreamError | None = None

    async def issue(self) -> IssuedToken:
        self.asked += 1
        await asyncio.sleep(1)
        if self.outage is not None:
            raise self.outage
        self.issued += 1
        return IssuedToken(text=f"token-{self.issued}", lifetime=timedelta(seconds=HOUR))


def token_gate(clock: Clock) -> Gate:
    return Gate(system="entra", name="tokens", clock=clock, chance=lambda: 0.0)


def scene(play: Callable[[TokenSource, Issuer], Awaitable[None]]) -> None:
    """Run a play with a source, an issuer and virtual time."""

    async def main() -> None:
        issuer = Issuer()
        clock = LoopClock(asyncio.get_running_loop())
        async with TokenSource(issuer, clock=clock, gate=token_gate(clock)) as source:
            await play(source, issuer)

    run_virtual(main())


def test_callers_at_once_share_one_acquisition() -> None:
    async def play(source: TokenSource, issuer: Issuer) -> None:
        tokens = await asyncio.gather(*(source.token() for _ in range(1000)))
        assert set(tokens) == {"token-1"}
        assert await source.token() == "token-1"
        assert issuer.asked == 1

    scene(play)


def test_a_token_that_was_begun_is_there_for_the_first_caller() -> None:
    async def play(source: TokenSource, issuer: Issuer) -> None:
        source.begin()
        await asyncio.sleep(2)
        began = asyncio.get_running_loop().time()
        assert await source.token() == "token-1"
        assert asyncio.get_running_loop().time() == began
        assert issuer.asked == 1

    scene(play)


def test_a_token_begun_in_an_outage_harms_nobody() -> None:
    async def play(source: TokenSource, issuer: Issuer) -> None:
        issuer.outage = UpstreamUnavailableError("connection refused", system="entra")
        source.begin()
        await asyncio.sleep(5)
        issuer.outage = None
        assert await source.token() == "token-1"

    scene(play)


def test_a_caller_that_gives_up_disturbs_nobody() -> None:
    async def play(source: TokenSource, issuer: Issuer) -> None:
        first = asyncio.create_task(source.token())
        await asyncio.sleep(0.5)
        second = asyncio.create_task(source.token())
        await asyncio.sleep(0)
        first.cancel()
        assert await second == "token-1"
        assert first.cancelled()
        assert issuer.asked == 1

    scene(play)


def test_a_token_is_renewed_at_three_quarters_behind_the_callers_back() -> None:
    async def play(source: TokenSource, issuer: Issuer) -> None:
        await source.token()
        await asyncio.sleep(0.74 * HOUR)
        assert await source.token() == "token-1"
        await asyncio.sleep(0.02 * HOUR)
        assert await source.token() == "token-1"
        assert issuer.asked == 1
        await asyncio.sleep(2)
        assert await source.token() == "token-2"
        assert issuer.asked == 2

    scene(play)


def test_the_old_token_serves_while_renewing_fails() -> None:
    async def play(source: TokenSource, issuer: Issuer) -> None:
        await source.token()
        issuer.outage = UpstreamUnavailableError("away", system="entra")
        await asyncio.sleep(0.75 * HOUR)
        for _ in range(800):
            assert await source.token() == "token-1"
            await asyncio.sleep(1)
        tries_in_800_seconds = issuer.asked - 1
        assert 20 <= tries_in_800_seconds <= 28
        issuer.outage = None
        await asyncio.sleep(35)
        await source.token()
        await asyncio.sleep(2)
        assert await source.token() == "token-2"

    scene(play)


def test_a_dying_token_is_not_handed_out() -> None:
    async def play(source: TokenSource, issuer: Issuer) -> None:
        await source.token()
        await asyncio.sleep(HOUR - 29)
        assert await source.token() == "token-2"
        assert issuer.asked == 2

    scene(play)


def test_a_refused_token_is_replaced_once_for_all() -> None:
    async def play(source: TokenSource, issuer: Issuer) -> None:
        refused = await source.token()

        async def caller() -> str:
            source.invalidate(refused)
            return await source.token()

        assert set(await asyncio.gather(*(caller() for _ in range(50)))) == {"token-2"}
        source.invalidate(refused)
        assert await source.token() == "token-2"
        assert issuer.asked == 2

    scene(play)


def test_a_replacement_that_is_refused_too_is_kept_for_ten_seconds() -> None:
    """Missing rights must not turn each call into a call to Entra."""

    async def play(source: TokenSource, issuer: Issuer) -> None:
        source.invalidate(await source.token())
        source.invalidate(await source.token())
        assert await source.token() == "token-2"
        await asyncio.sleep(10)
        source.invalidate("token-2")
        assert await source.token() == "token-3"
        assert issuer.asked == 3

    scene(play)


def test_a_failure_is_told_to_all_and_for_a_second() -> None:
    async def play(source: TokenSource, issuer: Issuer) -> None:
        issuer.outage = UpstreamDeniedError("invalid_client", system="entra", status=401)
        told = await asyncio.gather(*(source.token() for _ in range(20)), return_exceptions=True)
        assert {type(one) for one in told} == {UpstreamDeniedError}
        with pytest.raises(UpstreamDeniedError):
            await source.token()
        assert issuer.asked == 1
        issuer.outage = None
        await asyncio.sleep(1)
        assert await source.token() == "token-1"

    scene(play)


def test_a_throttled_issuer_is_left_alone_as_long_as_it_asks() -> None:
    async def play(source: TokenSource, issuer: Issuer) -> None:
        issuer.outage = UpstreamThrottledError(
            "429", system="entra", retry_after=timedelta(seconds=60)
        )
        for _ in range(59):
            with pytest.raises((UpstreamThrottledError, CallRefusedError)) as caught:
                await source.token()
            assert caught.value.system == "entra"
            await asyncio.sleep(1)
        assert issuer.asked == 1
        issuer.outage = None
        await asyncio.sleep(2)
        assert await source.token() == "token-1"

    scene(play)


def test_while_the_issuer_throttles_the_token_at_hand_serves_on() -> None:
    """Asked to renew it is left alone, and nobody is refused meanwhile."""

    async def play(source: TokenSource, issuer: Issuer) -> None:
        await source.token()
        await asyncio.sleep(0.76 * HOUR)
        issuer.outage = UpstreamThrottledError(
            "429", system="entra", retry_after=timedelta(seconds=300)
        )
        for _ in range(250):
            assert await source.token() == "token-1"
            await asyncio.sleep(1)
        assert issuer.asked == 2
        issuer.outage = None
        await asyncio.sleep(60)
        await source.token()
        await asyncio.sleep(2)
        assert await source.token() == "token-2"

    scene(play)


def test_an_absurd_wish_of_the_issuer_ends_after_ten_minutes() -> None:
    async def play(source: TokenSource, issuer: Issuer) -> None:
        issuer.outage = UpstreamThrottledError(
            "429", system="entra", retry_after=timedelta(days=30_000)
        )
        with pytest.raises(UpstreamThrottledError):
            await source.token()
        issuer.outage = None
        await asyncio.sleep(599)
        with pytest.raises(CallRefusedError) as caught:
            await source.token()
        assert timedelta() < caught.value.retry_after <= timedelta(seconds=2)
        await asyncio.sleep(2)
        assert await source.token() == "token-1"

    scene(play)


def test_an_operator_who_opens_the_gate_has_a_token_asked_for() -> None:
    async def main() -> None:
        issuer, clock = Issuer(), LoopClock(asyncio.get_running_loop())
        gate = token_gate(clock)
        async with TokenSource(issuer, clock=clock, gate=gate) as source:
            issuer.outage = UpstreamThrottledError(
                "429", system="entra", retry_after=timedelta(seconds=500)
            )
            with pytest.raises(UpstreamThrottledError):
                await source.token()
            issuer.outage = None
            await asyncio.sleep(10)
            gate.open()
            assert await source.token() == "token-1"

    run_virtual(main())


def test_an_error_of_our_own_is_not_remembered() -> None:
    async def play(source: TokenSource, issuer: Issuer) -> None:
        broken = issuer.issue

        async def bug() -> IssuedToken:
            raise ZeroDivisionError

        issuer.issue = bug  # type: ignore[method-assign]
        with pytest.raises(ZeroDivisionError):
            await source.token()
        issuer.issue = broken  # type: ignore[method-assign]
        assert await source.token() == "token-1"

    scene(play)


def test_leaving_ends_a_running_acquisition() -> None:
    async def main() -> None:
        issuer = Issuer()
        clock = LoopClock(asyncio.get_running_loop())
        async with TokenSource(issuer, clock=clock, gate=token_gate(clock)) as source:
            waiter = asyncio.create_task(source.token())
            await asyncio.sleep(0.5)
        assert issuer.asked == 1
        assert issuer.issued == 0
        with pytest.raises(asyncio.CancelledError):
            await waiter

    run_virtual(main())


def test_no_token_in_a_repr() -> None:
    token = IssuedToken(text="very-secret", lifetime=timedelta(hours=1))
    assert "very-secret" not in repr(token)


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["token", "refuse", "fail", "heal"]), st.integers(0, 4000)),
        max_size=30,
    )
)
def test_no_caller_ever_gets_a_dead_token(steps: list[tuple[str, int]]) -> None:
    """Whatever fails and however long nobody asks, a token handed out is alive."""

    async def play(source: TokenSource, issuer: Issuer) -> None:
        loop = asyncio.get_running_loop()
        died_at: dict[str, float] = {}
        healed_at = -HOUR
        issue = issuer.issue

        async def issue_and_note() -> IssuedToken:
            began = loop.time()
            token = await issue()
            died_at[token.text] = began + HOUR
            return token

        issuer.issue = issue_and_note  # type: ignore[method-assign]
        for action, seconds in steps:
            await asyncio.sleep(seconds)
            if action == "fail":
                issuer.outage = UpstreamUnavailableError("away", system="entra")
            elif action == "heal":
                issuer.outage = None
                healed_at = loop.time()
            else:
                try:
                    token = await source.token()
                except UpstreamUnavailableError:
                    assert issuer.outage is not None or loop.time() < healed_at + 1
                    continue
                assert loop.time() < died_at[token]
                if action == "refuse":
                    source.invalidate(token)

    scene(play)
