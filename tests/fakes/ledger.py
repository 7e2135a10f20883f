"""A ledger that every process reads at once: for tests of what follows from an invalidation."""

from collections.abc import Callable

from pricing_proxy.domain.freshness import Level
from pricing_proxy.prices.invalidations import Invalidations
from pricing_proxy.shared_state.ledger import LedgerEntry, Scope
from pricing_proxy.shared_state.maps import SharedStateError


class FakeLedger:
    """A `prices.invalidations.Ledger`.

    Attributes:
        is_cut: Appending fails.
        readers: What every process knows.
        appended: The scopes of all that was appended, in order.
    """

    def __init__(self) -> None:
        self.is_cut = False
        self.readers: list[tuple[Invalidations, Callable[[], int]]] = []
        self.appended: list[Scope] = []
        self._position = 1_000_000

    async def append(self, market: str, scope: Scope, *, is_hard: bool, reason: str) -> int:
        assert reason
        if self.is_cut:
            raise SharedStateError("cut")
        return self.put(market, scope, Level.HARD if is_hard else Level.SOFT)

    def put(self, market: str, scope: Scope, level: Level) -> int:
        """Append, and have every process read it."""
        self.appended.append(scope)
        self._position += 1
        entry = LedgerEntry(self._position, scope, level is Level.HARD)
        for invalidations, now_us in self.readers:
            invalidations.take(market, entry, changed_us=now_us())
        return self._position
