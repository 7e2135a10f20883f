"""Pages of products by search criteria, quick enough for a hundred thousand of them.

SKUs and ids that a filter names are looked up, ids above one are counted off, and only what is
left is compared row by row. Sorted by id is how products lie.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from pricing_proxy.sandbox.shop.catalog import ATTRIBUTE_SET, Catalog, Product
from pricing_proxy.sandbox.shop.criteria import Criteria, Filter, find
from pricing_proxy.sandbox.shop.products.attributes import Attributes
from pricing_proxy.sandbox.shop.products.scopes import WHOLE_SHOP, value_of
from pricing_proxy.sandbox.shop.wire import RefusedError

_COLUMNS = frozenset(
    {"entity_id", "sku", "name", "price", "type_id", "status", "visibility", "weight"}
    | {"created_at", "updated_at", "attribute_set_id"}
)
_BY_ID = [("entity_id", "ASC")]


def found_products(
    catalog: Catalog, attributes: Attributes, criteria: Criteria, *, store_id: int = WHOLE_SHOP
) -> tuple[list[Product], int]:
    """Return a page as a store view sees it, and how many products fit in all.

    Raises:
        RefusedError: A field is no attribute.
    """
    for name in criteria.names():
        if name not in _COLUMNS and attributes.find(name) is None:
            text = 'The "%1" attribute name is invalid. Reset the name and try again.'
            raise RefusedError(400, text, [name])
    numbers, left = _looked_up(catalog, criteria)
    sort = [] if criteria.sort == _BY_ID else criteria.sort
    if not left and not sort:
        page = [catalog.by_id(number) for number in _page(numbers, criteria)]
        return [product.seen_from(store_id) for product in page], len(numbers)
    rows = (catalog.by_id(number).seen_from(store_id) for number in numbers)
    narrowed = replace(criteria, groups=left, sort=sort)
    return find(rows, narrowed, _read)


def _read(product: Product, name: str) -> Any:
    if name == "attribute_set_id":
        return ATTRIBUTE_SET
    return value_of(product, "id" if name == "entity_id" else name)


def _page(numbers: Sequence[int], criteria: Criteria) -> Sequence[int]:
    if not criteria.page_size:
        return numbers
    size = max(1, criteria.page_size)
    start = (max(1, criteria.current_page or 1) - 1) * size
    return numbers[start : start + size]


def _looked_up(catalog: Catalog, criteria: Criteria) -> tuple[Sequence[int], list[list[Filter]]]:
    """Return the ids that one group of filters names, and the groups that are left."""
    for index, group in enumerate(criteria.groups):
        left = [*criteria.groups[:index], *criteria.groups[index + 1 :]]
        if all(one.field == "sku" and one.condition in ("eq", "in") for one in group) and group:
            found = map(catalog.by_sku, _named(group))
            return sorted({product.id for product in found if product is not None}), left
        if all(one.field == "entity_id" and one.condition in ("eq", "in") for one in group):
            ids = {int(text) for text in _named(group) if text.strip().isdecimal()}
            return sorted(number for number in ids if catalog.find(number) is not None), left
        if len(group) == 1 and _is_above(group[0]):
            step = 0 if group[0].condition == "gt" else 1
            return catalog.numbers(above=int(group[0].value) - step), left
    return catalog.numbers(), criteria.groups


def _is_above(one: Filter) -> bool:
    is_id = one.field == "entity_id" and one.value.isdecimal()
    return is_id and one.condition in ("gt", "gteq", "from")


def _named(group: Iterable[Filter]) -> Iterator[str]:
    for one in group:
        yield from one.value.split(",") if one.condition == "in" else (one.value,)
