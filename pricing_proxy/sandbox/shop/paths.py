"""Read a path as the shop's REST does: store code, single, asynchronous or in bulk, and the rest.

`/rest/V1/…` is the first store view, `/rest/all/V1/…` the whole shop, `/rest/{code}/V1/…` a view;
between code and version may stand `async` or `async/bulk`.
"""

from dataclasses import dataclass
from urllib.parse import unquote_plus

from pricing_proxy.sandbox.shop.stores import CODES, STORES, WHOLE_SHOP_CODES, Store, store_named
from pricing_proxy.sandbox.shop.wire import RefusedError

BAD_PATH = "Specified request cannot be processed."
SINGLE, ASYNC, BULK = "", "async", "async/bulk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a path says.

    Attributes:
        store: The view; None = the whole shop.
        way: `SINGLE`, `ASYNC` or `BULK`.
        segments: What follows the version, decoded once; a plus is a space here.
    """

    store: Store | None
    way: str
    segments: tuple[str, ...]


def place_of(path: str) -> Place:
    """Return what a path says.

    Raises:
        RefusedError: An unknown store code, or no version.
    """
    _, _, *rest = path.split("/")
    store: Store | None = STORES[0]
    if rest and rest[0] in CODES:
        code, rest = rest[0], rest[1:]
        store = None if code in WHOLE_SHOP_CODES else store_named(code)
    way = SINGLE
    for one in (BULK, ASYNC):
        parts = one.split("/")
        if rest[: len(parts)] == parts:
            way, rest = one, rest[len(parts) :]
            break
    if rest[:1] != ["V1"]:
        raise RefusedError(400, BAD_PATH)
    return Place(store=store, way=way, segments=tuple(map(unquote_plus, rest[1:])))
