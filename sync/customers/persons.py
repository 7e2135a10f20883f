"""Let one event at a time find or make the account of a person in one company.

One person may register on several websites at one instant. Whether that becomes one account
or several is configured; but each event must see what the other has done, and between the
ERP's commit of an account and the entry in the entity map the other would see half of it.

A claim is kept until the account is in the map. Whoever finds another's claim comes again
later. A claim that a dead worker left is taken over once no write of its holder can arrive
any more; so it is renewed before each write, and a write without it is not sent.
"""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol, TypeVar

from pricing_proxy.http_exchange import Guard
from pricing_proxy.resilience.errors import CallRefusedError
from sync.engine.flow import Work
from sync.engine.outcomes import RetryLaterError
from sync.magento.master_models import Customer

T = TypeVar("T")

KIND = "customer_person"
# Looked again after half a second, a second, and so on: the other is done soon, as a rule; and a
# stale claim is taken over before an event has had its twenty attempts.
_PAUSES = 130
# Between the renewal of a claim and the wire stands one more statement of the database.
_MARGIN = timedelta(seconds=5)
_SYSTEM = "fo"


class Claims(Protocol):
    """Where claims are kept, for all markets of a company together."""

    async def claim(self, kind: str, key: str, holder: str, *, stale_after: timedelta) -> bool:
        """Take or renew a claim; say whether it is the holder's now."""
        ...

    async def release(self, kind: str, key: str, holder: str) -> None:
        """Give it back, if it is the holder's."""
        ...


class Persons:
    """The persons of one market's company.

    Args:
        claims: None where no other market has the company.
        longest: No request to the ERP is finished later than this after it was sent.
    """

    def __init__(self, claims: Claims | None, *, longest: timedelta) -> None:
        self._claims = claims
        # Nobody else's write arrives later than this after its claim was renewed.
        self._stale_after = longest + _MARGIN

    async def alone(
        self, work: Work, customer: Customer, find: Callable[[Guard], Awaitable[T]]
    ) -> T:
        """Return what `find` returns, while no other event looks for this person's account.

        Args:
            work: The event at work.
            customer: The person, by e-mail address.
            find: Finds or makes the account and puts it into the map; given what it must ask before
                each write, which raises when another event may look by now.

        Raises:
            RetryLaterError: Another event does so right now.
        """
        claims, email = self._claims, customer.email.strip().casefold()
        if claims is None or not email:
            return await find(_nobody_else)
        # Kept without saying whose it is.
        key = hashlib.sha256(email.encode()).hexdigest()
        holder = f"{work.event.market}/{customer.id}"
        pause = self._stale_after / _PAUSES * max(work.event.attempts, 1)

        async def is_ours() -> bool:
            return await claims.claim(KIND, key, holder, stale_after=self._stale_after)

        async def is_alone() -> None:
            if not await is_ours():
                raise CallRefusedError(_TAKEN, system=_SYSTEM, retry_after=pause)

        if not await is_ours():
            raise RetryLaterError(_TAKEN, after=pause)
        try:
            found = await find(is_alone)
        except Exception:
            # An unclear write may still arrive: nobody else may look before.
            if not await work.unacknowledged():
                await claims.release(KIND, key, holder)
            raise
        await claims.release(KIND, key, holder)
        return found


async def _nobody_else() -> None:
    """Raise nothing: no other market has the company."""


_TAKEN = "the same person's account is being looked for by another website's event"
