"""One circuit breaker at work: the pure state machine with a clock, dice and a log.

`acquire` gives a permit or refuses; whoever holds a permit gives it back once through
`settle`, in a `finally`, so that a cancelled probe never blocks the next one. One line is
logged when the other side is lost and one when it is back; `on_change` hears every move.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from pricing_proxy.clock import MICROSECONDS_PER_SECOND, Clock
from pricing_proxy.resilience.breaker_events import (
    CallAdmitted,
    CallAsked,
    ClosingOrdered,
    Effect,
    Ended,
    Event,
    IsolationOrdered,
    Permit,
    Phase,
    PhaseChanged,
    Refused,
)
from pricing_proxy.resilience.breaker_settings import BreakerSettings
from pricing_proxy.resilience.breaker_state import BreakerState, live_probes, step, totals
from pricing_proxy.resilience.errors import CallRefusedError, UpstreamError, words_of
from pricing_proxy.resilience.evidence import Evidence, weigh

_log = logging.getLogger(__name__)

Listener = Callable[[str, PhaseChanged], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerView:
    """What `/status` shows of a breaker; durations count from the moment of looking.

    Attributes:
        name: The system and operation class it guards.
        phase: Where it stands.
        lost_for_us: Time since it left CLOSED; None while closed.
        next_probe_us: Time until a probe may go, 0 when it may now; None when none is due.
        calls: Calls within the last ten seconds.
        failures: How many of them failed.
        slow: How many of them were slow.
        probes: Probes under way.
    """

    name: str
    phase: Phase
    lost_for_us: int | None
    next_probe_us: int | None
    calls: int
    failures: int
    slow: int
    probes: int


class Breaker:
    """Admits calls to one operation class of one system while it is healthy."""

    def __init__(
        self,
        *,
        system: str,
        name: str,
        clock: Clock,
        chance: Callable[[], float],
        settings: BreakerSettings | None = None,
    ) -> None:
        """Begin closed.

        Args:
            system: For errors: "fo", "redis".
            name: For logs and views: "fo price_read".
            clock: Time.
            chance: Draws from [0, 1) for the jitter.
            settings: Thresholds; an ERP's when not given.
        """
        self.name = name
        self._system = system
        self._clock = clock
        self._chance = chance
        self._settings = settings or BreakerSettings()
        self._state = BreakerState()
        self._cause = ""
        self._listeners: list[Listener] = []

    @property
    def is_closed(self) -> bool:
        """Whether calls pass freely."""
        return self._state.phase is Phase.CLOSED

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(name, change)` after every move; return what ends that.

        A listener must not raise.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def check(self, *, may_probe: bool) -> None:
        """Raise what `acquire` would raise, but take nothing.

        Raises:
            CallRefusedError: The breaker is not closed for this caller.
        """
        self._admitted(step(self._state, CallAsked(may_probe), self._now(), self._settings)[1])

    def acquire(self, *, may_probe: bool) -> Permit:
        """Return a permit, to be given back with `settle`.

        Raises:
            CallRefusedError: The breaker is not closed for this caller.
        """
        return self._admitted(self._apply(CallAsked(may_probe)))

    def settle(
        self, permit: Permit, error: BaseException | None, *, wire_us: int, lines: int = 1
    ) -> Evidence:
        """Give the permit back and learn from how the call ended.

        Args:
            permit: What `acquire` returned.
            error: What the call raised; None when it answered.
            wire_us: Its time on the wire.
            lines: The size of its batch.
        """
        evidence = weigh(error)
        if isinstance(error, UpstreamError) and evidence is not Evidence.NONE:
            self._cause = words_of(error)
        if evidence is Evidence.TIMED_OUT and wire_us < self._settings.fair_timeout_us:
            evidence = Evidence.NONE
        is_slow = self._settings.slow.is_slow(wire_us, lines=lines)
        chance = self._chance()
        self._apply(Ended(permit=permit, evidence=evidence, is_slow=is_slow, chance=chance))
        return evidence

    def is_straining(self, wire_us: int, *, lines: int) -> bool:
        """Say whether a call took so long that fewer of them at once are called for."""
        return self._settings.slow.is_straining(wire_us, lines=lines)

    def isolate(self) -> None:
        """Let nothing through until `close` is called."""
        self._apply(IsolationOrdered())

    def close(self) -> None:
        """Let calls through again and forget what led here."""
        self._apply(ClosingOrdered())

    def next_probe_us(self) -> int | None:
        """Return the time until a probe may go; None while closed or isolated."""
        match self._state.phase:
            case Phase.OPEN:
                return max(0, self._state.probe_at_us - self._now())
            case Phase.HALF_OPEN:
                return 0
            case _:
                return None

    def probe_due(self) -> bool:
        """Say whether a probe may go and nobody's call serves as one."""
        return self.next_probe_us() == 0 and not live_probes(self._state, self._now())

    def view(self) -> BreakerView:
        """Return what `/status` shows."""
        state, now_us = self._state, self._now()
        window = totals(state, now_us)
        return BreakerView(
            name=self.name,
            phase=state.phase,
            lost_for_us=None if state.lost_at_us is None else now_us - state.lost_at_us,
            next_probe_us=self.next_probe_us(),
            calls=window.calls,
            failures=window.failures,
            slow=window.slow,
            probes=len(live_probes(state, now_us)),
        )

    def _now(self) -> int:
        return self._clock.monotonic_us()

    def _admitted(self, effects: tuple[Effect, ...]) -> Permit:
        """Return the permit among `effects`, or raise the refusal."""
        for effect in effects:
            if isinstance(effect, CallAdmitted):
                return effect.permit
        retry_us = next(effect.retry_us for effect in effects if isinstance(effect, Refused))
        raise CallRefusedError(
            f"{self.name}: the circuit breaker is {self._state.phase}{self._since()}",
            system=self._system,
            retry_after=timedelta(microseconds=retry_us),
        )

    def _since(self) -> str:
        isolated = self._state.phase is Phase.ISOLATED
        return "" if isolated or not self._cause else f", since {self._cause}"

    def _apply(self, event: Event) -> tuple[Effect, ...]:
        before = self._state
        self._state, effects = step(before, event, self._now(), self._settings)
        for effect in effects:
            if isinstance(effect, PhaseChanged):
                self._log_change(before, effect)
                for listener in tuple(self._listeners):
                    listener(self.name, effect)
        return effects

    def _log_change(self, before: BreakerState, change: PhaseChanged) -> None:
        if change.before is Phase.CLOSED:
            _log.warning("%s: lost, %s%s", self.name, change.reason, self._since())
        elif change.after is Phase.CLOSED and before.lost_at_us is not None:
            seconds = (self._now() - before.lost_at_us) / MICROSECONDS_PER_SECOND
            _log.info("%s: back after %.0f s, %s", self.name, seconds, change.reason)
