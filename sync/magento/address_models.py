"""Names and addresses of Magento, of customers and of orders alike."""

from typing import Annotated

from sync.magento.wire_types import Rows, ShopModel, Text


class PersonName(ShopModel):
    """A person's name in its parts."""

    firstname: Text = ""
    lastname: Text = ""
    prefix: Text = ""
    middlename: Text = ""
    suffix: Text = ""

    @property
    def person(self) -> str:
        """The name with all its parts."""
        parts = (self.prefix, self.firstname, self.middlename, self.lastname, self.suffix)
        return " ".join(text for part in parts if (text := part.strip()))


class PostalAddress(PersonName):
    """An address, but for its region.

    Attributes:
        street: One entry per line; may be more than the shop's form allows, may be empty.
    """

    company: Text = ""
    vat_id: Text = ""
    street: Annotated[tuple[Text, ...], Rows] = ()
    postcode: Text = ""
    city: Text = ""
    country_id: Text = ""
    telephone: Text = ""
