"""What a source needs of the engine: a place to enter events, and how far it has read."""

from collections.abc import Mapping
from typing import Any, Protocol


class Events(Protocol):
    """Where events are entered; an equal source key is taken once."""

    async def receive(
        self,
        *,
        flow: str,
        market: str,
        business_key: str,
        source_key: str,
        payload: Mapping[str, Any],
        lock_key: str,
        document_id: str | None = None,
    ) -> bool:
        """Return whether it is new."""
        ...

    async def is_to_begin(self, lock_key: str) -> bool:
        """Return whether an event of this lock begins, or begins again, after this instant."""
        ...


class Marks(Protocol):
    """How far each source was read."""

    async def get(self, name: str) -> str | None:
        """Return what was kept, None at first."""
        ...

    async def put(self, name: str, value: str) -> None:
        """Keep it."""
        ...
