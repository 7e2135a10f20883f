"""The rate gate of one app registration: who may start a call, and from when.

A throttled answer closes it for every caller of the app in this process; `on_closed`
tells the other processes, and `close_until` brings their news in. A call whose deadline
ends before the gate opens is refused at once; the rest wait and are let through by
class, on a ramp that doubles each second, so that recovery never stampedes. A wish for more
than ten minutes is not obeyed, and the log says so; an operator may open the gate at once.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock
from pricing_proxy.resilience import gate_state
from pricing_proxy.resilience.call_class import CallClass, Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.errors import CallRefusedError
from pricing_proxy.resilience.gate_state import GateSettings, GateState
from pricing_proxy.resilience.waiting_line import WaitingLine

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateView:
    """What `/status` shows of a gate.

    Attributes:
        name: The environment and app it belongs to.
        is_closed: Whether no call starts.
        opens_in_us: Time until it opens; 0 when open.
        is_ramping: Whether it is open, but rations starts.
        waiting: Waiting calls by class.
    """

    name: str
    is_closed: bool
    opens_in_us: int
    is_ramping: bool
    waiting: dict[str, int]


class Gate:
    """Lets calls of one app start when the upstream bears them."""

    def __init__(
        self,
        *,
        system: str,
        name: str,
        clock: Clock,
        chance: Callable[[], float],
        on_closed: Callable[[timedelta], None] | None = None,
        settings: GateSettings | None = None,
    ) -> None:
        """Begin open.

        Args:
            system: For errors.
            name: For logs, views: environment and app.
            clock: Time.
            chance: Draws from [0, 1) for the spread.
            on_closed: Told for how long this process's own throttling closes the gate,
                before spreading, so that each process adds its own; must not raise.
            settings: Waits and ramp; those of the pricing app when not given.
        """
        self.name = name
        self._system = system
        self._clock = clock
        self._chance = chance
        self._on_closed = on_closed
        self._settings = settings or GateSettings()
        self._state = GateState()
        self._closed_at_us: int | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._line = WaitingLine(
            system=system,
            purpose=f"{name}: the rate gate's turn",
            clock=clock,
            on_lift=self._dispatch,
            # A start that is not used stays counted: the ramp is a ceiling, not a goal.
            on_returned=lambda _klass: None,
        )

    async def enter(self, ticket: Ticket, *, start_by: Deadline) -> None:
        """Return when the call may start.

        Raises:
            CallRefusedError: It could not start before `start_by`; `retry_after` says when
                the gate opens.
        """
        self._dispatch()
        if self._try_start(ticket.klass):
            return
        now_us = self._clock.monotonic_us()
        next_us = gate_state.next_chance_us(self._state, now_us)
        if start_by.has_passed(next_us):
            raise self._too_late(next_us - now_us)
        self._wake_at(next_us)
        await self._line.wait(ticket, start_by=start_by)

    def refusal(self, klass: CallClass, *, start_by: Deadline) -> CallRefusedError | None:
        """Return what `enter` would raise at once, None when it would not; takes nothing."""
        now_us = self._clock.monotonic_us()
        if gate_state.try_start(self._state, klass, now_us, self._settings) is not None:
            return None
        next_us = gate_state.next_chance_us(self._state, now_us)
        return self._too_late(next_us - now_us) if start_by.has_passed(next_us) else None

    def throttled(self, retry_after: timedelta | None) -> None:
        """Close after the upstream asked to slow down; None if it did not say for how long."""
        now_us = self._clock.monotonic_us()
        asked_us = None if retry_after is None else retry_after // timedelta(microseconds=1)
        wait_us, self._state = gate_state.wait_when_throttled_us(
            self._state, asked_us, now_us, self._settings
        )
        if not self.close_until(now_us + wait_us):
            return
        if asked_us is not None and asked_us > wait_us:
            _log.warning(
                "%s: a wait of %.0f s was asked for; no more than %.0f s are waited",
                self.name,
                asked_us / MICROSECONDS_PER_SECOND,
                wait_us / MICROSECONDS_PER_SECOND,
            )
        if self._on_closed is not None:
            self._on_closed(timedelta(microseconds=wait_us))

    def open(self) -> None:
        """End a closing at once, as an operator wishes; calls come back on the ramp."""
        before, now_us = self._state, self._clock.monotonic_us()
        self._state = gate_state.open_now(before, now_us)
        if self._state != before:
            _log.warning("%s: opened by an operator", self.name)
            self._closed_at_us = None
            self._dispatch()

    def close_until(self, until_us: int) -> bool:
        """Close until then, at least; return whether that is later than what held before."""
        now_us = self._clock.monotonic_us()
        before = self._state
        self._state = gate_state.close(before, until_us, now_us, self._chance(), self._settings)
        if self._state == before:
            return False
        if self._closed_at_us is None:
            self._closed_at_us = now_us
            seconds = (self._state.closed_until_us - now_us) / MICROSECONDS_PER_SECOND
            _log.warning("%s: throttled, no call for %.1f s", self.name, seconds)
        self._line.refuse_hopeless(self._state.closed_until_us)
        self._dispatch()
        return True

    def answered(self, *, began_us: int) -> None:
        """Note that a call that began then was answered without throttling."""
        self._state = gate_state.answered(self._state, began_us)

    def start_ramp(self) -> None:
        """Ration starts as after a closing: the system behind the gate has just come back."""
        self._state = gate_state.start_ramp(self._state, self._clock.monotonic_us())

    @property
    def is_open(self) -> bool:
        """Whether calls start freely: neither closed nor rationed."""
        now_us = self._clock.monotonic_us()
        is_ramping = gate_state.is_ramping(self._state, now_us, self._settings)
        return not self._state.is_closed(now_us) and not is_ramping

    def view(self) -> GateView:
        """Return what `/status` shows."""
        now_us = self._clock.monotonic_us()
        return GateView(
            name=self.name,
            is_closed=self._state.is_closed(now_us),
            opens_in_us=max(0, self._state.closed_until_us - now_us),
            is_ramping=gate_state.is_ramping(self._state, now_us, self._settings),
            waiting=self._line.waiting(),
        )

    def _too_late(self, wait_us: int) -> CallRefusedError:
        return CallRefusedError(
            f"{self.name}: the rate gate opens too late",
            system=self._system,
            retry_after=timedelta(microseconds=wait_us),
        )

    def _try_start(self, klass: CallClass) -> bool:
        now_us = self._clock.monotonic_us()
        started = gate_state.try_start(self._state, klass, now_us, self._settings)
        if started is None:
            return False
        self._state = started
        if self._closed_at_us is not None:
            seconds = (now_us - self._closed_at_us) / MICROSECONDS_PER_SECOND
            _log.info("%s: open again after %.1f s", self.name, seconds)
            self._closed_at_us = None
        return True

    def _dispatch(self) -> None:
        """Let in whoever may start now; come back when that may change."""
        while True:
            started = next((w for w in self._line.heads() if self._try_start(w.klass)), None)
            if started is None:
                break
            self._line.grant(started)
        if len(self._line) > 0:
            now_us = self._clock.monotonic_us()
            self._wake_at(gate_state.next_chance_us(self._state, now_us))

    def _wake_at(self, at_us: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        wait_us = max(0, at_us - self._clock.monotonic_us())
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(wait_us / MICROSECONDS_PER_SECOND, self._dispatch)
