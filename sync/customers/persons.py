"""Let one event at a time find or make an account by what was typed, in one company.

Two may register with one tax number, or one person on several websites, at one instant. Whose
account that becomes is decided by whoever is first; each event must see what the other has
done, and between the ERP's commit of an account and its link the other would see half of it.
So everything that could find the same account is claimed: e-mail address, tax number, company,
and the account that the attribute names.

Claims are kept until the account is linked. Whoever finds another's claim comes again later. A
claim that a dead worker left is taken over once no write of its holder can arrive any more; so
it is renewed before each write, and a write without it is not sent. One that another had
meanwhile is not renewed, even if nobody has it now: that one has looked, and written.
"""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Protocol

from pricing_proxy.http_exchange import Guard
from pricing_proxy.resilience.errors import CallRefusedError
from sync.customers.mapping import company_of, tax_number_of
from sync.customers.matching import attribute_of
from sync.customers.rules import CustomerRules
from sync.customers.tax_numbers import number_core
from sync.engine.flow import Work
from sync.engine.outcomes import RetryLaterError
from sync.magento.customer_models import ShopCustomer

# Looked again after half a second, a second, and so on: the other is done soon, as a rule; and a
# stale claim is taken over before an event has had its twenty attempts.
_PAUSES = 130
# Between the renewal of a claim and the wire stands one more statement of the database.
_MARGIN = timedelta(seconds=5)
_SYSTEM = "fo"


class KeptClaims(Protocol):
    """Where claims are kept, for all markets of a company together."""

    async def take(self, key: str, holder: str, *, lasting: timedelta) -> bool:
        """Claim or renew; return False while it is another's."""
        ...

    async def keep(self, key: str, holder: str, *, lasting: timedelta) -> bool:
        """Renew a claim; return False when another has it, or had it meanwhile."""
        ...

    async def release(self, key: str, holder: str) -> None:
        """Give it back, if it is the holder's."""
        ...


class Persons:
    """What the customers of one market's company have typed.

    Args:
        claims: Where what is looked for is claimed.
    """

    def __init__(self, claims: KeptClaims) -> None:
        self._claims = claims

    @asynccontextmanager
    async def alone(
        self, work: Work, customer: ShopCustomer, rules: CustomerRules
    ) -> AsyncIterator[Guard]:
        """Keep other events from looking for what this customer typed.

        What is yielded must be asked before each write: it raises when another event may look
        by now.

        Raises:
            RetryLaterError: Another event does so right now.
        """
        keys = claimed_keys(customer, rules)
        holder = f"{work.event.market}/{customer.id}"
        # No write arrives later than this after its claim was renewed.
        lasting = work.longest[_SYSTEM] + _MARGIN
        pause = lasting / _PAUSES * max(work.event.attempts, 1)

        async def have(claim: Callable[..., Awaitable[bool]], refusal: Exception) -> None:
            """Claim or renew everything, in an order that is everybody's."""
            for key in keys:
                if not await claim(key, holder, lasting=lasting):
                    raise refusal

        async def is_alone() -> None:
            refusal = CallRefusedError(_TAKEN, system=_SYSTEM, retry_after=pause)
            await have(self._claims.keep, refusal)

        try:
            await have(self._claims.take, RetryLaterError(_TAKEN, after=pause))
            yield is_alone
        except Exception:
            # An unclear write may still arrive: nobody else may look before.
            if not await work.unacknowledged():
                await self._give_back(keys, holder)
            raise
        await self._give_back(keys, holder)

    async def _give_back(self, keys: Sequence[str], holder: str) -> None:
        for key in keys:
            await self._claims.release(key, holder)


def claimed_keys(customer: ShopCustomer, rules: CustomerRules) -> list[str]:
    """Return what to claim, sorted; kept without saying whose it is."""
    typed = {
        "": customer.email.strip().casefold(),
        "tax number ": number_core(tax_number_of(customer)),
        "account ": attribute_of(customer, rules).casefold(),
        # A company's people may all be registered at once: only where its name finds accounts.
        "company ": company_of(customer).casefold() if "company" in rules.match else "",
    }
    texts = (f"{kind}{text}" for kind, text in typed.items() if text)
    return sorted(hashlib.sha256(text.encode()).hexdigest() for text in texts)


_TAKEN = "what this customer typed is being looked for by another's event"
