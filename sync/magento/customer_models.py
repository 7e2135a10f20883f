"""Customers of Magento and their address books, under its own field names."""

from typing import Annotated, Any

from sync.magento.address_models import PersonName, PostalAddress
from sync.magento.wire_types import (
    CustomAttribute,
    Flag,
    Instant,
    InstantOrNone,
    Members,
    Rows,
    ShopModel,
    Text,
)


class Region(ShopModel):
    """A region; `region_id` is 0 when there is none."""

    region_code: Text = ""
    region: Text = ""
    region_id: int | None = None


class CustomerAddress(PostalAddress):
    """An entry of a customer's address book; `id` must go along whenever it is written."""

    id: int
    region: Annotated[Region, Members] = Region()
    default_billing: Flag = False
    default_shipping: Flag = False


class CustomerHead(ShopModel):
    """Which customer it is."""

    id: int
    website_id: int
    email: Text = ""


class ShopCustomer(PersonName):
    """A customer of one website; the same e-mail on another website is another customer."""

    id: int
    group_id: int | None = None
    website_id: int
    store_id: int | None = None
    email: Text = ""
    taxvat: Text = ""
    created_at: InstantOrNone = None
    updated_at: Instant
    default_billing: Text = ""
    default_shipping: Text = ""
    addresses: Annotated[tuple[CustomerAddress, ...], Rows] = ()
    custom_attributes: Annotated[tuple[CustomAttribute, ...], Rows] = ()

    @property
    def entity_id(self) -> int:
        """The id under the name that searches know it by."""
        return self.id

    def attribute(self, code: str) -> Any:
        """Return a custom attribute's value, None when it is not set."""
        values = (one.value for one in self.custom_attributes if one.attribute_code == code)
        return next(values, None)
