"""Knows what the ERP and Redis really did, and what that forbids an answer to hold.

It judges by the digits of every price, which tell whose it is and which version of the ERP's
price book it was read from, and by true time: no clock of a process or of Redis counts.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from pricing_proxy.domain.entry import Entry
from pricing_proxy.domain.freshness import Mode, State
from pricing_proxy.prices.query import Quote, QuotedLine
from pricing_proxy.shared_state.ledger import LedgerEntry, ScopeKind, decode
from tests.fakes.places import Place
from tests.fakes.virtual_redis import Appended

SECOND = 1_000_000
LEASE = 5 * SECOND
# What ages of prices from Redis may be wrong by: half of its slowest round trip.
SKEW = 2 * SECOND
_RECENT = 2 * SECOND
_UNIT_PRICE = re.compile(r'"unit_price":"(\d+)\.(\d{4})"')


@dataclass(frozen=True)
class Applied:
    """An invalidation that Redis applied, and the ERP's version then."""

    entry: LedgerEntry
    ledger: str
    at_us: int
    version: int


class Asked(NamedTuple):
    """What was asked and of which ERP, when by true time, and when by the clock of the process."""

    place: Place
    account: str
    mode: Mode
    at_us: int
    own_us: int


@dataclass(kw_only=True)
class Judge:
    """Knows what the ERP and Redis did, and what that forbids an answer to hold.

    Attributes:
        version: Of the ERP's price book.
        applied: What Redis applied and did not lose.
        changed_us: When each version came into force.
        judged: How many lines were judged ...
        judged_verified: ... and how many of them were verified.
        soft_us: Age from which a price is not fresh.
    """

    soft_us: int
    version: int = 1
    changed_us: list[int] = field(default_factory=lambda: [0])
    applied: list[Applied] = field(default_factory=list)
    judged: int = 0
    judged_verified: int = 0

    def note(self, appended: Appended) -> None:
        fields = {name.encode(): value.encode() for name, value in appended.fields.items()}
        entry = decode(appended.id.encode(), fields)
        self.applied.append(Applied(entry, appended.key, appended.at_us, self.version))

    def forget(self, lost: set[tuple[str, int]]) -> None:
        """Ask no more of what Redis lost, by ledger and position: the promise's exception."""
        self.applied = [
            each for each in self.applied if (each.ledger, each.entry.position) not in lost
        ]

    def judge(self, quote: Quote, asked: Asked, *, decided_us: int, is_verified: bool) -> None:
        """Fail for an answer that breaks a promise."""
        for line in quote.lines:
            if line.entry is None:
                assert not line.is_served
                continue
            sku = line.line.sku.strip().upper()
            version = _version_of(line.entry, asked, sku=sku)
            self.judged += 1
            must_know_us = decided_us - LEASE
            if line.is_served and line.is_verified:
                self.judged_verified += 1
                self._judge_verified(sku, asked, version, must_know_us)
            if is_verified:
                self._judge_hard(sku, asked, version, must_know_us)
            if line.is_served and line.state is State.FRESH:
                self._judge_fresh(version, decided_us)
            if asked.mode is Mode.CHECKOUT and line.is_served:
                self._judge_binding(line, version, asked)

    def _judge_fresh(self, version: int, decided_us: int) -> None:
        # The book has moved on since this version was read, so its age is at least that.
        if version < self.version:
            age_us = decided_us - self.changed_us[version]
            assert age_us < self.soft_us + SKEW, f"fresh, but read {age_us} us ago"

    def _judge_binding(self, line: QuotedLine, version: int, asked: Asked) -> None:
        assert line.is_verified, "a flagged price binds"
        assert line.entry is not None
        assert line.entry.loaded_us >= asked.own_us - _RECENT - SKEW, "an old price binds"
        in_force = sum(at <= asked.at_us - _RECENT - SKEW for at in self.changed_us)
        assert version >= in_force, "an old price binds by its digits"

    def _judge_verified(self, sku: str, asked: Asked, version: int, must_know_us: int) -> None:
        for each in self.applied:
            if each.at_us <= must_know_us and _touches(each, asked, sku):
                late_us = must_know_us - each.at_us
                assert version >= each.version, f"a verified price is old, by {late_us} us"

    def _judge_hard(self, sku: str, asked: Asked, version: int, must_know_us: int) -> None:
        for each in self.applied:
            is_known = each.at_us <= must_know_us and _touches(each, asked, sku)
            if is_known and each.entry.is_hard:
                assert version >= each.version, "a price is shown after a hard invalidation"


def _touches(applied: Applied, asked: Asked, sku: str) -> bool:
    scope = applied.entry.scope
    return (
        applied.ledger == asked.place.ledger
        and {
            ScopeKind.ALL: True,
            ScopeKind.CUSTOMER: scope.code.upper() == asked.account,
            ScopeKind.ITEM: scope.code.strip().upper() == sku,
            ScopeKind.PRICE_GROUP: scope.code == "G",
        }[scope.kind]
    )


def _version_of(entry: Entry, asked: Asked, *, sku: str) -> int:
    found = _UNIT_PRICE.search(entry.fragment)
    assert found is not None
    whose, which = found.groups()
    assert whose[-2:] == asked.account[2:], "another customer's price"
    assert which == asked.place.digits_of(sku), "another item's price, or another ERP's"
    return int(whose[:-2])
