"""Ask the ERP for lines of a flight, and settle each by what it says.

An ERP failure fails the keys it concerns and pauses them; it is never stored. So does a line
that was answered, but with nothing to show. An answer is delivered whatever happened
meanwhile, and kept only if nothing invalidated it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from pricing_proxy.domain.entry import Entry
from pricing_proxy.domain.price import NoPrice, Price, Unusable
from pricing_proxy.prices.basis import Basis
from pricing_proxy.prices.entries import ReadStamp, entry_of
from pricing_proxy.prices.failures import FailureMemory, reason_of, retry_after_us
from pricing_proxy.prices.flights import Arrival, Flight
from pricing_proxy.prices.invalidations import is_current
from pricing_proxy.prices.odd_answers import OddAnswers
from pricing_proxy.prices.ports import Wanted
from pricing_proxy.prices.query import Context, Failure, Key
from pricing_proxy.prices.refusals import REFUSED
from pricing_proxy.prices.scope_marks import LONG_AGO_US
from pricing_proxy.prices.source_health import SourceHealth
from pricing_proxy.prices.splitting import Outcome, batches, load_splitting
from pricing_proxy.resilience.call_class import Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.errors import (
    CallRefusedError,
    PermanentUpstreamError,
    UpstreamContractError,
    UpstreamError,
    UpstreamMismatchError,
    UpstreamRejectedError,
)

# What a line of the batch may have caused: a refusal of what was asked ...
_REFUSED = (400, 422)
# ... or an exception in the ERP's code, which may as well be a deadlock that is over by now.
_BROKEN = 500


class ErpLoads:
    """Asks each market's source.

    Args:
        basis: The markets' sources, and where this process remembers what came.
        failures: Where failed keys are remembered.
        health: Told how loads end.
        odd: Judges the lines of answers.
        land: Settles one key of a flight.
    """

    def __init__(
        self,
        basis: Basis,
        *,
        failures: FailureMemory,
        health: SourceHealth,
        odd: OddAnswers,
        land: Callable[[Flight, Key, Arrival | Failure], None],
    ) -> None:
        self._basis = basis
        self._failures = failures
        self._health = health
        self._odd = odd
        self._land = land

    def batches(self, flight: Flight, left: Sequence[Wanted]) -> list[Sequence[Wanted]]:
        """Return the calls by which to ask for lines of a flight."""
        size = self._basis.markets[flight.context.market].source.max_lines
        is_suspect = partial(self._failures.is_suspect, flight.context)
        return batches(left, size, is_suspect=is_suspect)

    async def load(self, flight: Flight, chunk: Sequence[Wanted], loaded: dict[Key, Entry]) -> None:
        """Ask for some lines of a flight and settle each; what may be kept is added to `loaded`."""
        basis = self._basis
        began_us = basis.clock.monotonic_us()
        errors: list[UpstreamError] = []

        async def ask(lines: Sequence[Wanted], ticket: Ticket) -> Outcome:
            market = flight.context.market
            position = basis.invalidations.position(market)
            stamp = ReadStamp(basis.clock.monotonic_us(), basis.clock.utc(), position)
            try:
                answers = await basis.markets[market].source.load(
                    flight.customer,
                    flight.context,
                    lines,
                    ticket=ticket,
                    deadline=Deadline(flight.deadline_us),
                )
            except UpstreamError as error:
                errors.append(error)
                return self._failed(flight, lines, error)
            self._failures.refusals.note_accepted(market)
            said = self._judged(flight.context, lines, answers)
            loaded.update(self._settle(flight, lines, said, stamp.across_sleep(basis.clock)))
            return Outcome.ACCEPTED

        found = await load_splitting(ask, chunk, flight.ticket)
        for wanted in found.refused:
            failure = self._failures.note_refusal(flight.context, wanted.key, began_us=began_us)
            self._land(flight, wanted.key, failure)
        for wanted in found.broken:
            self._pause(flight, wanted.key, REFUSED, was_alone=True)
        if not found.was_accepted and len(found.refused) + len(found.broken) > 1:
            self._health.note_failed(flight.context, errors[-1], of_lines=True)
        for wanted in found.unexplained:
            self._pause(flight, wanted.key, REFUSED)
        flight.announce()

    def _judged(
        self,
        context: Context,
        lines: Sequence[Wanted],
        answers: Mapping[Key, Price | NoPrice | Unusable],
    ) -> dict[Key, Price | NoPrice | Unusable]:
        """Return what to make of each line, and note whether any could be read at all."""
        market = self._basis.markets[context.market]
        said = {line.key: self._odd.judged(answers.get(line.key), line, market) for line in lines}
        if not all(isinstance(each, Unusable) and not each.is_stated for each in said.values()):
            self._health.note_accepted(context.market)
        elif len(lines) > 1:
            # One line may be odd for itself; a whole answer without a readable one is no answer.
            error = UpstreamContractError("no line can be read", system="erp")
            self._health.note_failed(context, error, of_lines=True)
        return said

    def _settle(
        self,
        flight: Flight,
        lines: Sequence[Wanted],
        said: Mapping[Key, Price | NoPrice | Unusable],
        stamp: ReadStamp,
    ) -> dict[Key, Entry]:
        """Deliver the answered lines; return the entries that may be kept."""
        basis, market = self._basis, self._basis.markets[flight.context.market]
        marks, slept_us = basis.marks(flight.context, flight.customer), basis.watch.slept_us()
        kept: dict[Key, Entry] = {}
        for wanted in lines:
            answer = said[wanted.key]
            if isinstance(answer, Unusable):
                self._pause(flight, wanted.key, answer.reason)
                continue
            item_number = wanted.item.item_number
            changed_us = marks.changed_us(item_number) if marks else LONG_AGO_US
            entry = entry_of(
                answer,
                wanted,
                flight.context,
                stamp,
                market=market,
                changed_us=changed_us,
                draw=basis.draw,
            )
            self._failures.note_success(flight.context, wanted.key)
            self._land(flight, wanted.key, Arrival(entry, "source", slept_us))
            if is_current(marks, item_number, stamp.position, stamp.began_us):
                kept[wanted.key] = entry
        self._basis.memory.remember(flight.context, kept)
        flight.announce()
        return kept

    def _failed(self, flight: Flight, lines: Sequence[Wanted], error: UpstreamError) -> Outcome:
        """Return how a call ended; what no line of it can have caused is settled."""
        outcome = _outcome(error)
        if outcome is Outcome.FAILED:
            self._fail(flight, lines, error)
            if isinstance(error, PermanentUpstreamError):
                self._health.note_failed(flight.context, error, of_lines=False)
        return outcome

    def _fail(self, flight: Flight, lines: Sequence[Wanted], error: UpstreamError) -> None:
        reason = reason_of(error)
        for wanted in lines:
            if isinstance(error, CallRefusedError):
                # Nothing was sent, so this says nothing about the key: no growing pause.
                retry_us = self._basis.clock.monotonic_us() + retry_after_us(error)
                self._land(flight, wanted.key, Failure(reason, retry_us))
            else:
                self._pause(flight, wanted.key, reason, pause_us=retry_after_us(error))
        flight.announce()

    def _pause(
        self, flight: Flight, key: Key, reason: str, *, pause_us: int = 0, was_alone: bool = False
    ) -> None:
        failure = self._failures.note_failure(flight.context, key, reason, was_alone=was_alone)
        named_us = self._basis.clock.monotonic_us() + pause_us
        failure = Failure(reason, max(failure.retry_after_us, named_us))
        self._land(flight, key, failure)


def _outcome(error: UpstreamError) -> Outcome:
    if isinstance(error, UpstreamMismatchError):
        # Asked for in parts, each line is its own again, and only the odd one is left out.
        return Outcome.BROKEN
    if not isinstance(error, UpstreamRejectedError):
        return Outcome.FAILED
    if error.status in _REFUSED:
        return Outcome.REFUSED
    return Outcome.BROKEN if error.status == _BROKEN else Outcome.FAILED
