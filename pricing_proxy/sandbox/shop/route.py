"""What one route of the shop is: method, path, access resource, and what it does."""

from dataclasses import dataclass

from pricing_proxy.sandbox.shop.reading import Handler


@dataclass(frozen=True, slots=True)
class Route:
    """One route; "*" in the pattern is a place."""

    method: str
    pattern: str
    resource: str
    name: str
    handle: Handler

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
