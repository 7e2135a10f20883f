"""Who orders in the storm: customers and guests of two markets that number alike, and twins.

The twins registered with one tax number, written differently, in two store views. The first
gets an account; the second finds it taken, and waits for a person together with its orders.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.configuration import GUEST_ACCOUNT, MARKET, NAMED, NEIGHBOUR
from tests.chaos.figures import Figure
from tests.chaos.processes import ChaosError
from tests.chaos.stage import Stage

_FIRST_EMAIL = "first@twins.example"
_FIRST = {"taxvat": "DE999888777", "email": _FIRST_EMAIL, "store": 3}
_SECOND = {"taxvat": "de 999 888 777", "email": "second@twins.example", "store": 4}
_ABROAD = 3


@dataclass(slots=True)
class Crowd:
    """Everybody who orders on a stage, in turns.

    Attributes:
        on: The stage.
        first: The twin who registered before the storm, by the shop's id.
        second: The one who registers later; 0 until then.
        placed: Orders so far.
        of_second: How many of them are the second twin's.
    """

    on: Stage
    first: int
    second: int = 0
    placed: int = 0
    of_second: int = 0
    _turns: list[Mapping[str, Any]] = field(default_factory=list)

    @classmethod
    def gathered(cls, on: Stage) -> "Crowd":
        """Let everybody but the second twin register, where all stores number alike."""
        on.number_alike()
        abroad = [on.register(website=NEIGHBOUR, taxvat=f"BE{n}") for n in range(_ABROAD)]
        crowd = cls(on, first=on.register(**_FIRST))
        # Of the first two, the kinds choose the customer: one of the named, or a guest.
        crowd._turns += [
            {"store": 3},
            {"store": 4},
            {"store": 2, "guest": True},
            *({"store": 2, "customer": one} for one in abroad),
            {"store": 3, "customer": crowd.first},
        ]
        return crowd

    def order(self, count: int) -> None:
        """Place orders, one after the other in the turns of all."""
        for _ in range(count):
            members = self._turns[self.placed % len(self._turns)]
            self.on.order(1, **members)
            self.placed += 1
            self.of_second += members.get("customer") == self.second

    def complete(self) -> bool:
        """Let the second twin register and order like the others, once the first has an account.

        Return whether that has happened.
        """
        if not self.second and self.on.accounts_of(_FIRST_EMAIL):
            self.second = self.on.register(**_SECOND)
            self._turns.append({"store": 4, "customer": self.second})
        return self.second > 0

    def judged(self, *, wait_seconds: float) -> bool:
        """Return whether the judge finds no fault while the second twin waits for a person."""
        words = [*self._accounts(NAMED), f"--waiting={self.second}"]
        return self.on.judged(self.placed, *words, wait_seconds=wait_seconds)

    def approved(self, *, wait_seconds: float) -> list[Figure]:
        """Say that the twins are one company, and return what the judge then finds."""
        if not self.second:
            raise ChaosError("the second twin never registered: the storm was too short")
        self.on.sync("approve", f"{MARKET}/{self.second}", "--yes")
        [account] = self.on.accounts_of(_FIRST_EMAIL)
        agreed = {**NAMED, self.first: account, self.second: account}
        is_good = self.on.judged(self.placed, *self._accounts(agreed), wait_seconds=wait_seconds)
        return [
            Figure(
                name="after approve, its orders delivered once",
                value="all zero" if is_good else "not all zero",
                bar="all zero",
                is_met=is_good,
            )
        ]

    def waiting(self) -> list[Figure]:
        """Return how the second twin and its orders show in `d365-sync failed`."""
        told = json.loads(self.on.sync("failed", "--json"))
        held = [one for one in told if one["flow"] == "customers" and one["state"] == "held"]
        orders = [one for one in told if one["flow"] == "orders"]
        return [
            Figure(
                name="registrations held, visibly",
                value=str(len(held)),
                bar="= 1",
                is_met=len(held) == 1,
            ),
            Figure(
                name="its orders that wait, visibly",
                value=str(len(orders)),
                bar=f"= {self.of_second}",
                is_met=len(orders) == self.of_second > 0,
            ),
        ]

    def _accounts(self, agreed: Mapping[int, str]) -> list[str]:
        pairs = [f"--account={customer}={account}" for customer, account in agreed.items()]
        return [f"--guest-account={GUEST_ACCOUNT}", *pairs]
