"""What the customers of a market rely on in the ERP, as its rules make them: pure."""

from collections.abc import Iterable

from pricing_proxy.d365.fo.document_contracts import customer_contracts, given
from pricing_proxy.d365.fo.schema_contract import EntityContract
from sync.customers.rules import CustomerRules

# No customer of Magento is without an e-mail address; its other texts may be empty.
_ACCOUNT = ("CustomerGroupId", "SalesCurrencyCode", "PartyType", "PrimaryContactEmail")
_ADDRESS = ("AddressDescription", "AddressCountryRegionId", "AddressLocationRoles", "IsPrimary")


def contracts(rules: CustomerRules) -> Iterable[EntityContract]:
    """Return the sets that customers are read from and written into."""
    more = given(LanguageId=rules.language, SiteId=rules.site, WarehouseId=rules.warehouse)
    return customer_contracts(account_sent={*_ACCOUNT, *more}, address_sent=_ADDRESS)
