"""Attributes of products, and the options of those that are chosen from a list."""

from typing import Annotated, Any

from pricing_proxy.http_exchange import Guard
from sync.magento.calls import Calls
from sync.magento.search import encoded
from sync.magento.wire_types import Rows, ShopModel, Text

_ROUTE = "/rest/all/V1/products/attributes"
_CHOSEN = frozenset({"select", "multiselect"})
# Older shops answer the id of a new option so.
_OLD_FORM = "id_"


class AttributeOption(ShopModel):
    """One option; the first of a list is the empty one.

    Attributes:
        label: As administrators see it.
        value: Its id.
    """

    label: Text = ""
    value: Text = ""


class ProductAttribute(ShopModel):
    """An attribute.

    Attributes:
        frontend_input: "select", "text" and others.
        scope: "global", "website" or "store".
    """

    attribute_id: int
    attribute_code: str
    frontend_input: Text = ""
    scope: Text = ""
    default_frontend_label: Text = ""
    options: Annotated[tuple[AttributeOption, ...], Rows] = ()

    @property
    def is_chosen(self) -> bool:
        """Whether its values are ids of options."""
        return self.frontend_input in _CHOSEN


class AttributeCalls:
    """Reads the attributes of one Magento, and adds options to them."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def attribute(self, code: str) -> ProductAttribute | None:
        """Return an attribute with its options, None where the shop has no such one."""
        return await self._calls.one("product_attribute", ProductAttribute, _of(code))

    async def options(self, code: str) -> list[AttributeOption]:
        """Return the options of an attribute."""
        rows: Any = await self._calls.read("attribute_options", f"{_of(code)}/options")
        found = rows if isinstance(rows, list) else []
        return [self._calls.checked(AttributeOption, row) for row in found]

    async def add_option(self, code: str, label: str, *, guard: Guard | None = None) -> str:
        """Add an option and return its id.

        Raises:
            MagentoRejectedError: There is one of this label, or the label is no good.
        """
        body = await self._calls.write(
            "add_option", "POST", f"{_of(code)}/options", {"option": {"label": label}}, guard=guard
        )
        return str(body).removeprefix(_OLD_FORM)


def _of(code: str) -> str:
    return f"{_ROUTE}/{encoded(code)}"
