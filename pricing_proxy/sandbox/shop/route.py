"""One REST route of the shop; `routes` lists them, and `app` answers them."""

from collections.abc import Callable
from dataclasses import dataclass

from pricing_proxy.sandbox.shop.reading import Call, Handler
from pricing_proxy.sandbox.shop.writes import Cost, Failure

ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Route:
    """One route; "*" in the pattern is a place.

    Attributes:
        name: How its calls are counted.
        cost: How long it takes, where it is a write that takes time of its own.
        failure: How it fails by the dials, where it does.
        saves: The id of the order that it saves with all that it has read of it; None for no route
            that does so.
    """

    method: str
    pattern: str
    resource: str
    name: str
    handle: Handler
    cost: Cost | None = None
    failure: Failure | None = None
    saves: Callable[[Call], int] | None = None

    @property
    def writes(self) -> bool:
        """Whether it changes what the shop knows."""
        return self.method != "GET"

    def places(self, segments: tuple[str, ...]) -> tuple[str, ...] | None:
        """Return what stands in the places, None when the path is another."""
        pattern = self.pattern.split("/")
        if len(pattern) != len(segments):
            return None
        pairs = tuple(zip(pattern, segments, strict=True))
        if any(one not in ("*", segment) for one, segment in pairs):
            return None
        return tuple(segment for one, segment in pairs if one == "*")
