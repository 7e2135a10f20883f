"""What a market's configuration says about tax: groups, reasons for none, how cents are rounded."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from pricing_proxy.configuration.environments import MODEL
from sync.engine.erp_texts import Code, Country

# "19", "9.975", or of one country alone: "DE/19".
_PERCENT = re.compile(r"([A-Z]{2}/)?(0|[1-9][0-9]{0,2})(\.[0-9]{0,3}[1-9])?")


def _percent(value: str) -> str:
    if _PERCENT.fullmatch(value) is None:
        raise ValueError('expected percent without zeros at the end, such as "19" or "DE/9.975"')
    return value


Percent = Annotated[str, AfterValidator(_percent)]


class TaxGroups(BaseModel):
    """The two groups whose intersection is the tax of a line in the ERP.

    Attributes:
        sales_tax_group: The group of the customer's side.
        item_group: The group of the item's side.
    """

    model_config = MODEL

    sales_tax_group: Code
    item_group: Code


class Untaxed(TaxGroups):
    """A reason why the shop charges no tax, and the ERP's groups for it.

    Attributes:
        reason: For people, such as "reverse charge", "export", "exempt" or "domestic".
        countries: Where it is delivered to, or invoiced where nothing is; any when empty.
        vat_id: Whether the order must have a VAT number, or must have none; either when left out.
        customer_groups: The shop's customer groups by id, of which each has one tax class (0 for
            guests); any when empty.
    """

    reason: Annotated[str, Field(min_length=1, max_length=60)]
    countries: frozenset[Country] = frozenset()
    vat_id: bool | None = None
    customer_groups: frozenset[Annotated[int, Field(ge=0)]] = frozenset()

    def fits(self, *, country: str, has_vat_id: bool, customer_group: int | None) -> bool:
        """Return whether it is the reason for such an order."""
        return (
            (not self.countries or country in self.countries)
            and (self.vat_id is None or self.vat_id == has_vat_id)
            and (not self.customer_groups or customer_group in self.customer_groups)
        )
