"""Bearer tokens for the ERP: one at hand, renewed before it dies, replaced when refused.

`TokenSource` keeps one token. From 75 % of its life the next caller starts a renewal
in the background and leaves with the old token, which serves until it dies, however
often renewing fails. Without a usable token all callers wait for one acquisition; a
caller that gives up disturbs neither the acquisition nor the others. A failed
acquisition is told to everybody for a moment, instead of asking again for each.

An issuer that throttles closes a gate of its own: no token is asked for until it opens, the
one at hand serves on, and the ERP's gate knows nothing of it.

Where tokens come from is `Issuer`'s affair (see `entra`). Errors are `UpstreamError`s
of the issuer's system; no message and no repr holds a token.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType
from typing import Protocol, Self

from pricing_proxy.clock import Clock
from pricing_proxy.resilience.call_class import CallClass, Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.errors import (
    CallRefusedError,
    UpstreamError,
    UpstreamThrottledError,
)

_LOG = logging.getLogger(__name__)

TOKEN_SYSTEM = "entra"  # noqa: S105 -- names the system that issues tokens, is none
"""Who issues tokens, in errors and logs: another system than the ERP."""

_SECOND = 1_000_000
# Late enough to halve nothing, early enough to try many times: 15 minutes remain of an hour.
_RENEW_AT_PERCENT = 75
# A token may still travel and be checked by a clock ahead of ours: stop using it this early.
_DYING = timedelta(seconds=30) // timedelta(microseconds=1)
# Between two attempts to renew in the background while the old token serves.
_RENEW_PAUSE_US = 30 * _SECOND
# One page's flood of callers gets one answer, and recovery is still noticed at once.
_FAILURE_PAUSE_US = _SECOND
# A token refused though it was fetched to replace a refused one: rights are missing, and
# another token will not help. This long passes before the next is tried.
_REPLACE_PAUSE_US = 10 * _SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A bearer token.

    Attributes:
        text: The secret itself; kept out of the repr.
        lifetime: Counted from when it was asked for, so that it never seems younger.
    """

    text: str = field(repr=False)
    lifetime: timedelta


class Issuer(Protocol):
    """Where tokens come from."""

    async def issue(self) -> IssuedToken:
        """Return a new token, never one handed out before; raises `UpstreamError`."""
        ...


class TokenGate(Protocol):
    """When the issuer may be asked; `resilience.gate.Gate` is one."""

    async def enter(self, ticket: Ticket, *, start_by: Deadline) -> None:
        """Return when it may be asked; raises `CallRefusedError`."""
        ...

    def throttled(self, retry_after: timedelta | None) -> None:
        """Close, for as long as the issuer named."""
        ...

    def answered(self, *, began_us: int) -> None:
        """Note that it answered an asking that began then."""
        ...


class _Held:
    """A token with the instants that matter, on the monotonic clock."""

    def __init__(self, token: IssuedToken, *, asked_us: int) -> None:
        life_us = token.lifetime // timedelta(microseconds=1)
        self.text = token.text
        self.renew_us = asked_us + life_us * _RENEW_AT_PERCENT // 100
        # A token whose whole life is shorter than the margin is used for half of it.
        self.dies_us = asked_us + life_us - min(_DYING, life_us // 2)


class TokenSource:
    """Hands out the current token; `async with` it, so that its background renewal ends with it.

    Args:
        issuer: Where tokens come from.
        clock: Time.
        gate: Closed while the issuer throttles.
    """

    def __init__(self, issuer: Issuer, *, clock: Clock, gate: TokenGate) -> None:
        self._issuer = issuer
        self._gate = gate
        self._clock = clock
        self._held: _Held | None = None
        self._acquisition: asyncio.Task[str] | None = None
        self._renew_not_before_us = 0
        self._replaced_us: int | None = None
        self._failure: UpstreamError | None = None
        self._failure_until_us = 0

    async def __aenter__(self) -> Self:
        """Return itself; the first token is fetched when the first caller asks, or by `begin`."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        """End a running acquisition; its waiters are cancelled."""
        if self._acquisition is not None:
            self._acquisition.cancel()
            await asyncio.wait([self._acquisition])

    def begin(self) -> None:
        """Ask for the first token behind everybody's back: no page should wait for it."""
        self._acquire()

    async def token(self) -> str:
        """Return a token that is alive.

        Raises:
            UpstreamError: There is none, and the issuer gave none.
        """
        now_us = self._clock.monotonic_us()
        held = self._held
        if held is not None and now_us < held.dies_us:
            if now_us >= held.renew_us and now_us >= self._renew_not_before_us:
                self._acquire()
            return held.text
        if self._failure is not None and now_us < self._failure_until_us:
            # One exception is raised many times: each time it starts with a trace of its own.
            raise self._failure.with_traceback(None)
        # Shielded: the acquisition belongs to all who wait, not to the first of them.
        return await asyncio.shield(self._acquire())

    def invalidate(self, token: str) -> None:
        """Forget `token` after the ERP refused it; one that was replaced already is no news.

        A replacement that is refused as well is kept for some seconds, so that missing
        rights do not turn every call into a call to the issuer too.
        """
        now_us = self._clock.monotonic_us()
        if self._held is None or self._held.text != token:
            return
        if self._replaced_us is not None and now_us < self._replaced_us + _REPLACE_PAUSE_US:
            return
        self._replaced_us = now_us
        self._held = None

    def _acquire(self) -> asyncio.Task[str]:
        if self._acquisition is None:
            self._acquisition = asyncio.create_task(self._ask_issuer(), name="token acquisition")
            self._acquisition.add_done_callback(self._settle)
        return self._acquisition

    async def _ask_issuer(self) -> str:
        asked_us = self._clock.monotonic_us()
        # Nobody waits for the gate to open: whoever needs a token by then asks again.
        await self._gate.enter(Ticket(CallClass.CHECKOUT), start_by=Deadline(asked_us))
        try:
            token = await self._issuer.issue()
        except UpstreamThrottledError as error:
            self._gate.throttled(error.asked_for)
            raise
        self._gate.answered(began_us=asked_us)
        self._held = _Held(token, asked_us=asked_us)
        return token.text

    def _settle(self, task: asyncio.Task[str]) -> None:
        self._acquisition = None
        # Reading the exception also marks it as seen: a background renewal has no waiter.
        error = None if task.cancelled() else task.exception()
        now_us = self._clock.monotonic_us()
        if not isinstance(error, UpstreamError):
            self._failure = None
            if error is not None:
                # Whoever waits gets it too; of a renewal in the background nobody would know.
                self._renew_not_before_us = now_us + _RENEW_PAUSE_US
                _LOG.error("asking for a token broke", exc_info=error)
            return
        self._failure = error
        # How long a closed gate stays closed is its own affair: an operator may open it.
        self._failure_until_us = now_us + _FAILURE_PAUSE_US
        self._renew_not_before_us = now_us + _RENEW_PAUSE_US
        if self._held is not None and not isinstance(error, CallRefusedError):
            _LOG.warning("token not renewed, the old one serves on: %s", error)
