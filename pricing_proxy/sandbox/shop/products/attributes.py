"""The attributes that the shop's products may have, and the options of those with a list.

A new option gets the next id of all attributes' options. Its label may be another's of the same
attribute neither in other letters nor with blanks around it; the list shows the whole shop's
labels, and a store view its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from typing import Any

from pricing_proxy.sandbox.shop.products.scopes import Scope
from pricing_proxy.sandbox.shop.wire import RefusedError, required
from pricing_proxy.shop_names import collated

_FIRST_OPTION_ID = 4
_FIRST_OWN_ID = 137
_BACKENDS = {
    "select": "int",
    "boolean": "int",
    "text": "varchar",
    "multiselect": "varchar",
    "textarea": "text",
    "price": "decimal",
    "weight": "decimal",
    "date": "datetime",
}
_MISSING = (
    'The attribute with a "%1" attributeCode doesn\'t exist. Verify the attribute and try again.'
)
_TABLE = "Magento\\Eav\\Model\\Entity\\Attribute\\Source\\Table"


@dataclass(slots=True, kw_only=True)
class Option:
    """One option of a list; `labels` are those of store views."""

    id: int
    label: str
    sort_order: int = 0
    labels: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Attribute:
    """An attribute."""

    id: int
    code: str
    label: str
    input: str
    scope: Scope
    is_own: bool = False
    is_required: bool = False
    is_filterable: bool = False
    options: list[Option] = field(default_factory=list)

    @property
    def backend(self) -> str:
        """The kind of table that holds its values."""
        return _BACKENDS.get(self.input, "varchar")

    def listed(self, store_id: int) -> list[dict[str, str]]:
        """Return its options as a store view shows them, behind an empty one."""
        sorted_options = sorted(self.options, key=lambda one: (one.sort_order, one.label))
        rows = [
            {"label": one.labels.get(store_id, one.label), "value": str(one.id)}
            for one in sorted_options
        ]
        return [{"label": " ", "value": ""}, *rows]


class Attributes:
    """All attributes by code; system ones, and those that somebody made."""

    def __init__(self) -> None:
        self._by_code: dict[str, Attribute] = {}
        self._option_ids = count(_FIRST_OPTION_ID)
        for number, (code, label, kind, scope) in enumerate(_SYSTEM, start=73):
            self._add(Attribute(id=number, code=code, label=label, input=kind, scope=scope))
        self._ids = count(_FIRST_OWN_ID)
        for code, label, kind in _OWN:
            self._add(self._own(code, label, kind, Scope.GLOBAL))

    def __iter__(self) -> Iterator[Attribute]:
        """Yield every attribute."""
        return iter(self._by_code.values())

    def find(self, code: str) -> Attribute | None:
        """Return an attribute, None where there is none of this code."""
        return self._by_code.get(code)

    def named(self, code: str) -> Attribute:
        """Return an attribute; raises `RefusedError` where there is none of this code."""
        found = self._by_code.get(code)
        if found is None:
            raise RefusedError(404, _MISSING, [code])
        return found

    def by_id(self, number: str) -> Attribute:
        """Return an attribute by its id; raises `RefusedError` where there is none."""
        found = next((one for one in self._by_code.values() if str(one.id) == number), None)
        if found is None:
            raise RefusedError(404, _MISSING, [number])
        return found

    def scopes(self, *, website_prices: bool) -> dict[str, Scope]:
        """Return whose the values of each attribute are; prices are the shop's or websites'."""
        scopes = {one.code: one.scope for one in self._by_code.values()}
        return scopes | ({"price": Scope.WEBSITE} if website_prices else {})

    def create(self, members: Mapping[str, Any]) -> Attribute:
        """Make an attribute with its options.

        Raises:
            RefusedError: It has no label or a code that another has.
        """
        code = str(members.get("attribute_code") or "")
        if not members.get("default_frontend_label"):
            raise required("frontend_label")
        if code in self._by_code:
            raise RefusedError(400, "An attribute with the same code (%1) already exists.", [code])
        made = self._own(
            code,
            str(members["default_frontend_label"]),
            str(members.get("frontend_input", "text")),
            Scope(members.get("scope", "store")),
        )
        made.is_required = bool(members.get("is_required", False))
        made.is_filterable = bool(members.get("is_filterable", False))
        self._add(made)
        for option in members.get("options") or ():
            self.add_option(code, option)
        return made

    def add_option(self, code: str, members: Mapping[str, Any]) -> int:
        """Add an option to an attribute's list, and return its id.

        Raises:
            RefusedError: Its label is empty, or another's.
        """
        attribute = self.named(code)
        label = str(members.get("label") or "")
        if not label.strip():
            text = "The attribute option label is empty. Enter the value and try again."
            raise RefusedError(400, text)
        if any(_same(one.label, label) for one in attribute.options):
            text = 'Admin store attribute option label "%1" is already exists.'
            raise RefusedError(400, text, [label])
        option = Option(
            id=next(self._option_ids),
            label=label.strip(),
            sort_order=int(members.get("sort_order") or 0),
            labels={
                int(one["store_id"]): str(one["label"]) for one in members.get("store_labels") or ()
            },
        )
        attribute.options.append(option)
        return option.id

    def option_of(self, code: str, label: str) -> int:
        """Return the id of the option of a label, which is made where there is none."""
        for one in self.named(code).options:
            if _same(one.label, label):
                return one.id
        return self.add_option(code, {"label": label})

    def _own(self, code: str, label: str, kind: str, scope: Scope) -> Attribute:
        number = next(self._ids)
        return Attribute(id=number, code=code, label=label, input=kind, scope=scope, is_own=True)

    def _add(self, attribute: Attribute) -> None:
        self._by_code[attribute.code] = attribute


def attribute_body(attribute: Attribute) -> dict[str, Any]:
    """Return an attribute as the routes show it."""
    is_list = attribute.input == "select"
    return {
        "extension_attributes": {"is_pagebuilder_enabled": False},
        **dict.fromkeys(_OFF, False),
        "is_filterable": attribute.is_filterable,
        "position": 0,
        "apply_to": [],
        **dict.fromkeys(_OFF_TEXTS, "0"),
        "is_visible": True,
        "scope": attribute.scope.value,
        "attribute_id": attribute.id,
        "attribute_code": attribute.code,
        "frontend_input": attribute.input,
        "entity_type_id": "4",
        "is_required": attribute.is_required,
        "options": attribute.listed(0) if is_list else [],
        "is_user_defined": attribute.is_own,
        "default_frontend_label": attribute.label,
        "frontend_labels": [],
        "backend_type": attribute.backend,
        **({"source_model": _TABLE} if is_list else {}),
        "default_value": "",
        "is_unique": "0",
        "validation_rules": [],
    }


def _same(one: str, other: str) -> bool:
    return _compared(one) == _compared(other)


@lru_cache(maxsize=10_000)
def _compared(label: str) -> str:
    return collated(label.strip())


_OFF = (
    "is_wysiwyg_enabled",
    "is_html_allowed_on_front",
    "used_for_sort_by",
    "is_filterable_in_search",
    "is_used_in_grid",
    "is_visible_in_grid",
    "is_filterable_in_grid",
)
_OFF_TEXTS = (
    "is_searchable",
    "is_visible_in_advanced_search",
    "is_comparable",
    "is_used_for_promo_rules",
    "is_visible_on_front",
    "used_in_product_listing",
)
_SYSTEM = (
    ("name", "Product Name", "text", Scope.STORE),
    ("sku", "SKU", "text", Scope.GLOBAL),
    ("description", "Description", "textarea", Scope.STORE),
    ("short_description", "Short Description", "textarea", Scope.STORE),
    ("price", "Price", "price", Scope.GLOBAL),
    ("special_price", "Special Price", "price", Scope.GLOBAL),
    ("cost", "Cost", "price", Scope.GLOBAL),
    ("weight", "Weight", "weight", Scope.GLOBAL),
    ("manufacturer", "Manufacturer", "select", Scope.GLOBAL),
    ("meta_title", "Meta Title", "text", Scope.STORE),
    ("meta_keyword", "Meta Keywords", "textarea", Scope.STORE),
    ("meta_description", "Meta Description", "textarea", Scope.STORE),
    ("status", "Enable Product", "select", Scope.WEBSITE),
    ("visibility", "Visibility", "select", Scope.STORE),
    ("tax_class_id", "Tax Class", "select", Scope.WEBSITE),
    ("url_key", "URL Key", "text", Scope.STORE),
    ("country_of_manufacture", "Country of Manufacture", "text", Scope.WEBSITE),
)
_OWN = (
    ("color", "Color", "select"),
    ("size", "Size", "select"),
    ("style", "Style", "select"),
    ("configuration", "Configuration", "select"),
    ("version", "Version", "select"),
    ("barcode", "Barcode", "text"),
    ("sales_unit", "Sales unit", "text"),
)
