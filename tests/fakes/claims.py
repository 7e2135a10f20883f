"""Claims that never end."""

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass
class FakeClaims:
    """Who has what; a `sync.customers.persons.KeptClaims`."""

    holders: dict[str, str] = field(default_factory=dict)

    async def take(self, key: str, holder: str, *, lasting: timedelta) -> bool:
        del lasting
        return self.holders.setdefault(key, holder) == holder

    async def keep(self, key: str, holder: str, *, lasting: timedelta) -> bool:
        del lasting
        return self.holders.get(key) == holder

    async def release(self, key: str, holder: str) -> None:
        if self.holders.get(key) == holder:
            del self.holders[key]
