"""From the shop's customer to the ERP's: pure, and never a guess.

A customer with a company or a tax number becomes an organization, any other a person.
Names, e-mail, telephone and tax number follow the shop; what else a new account is given,
such as its group, is the ERP's from then on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from unicodedata import normalize

from pricing_proxy.d365.fo.customer_models import (
    AddressBody,
    AddressRow,
    CustomerAccountRow,
    CustomerBody,
)
from sync.customers.rules import CustomerRules
from sync.engine.erp_texts import Texts
from sync.engine.outcomes import HeldError
from sync.magento.customer_models import CustomerAddress, ShopCustomer

ORGANIZATION = "Organization"
VERSION = 2
"""Raise when the same customer would become another document; the journal keeps it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Buying:
    """The market a customer is brought over for.

    Attributes:
        code: Its code.
        company: The ERP's company.
        currency: Of new accounts.
        countries: ISO two-letter codes and the ERP's.
    """

    code: str
    company: str
    currency: str
    countries: Mapping[str, str]


def tax_number_of(customer: ShopCustomer) -> str:
    """Return the customer's tax number, else that of the default billing address."""
    billing = _default(customer.addresses, customer.default_billing)
    return (customer.taxvat or (billing.vat_id if billing else "")).strip()


def company_of(customer: ShopCustomer) -> str:
    """Return the company of the default billing address, empty without one."""
    billing = _default(customer.addresses, customer.default_billing)
    return billing.company.strip() if billing else ""


def country_of(customer: ShopCustomer) -> str:
    """Return the ISO two-letter country of the default billing address, empty without one."""
    billing = _default(customer.addresses, customer.default_billing)
    return billing.country_id if billing else ""


def new_account(customer: ShopCustomer, *, rules: CustomerRules, market: Buying) -> CustomerBody:
    """Return the account to create, with its primary address.

    Raises:
        HeldError: A group or country without a map entry, or a text too long for the ERP.
    """
    body = {
        **owned_fields(customer, rules=rules).fields,
        "CustomerGroupId": _group(customer, rules, market),
        "SalesCurrencyCode": market.currency,
        "LanguageId": rules.language,
        "SiteId": rules.site,
        "WarehouseId": rules.warehouse,
    }
    primary = _default(customer.addresses, customer.default_billing)
    if primary is not None:
        address = address_of(customer, primary, rules=rules, market=market).body
        body |= {name: value for name, value in address if name in _INLINE and value}
    return CustomerBody.model_validate(body)


def owned_fields(customer: ShopCustomer, *, rules: CustomerRules) -> Texts:
    """Return the fields that follow the shop; raises `HeldError`."""
    billing = _default(customer.addresses, customer.default_billing)
    company, tax_number = company_of(customer), tax_number_of(customer)
    if company or tax_number:
        person = f"{customer.firstname.strip()} {customer.lastname.strip()}".strip()
        names = {"PartyType": ORGANIZATION, "OrganizationName": company or person}
    else:
        names = {
            "PartyType": "Person",
            "PersonFirstName": customer.firstname,
            "PersonLastName": customer.lastname,
        }
    fields = {
        **names,
        "PrimaryContactEmail": customer.email,
        "PrimaryContactPhone": billing.telephone if billing else "",
        "TaxExemptNumber": tax_number,
    }
    return rules.fitted(fields, sources=_SOURCES)


def changed_fields(owned: Texts, row: CustomerAccountRow) -> CustomerBody | None:
    """Return the owned fields that differ in the ERP, None when none does."""
    wanted = dict(owned.fields)
    # A person does not become an organization: F&O keeps them in different tables.
    if wanted.pop("PartyType") != row.PartyType:
        for name in ("OrganizationName", "PersonFirstName", "PersonLastName"):
            wanted.pop(name, None)
    changed = {
        name: text for name, text in wanted.items() if not _is_same(getattr(row, name), text)
    }
    return CustomerBody.model_validate(changed) if changed else None


class Address(NamedTuple):
    """An address as it is sent, and what of it was cut."""

    body: AddressBody
    cut: tuple[str, ...]


def address_of(
    customer: ShopCustomer,
    address: CustomerAddress,
    *,
    rules: CustomerRules,
    market: Buying,
) -> Address:
    """Return an address; its description names the shop's id, by which it is found again.

    Raises:
        HeldError: A country without a map entry, or a text too long for the ERP.
    """
    where = f"addresses[{address.id}]"
    if address.country_id not in market.countries:
        raise HeldError(
            field=f"{where}.country_id",
            text=f'"{address.country_id}" is not in the map countries',
            advice=f'add sync.markets.{market.code}.customers.countries."{address.country_id}", '
            "then replay",
        )
    texts = {
        "AddressDescription": address_mark(address.id),
        "AttentionToAddressLine": " / ".join(
            filter(None, (address.company.strip(), address.person))
        ),
        "AddressStreet": "\n".join(address.street),
        "AddressCity": address.city,
        "AddressZipCode": address.postcode,
        "AddressState": address.region.region_code if address.region.region_id else "",
        "AddressCountryRegionId": market.countries[address.country_id],
    }
    fitted = rules.fitted(texts, sources=_SOURCES, where=where)
    is_billing = str(address.id) == customer.default_billing
    is_shipping = str(address.id) == customer.default_shipping
    roles = [*(["Invoice"] if is_billing else []), *(["Delivery"] if is_shipping else [])]
    role = ";".join(roles) or "Other"
    members = {**fitted.fields, "AddressLocationRoles": role, "IsPrimary": is_billing}
    return Address(AddressBody.model_validate(members), fitted.cut)


def address_mark(address_id: int) -> str:
    """Return the description under which one of the shop's addresses stands in the ERP."""
    return f"Shop address {address_id}"


def changed_address(body: AddressBody, row: AddressRow) -> dict[str, object]:
    """Return the fields of an address that differ in the ERP."""
    return {
        name: value
        for name, value in body
        if value is not None and name in AddressRow.model_fields and name not in _ROLES
        if not _is_same(getattr(row, name), value)
    }


def _is_same(found: object, wanted: object) -> bool:
    """Return whether a field holds what it should, as a database keeps texts."""
    if isinstance(found, str) and isinstance(wanted, str):
        return _lines(found) == _lines(wanted)
    return found == wanted


def _lines(text: str) -> list[str]:
    return [line.strip() for line in normalize("NFC", text).splitlines() if line.strip()]


def _group(customer: ShopCustomer, rules: CustomerRules, market: Buying) -> str:
    code = str(customer.group_id)
    found = rules.group.get(code) or rules.group.get("*")
    if found is None:
        raise HeldError(
            field="group_id",
            text=f'"{code}" is not in the map group',
            advice=f'add sync.markets.{market.code}.customers.group."{code}", then replay',
        )
    return found


def _default(addresses: tuple[CustomerAddress, ...], chosen: str) -> CustomerAddress | None:
    return next((address for address in addresses if str(address.id) == chosen), None)


_ROLES = ("AddressLocationRoles", "IsPrimary")
# Of the primary address, those that a new account takes with it.
_INLINE = frozenset(CustomerBody.model_fields) & frozenset(AddressBody.model_fields)
_SOURCES = {
    "OrganizationName": "addresses.company",
    "PersonFirstName": "firstname",
    "PersonLastName": "lastname",
    "PrimaryContactEmail": "email",
    "PrimaryContactPhone": "addresses.telephone",
    "TaxExemptNumber": "taxvat",
    "AddressStreet": "street",
    "AddressCity": "city",
    "AddressZipCode": "postcode",
    "AddressState": "region_code",
}
