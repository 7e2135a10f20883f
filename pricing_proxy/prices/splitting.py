"""Find the lines that make the ERP refuse a whole batch ("poison"), at a bounded price.

The request that met the refusal pays for one halving. The rest of the search runs at
refresh class, so it takes nothing from customers, and ends after a fixed number of calls.
Lines that are suspect from the start are asked for alone, beside the batch.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from pricing_proxy.prices.ports import Wanted
from pricing_proxy.prices.query import Key
from pricing_proxy.resilience.call_class import CallClass, Ticket

# Halving 100 lines down to one bad line takes 12 calls; 16 leave room for a second one nearby.
_CALLS_AT_REFRESH_CLASS = 16
# Suspects of one load that get a call each; more of them share one, and are searched.
_MOST_ALONE = 8


class Outcome(Enum):
    """How one call ended."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """One of its lines may be what the ERP will never take."""
    BROKEN = "broken"
    """The ERP's own code failed at it: for one of its lines, or for a moment."""
    FAILED = "failed"


Ask = Callable[[Sequence[Wanted], Ticket], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The lines left without an answer because the ERP did not take their batch.

    Attributes:
        refused: Each was refused when asked for alone.
        broken: Each was asked for alone, and the ERP's own code failed.
        unexplained: The search ended before it came to them.
        was_accepted: Whether the ERP took any line at all.
    """

    refused: list[Wanted] = field(default_factory=list)
    broken: list[Wanted] = field(default_factory=list)
    unexplained: list[Wanted] = field(default_factory=list)
    was_accepted: bool = False


def batches(
    wanted: Sequence[Wanted], size: int, *, is_suspect: Callable[[Key], bool]
) -> list[Sequence[Wanted]]:
    """Return the calls that a load begins with: suspects alone, as long as they are few."""
    suspects = [line for line in wanted if is_suspect(line.key)]
    if not suspects:
        return _chunks(wanted, size)
    others = [line for line in wanted if line not in suspects]
    alone, many = suspects[:_MOST_ALONE], suspects[_MOST_ALONE:]
    return [*_chunks(others, size), *([line] for line in alone), *_chunks(many, size)]


def _chunks(wanted: Sequence[Wanted], size: int) -> list[Sequence[Wanted]]:
    return [wanted[start : start + size] for start in range(0, len(wanted), size)]


async def load_splitting(ask: Ask, batch: Sequence[Wanted], ticket: Ticket) -> Unanswered:
    """Load a batch, splitting it when the ERP does not take it; return what is left of it.

    Args:
        ask: Loads lines in one call and settles them unless the call is refused or broken.
        batch: At least one line.
        ticket: The class of the request's own calls.
    """
    outcome = await ask(batch, ticket)
    if outcome in _SETTLED:
        return Unanswered(was_accepted=outcome is Outcome.ACCEPTED)
    refresh = ticket.beside(CallClass.REFRESH)
    calls_left = _CALLS_AT_REFRESH_CLASS
    was_accepted = False
    found = Unanswered()
    pending = [(batch, outcome)]
    while pending:
        group, outcome = pending.pop()
        if len(group) == 1:
            (found.refused if outcome is Outcome.REFUSED else found.broken).extend(group)
            continue
        is_first = group is batch
        if not is_first:
            if calls_left < 2:  # noqa: PLR2004 -- the two halves
                found.unexplained.extend(group)
                continue
            calls_left -= 2
        for half in _halves(group):
            outcome = await ask(half, ticket if is_first else refresh)
            was_accepted |= outcome is Outcome.ACCEPTED
            if outcome not in _SETTLED:
                pending.append((half, outcome))
    return Unanswered(found.refused, found.broken, found.unexplained, was_accepted)


_SETTLED = (Outcome.ACCEPTED, Outcome.FAILED)


def _halves(group: Sequence[Wanted]) -> tuple[Sequence[Wanted], Sequence[Wanted]]:
    middle = len(group) // 2
    return group[:middle], group[middle:]
