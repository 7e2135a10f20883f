"""Find the lines that make the ERP refuse a whole batch ("poison"), at a bounded price.

The request that met the refusal pays for one halving. The rest of the search runs at
refresh class, so it takes nothing from customers, and ends after a fixed number of calls.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from pricing_proxy.prices.ports import Wanted
from pricing_proxy.resilience.call_class import CallClass, Ticket

# Halving 100 lines down to one bad line takes 12 calls; 16 leave room for a second one nearby.
_CALLS_AT_REFRESH_CLASS = 16


class Outcome(Enum):
    """How one call ended."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    FAILED = "failed"


Ask = Callable[[Sequence[Wanted], Ticket], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class Refused:
    """The lines left without an answer because the ERP refused their batch.

    Attributes:
        poison: Each was refused alone, while other lines of the batch were accepted.
        unexplained: The search ended before it came to them, or nothing was accepted at all.
    """

    poison: Sequence[Wanted] = ()
    unexplained: Sequence[Wanted] = ()


async def load_splitting(ask: Ask, batch: Sequence[Wanted], ticket: Ticket) -> Refused:
    """Load a batch, splitting it when refused; return the lines that stay refused.

    Args:
        ask: Loads lines in one call and settles them unless the call is refused.
        batch: At least one line.
        ticket: The class of the request's own calls.
    """
    if await ask(batch, ticket) is not Outcome.REFUSED:
        return Refused()
    refresh = ticket.beside(CallClass.REFRESH)
    calls_left = _CALLS_AT_REFRESH_CLASS
    was_accepted = False
    pending, alone, unexplained = [batch], list[Wanted](), list[Wanted]()
    while pending:
        group = pending.pop()
        if len(group) == 1:
            alone += group
            continue
        is_first = group is batch
        if not is_first:
            if calls_left < 2:  # noqa: PLR2004 -- the two halves
                unexplained += group
                continue
            calls_left -= 2
        for half in _halves(group):
            outcome = await ask(half, ticket if is_first else refresh)
            was_accepted |= outcome is Outcome.ACCEPTED
            if outcome is Outcome.REFUSED:
                pending.append(half)
    if was_accepted:
        return Refused(alone, unexplained)
    # Nothing at all was accepted: the call itself is at fault, not every single line.
    return Refused((), [*alone, *unexplained])


def _halves(group: Sequence[Wanted]) -> tuple[Sequence[Wanted], Sequence[Wanted]]:
    middle = len(group) // 2
    return group[:middle], group[middle:]
