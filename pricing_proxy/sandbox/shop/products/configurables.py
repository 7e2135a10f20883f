"""Configurable products: what their variants differ in, and which they are."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pricing_proxy.sandbox.shop.catalog import Axis, Catalog, Product
from pricing_proxy.sandbox.shop.products.attributes import Attributes
from pricing_proxy.sandbox.shop.wire import RefusedError


class Configurables:
    """Changes the configurables of a catalog."""

    def __init__(self, catalog: Catalog, attributes: Attributes) -> None:
        self._catalog = catalog
        self._attributes = attributes
        self._last_axis_id = max(
            (axis.id for product in catalog.all() for axis in product.axes), default=0
        )

    def add_axis(self, sku: str, option: Mapping[str, Any], *, now: str) -> str:
        """Let a configurable's variants differ in one more attribute, and return its id.

        Raises:
            RefusedError: It is none, or the option is not whole.
        """
        product = self._catalog.named(sku)
        values = [int(one["value_index"]) for one in option.get("values") or ()]
        for is_given, what in (
            (option.get("attribute_id"), "Option attribute ID is not specified."),
            (option.get("label"), "Option label is not specified."),
            (values, "Option values are not specified."),
        ):
            if not is_given:
                raise RefusedError(400, what)
        attribute = self._attributes.by_id(str(option["attribute_id"]))
        if any(axis.attribute_id == attribute.id for axis in product.axes):
            raise RefusedError(400, "Product already has this option")
        self._last_axis_id += 1
        axis = Axis(
            id=self._last_axis_id,
            attribute_id=attribute.id,
            code=attribute.code,
            label=str(option["label"]),
            position=int(option.get("position") or 0),
            values=tuple(values),
        )
        # A simple product becomes one.
        made = replace(product, type_id="configurable", axes=(*product.axes, axis), updated_at=now)
        self._catalog.put(made)
        return str(axis.id)

    def axes(self, sku: str) -> Product:
        """Return the configurable whose axes are asked for.

        Raises:
            RefusedError: It is none.
        """
        product = self._catalog.named(sku)
        if product.type_id != "configurable":
            text = 'This is implemented for the "%1" configurable product only.'
            raise RefusedError(400, text, [sku])
        return product

    def attach(self, sku: str, child_sku: str, *, now: str) -> bool:
        """Make a product a variant of a configurable.

        Raises:
            RefusedError: It is one already, or has no value of what its like differ in.
        """
        parent, child = self._catalog.named(sku), self._catalog.named(child_sku)
        if child.id in parent.variants:
            raise RefusedError(400, "The product is already attached.")
        if not parent.axes:
            text = "The parent product doesn't have configurable product options."
            raise RefusedError(400, text)
        for axis in parent.axes:
            if axis.code not in child.attributes:
                text = (
                    'The child product doesn\'t have the "%1" attribute value. Verify the value '
                    "and try again."
                )
                raise RefusedError(400, text, [axis.code])
        for other in map(self._catalog.by_id, parent.variants):
            if _place(parent, other) == _place(parent, child):
                text = 'Products "%1" and "%2" have the same set of attribute values.'
                raise RefusedError(400, text, [child.id, other.id])
        self._put(parent, (*parent.variants, child.id), now=now)
        return True

    def detach(self, sku: str, child_sku: str, *, now: str) -> bool:
        """Take a variant away from its configurable; the product stays.

        Raises:
            RefusedError: It is none of its variants.
        """
        parent = self._catalog.named(sku)
        if parent.type_id != "configurable":
            text = 'The product with the "%1" SKU isn\'t a configurable product.'
            raise RefusedError(400, text, [sku])
        kept = tuple(
            number for number in parent.variants if self._catalog.by_id(number).sku != child_sku
        )
        if kept == parent.variants:
            text = "The option that was requested doesn't exist. Verify the entity and try again."
            raise RefusedError(404, text)
        self._put(parent, kept, now=now)
        return True

    def variants(self, sku: str) -> list[Product]:
        """Return a product's variants, none of a product that is no configurable."""
        return [self._catalog.by_id(number) for number in self._catalog.named(sku).variants]

    def _put(self, parent: Product, variants: tuple[int, ...], *, now: str) -> None:
        """Change the variants; the values of each axis are those that they have."""
        children = [self._catalog.by_id(number) for number in variants]
        axes = tuple(
            replace(axis, values=tuple(dict.fromkeys(_values(axis, children))))
            if children
            else axis
            for axis in parent.axes
        )
        self._catalog.put(replace(parent, axes=axes, variants=variants, updated_at=now))


def _place(parent: Product, child: Product) -> tuple[Any, ...]:
    return tuple(child.attributes.get(axis.code) for axis in parent.axes)


def _values(axis: Axis, children: list[Product]) -> Iterator[int]:
    return (int(child.attributes[axis.code]) for child in children if axis.code in child.attributes)
