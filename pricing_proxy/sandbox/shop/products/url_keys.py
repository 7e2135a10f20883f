"""What products' pages are called, and that no two of a website are called alike.

Of a product that is shown nowhere by itself the shop makes no page, so such may have equal keys;
that one is disabled makes no difference. A name of a page that a view has of its own is not
compared.
"""

from pricing_proxy.sandbox.shop.catalog import Catalog, Product
from pricing_proxy.sandbox.shop.wire import RefusedError

_NOWHERE_ALONE = 1
_TAKEN = "URL key for specified store already exists."


def url_key(product: Product) -> str:
    """Return what a product's page is called."""
    return str(product.attributes.get("url_key") or product.sku.lower())


class UrlKeys:
    """Which products' pages are called what.

    Args:
        catalog: The products; looked through when the first page is made, and then not again.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        # Of whoever once had a key; whether they still have it is looked up.
        self._had: dict[str, set[int]] = {}
        self._last = 0

    def check(self, before: Product | None, after: Product) -> None:
        """Raise `RefusedError` where a page would be made that another product of a website has."""
        if not _has_page(after) or (before is not None and _page(before) == _page(after)):
            return
        key = url_key(after)
        self._follow()
        for number in self._had.setdefault(key, set()):
            other = self._catalog.find(number)
            if other is not None and other.id != after.id and _meet(other, after):
                raise RefusedError(400, _TAKEN)
        self._had[key].add(after.id)

    def _follow(self) -> None:
        for number in self._catalog.numbers(above=self._last):
            self._had.setdefault(url_key(self._catalog.by_id(number)), set()).add(number)
            self._last = number


def _has_page(product: Product) -> bool:
    return product.visibility != _NOWHERE_ALONE


def _page(product: Product) -> tuple[str, bool, tuple[int, ...]]:
    return url_key(product), _has_page(product), product.website_ids


def _meet(one: Product, other: Product) -> bool:
    is_shared = not {*one.website_ids}.isdisjoint(other.website_ids)
    return _has_page(one) and is_shared and url_key(one) == url_key(other)
