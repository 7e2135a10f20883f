"""The rules of customers, their addresses and contacts.

Customers of the book are there from the start. A new one enters the book too, so that
it can be sold to and has prices; and a change reaches the book.
"""

from collections.abc import Mapping
from typing import Any

from pricing_proxy.clock import Clock
from pricing_proxy.sandbox.book import Book, Customer, fold
from pricing_proxy.sandbox.documents.countries import check_country
from pricing_proxy.sandbox.documents.numbers import NumberSequence
from pricing_proxy.sandbox.documents.refusals import (
    duplicate,
    header_refused,
    mandatory,
    not_found,
)
from pricing_proxy.sandbox.documents.rows import DocumentRow, DocumentTable, UndoLog
from pricing_proxy.sandbox.documents.schema import DOCUMENT_SETS
from pricing_proxy.sandbox.master_rows import customers_rows

CUSTOMER_GROUPS = ("10", "20", "30", "40", "80", "90")

_CUSTOMERS = DOCUMENT_SETS["CustomersV3"]
_ADDRESSES = DOCUMENT_SETS["CustomerPostalAddresses"]
_CONTACTS = DOCUMENT_SETS["ContactPersons"]
_NEVER = "2154-12-31T23:59:59Z"
_ROLES = ("Delivery", "Invoice", "Business", "Home")
# Of the primary address in a customer's body, to the address's own.
_INLINE = {
    "AddressDescription": "AddressDescription",
    "AddressStreet": "AddressStreet",
    "AddressStreetNumber": "AddressStreetNumber",
    "AddressCity": "AddressCity",
    "AddressZipCode": "AddressZipCode",
    "AddressState": "AddressState",
    "AddressCounty": "AddressCountyId",
    "AddressCountryRegionId": "AddressCountryRegionId",
    "AddressCountryRegionISOCode": "AddressCountryRegionISOCode",
    "AddressLocationRoles": "AddressLocationRoles",
}


class CustomerBook:
    """The customers of the environment.

    Attributes:
        customers: By company and account.
        addresses: By their whole key.
        contacts: By company and id.
    """

    def __init__(self, book: Book, *, clock: Clock, undo: UndoLog) -> None:
        self.customers = _table(_CUSTOMERS.key, undo, "CustomerAccount", "PrimaryContactEmail")
        self.addresses = _table(_ADDRESSES.key, undo, "CustomerAccountNumber")
        self.contacts = _table(_CONTACTS.key, undo, "AssociatedPartyNumber", "PrimaryEmailAddress")
        self._book = book
        self._clock = clock
        self._undo = undo
        self._accounts = NumberSequence(900001, prefix="C-")
        self._parties = NumberSequence(9000001)
        self._locations = NumberSequence(1, width=9)
        self._contact_ids = NumberSequence(42)
        with undo.transaction():
            for row in customers_rows(book):
                self.customers.put(_row(row, _CUSTOMERS.empty))

    def create_customer(self, values: Mapping[str, Any]) -> DocumentRow:
        """Add a customer, with its primary address where one is given; raises `Refusal`."""
        row = _row({"PartyType": "Organization", "LanguageId": "de", **values}, _CUSTOMERS.empty)
        row["CustomerAccount"] = row["CustomerAccount"] or self._accounts.next()
        row["PartyNumber"] = row["PartyNumber"] or self._parties.next()
        self._check_customer(row)
        if self.customers.get(row["dataAreaId"], row["CustomerAccount"]) is not None:
            account = f"Customer account: {row['CustomerAccount']}"
            raise duplicate("Customers (CustTable)", account)
        self.customers.put(row)
        self._tell_book(row)
        address = {theirs: values[ours] for ours, theirs in _INLINE.items() if ours in values}
        if address:
            owner = self._owner(row)
            made = self.create_address({"AddressLocationRoles": "Business", **owner, **address})
            row["AddressLocationId"] = made["AddressLocationId"]
        return row

    def change_customer(self, row: DocumentRow, values: Mapping[str, Any]) -> DocumentRow:
        """Change a customer; raises `Refusal`."""
        changed = row.changed(values)
        self._check_customer(changed)
        self.customers.put(changed)
        self._tell_book(changed)
        return changed

    def remove_customer(self, row: DocumentRow) -> None:
        """Refuse: nobody deletes customers through the interface."""
        raise header_refused(_CUSTOMERS.aot_entity, f"Customer {row['CustomerAccount']} is in use.")

    def create_address(self, values: Mapping[str, Any]) -> DocumentRow:
        """Add an address; raises `Refusal`."""
        company, account = values["dataAreaId"], values["CustomerAccountNumber"]
        if self.customers.get(company, account) is None:
            raise not_found(_ADDRESSES.aot_entity, account, "Customer account", "Customers")
        defaults = {
            "CustomerLegalEntityId": company,
            "Effective": f"{self._clock.utc():%Y-%m-%dT%H:%M:%SZ}",
            "Expiration": _NEVER,
            "IsPostalAddress": "Yes",
        }
        row = _row({**defaults, **values}, _ADDRESSES.empty)
        row["AddressLocationId"] = self._locations.next()
        self._complete_address(row)
        self.addresses.put(row)
        self._unmark_others(row)
        return row

    def change_address(self, row: DocumentRow, values: Mapping[str, Any]) -> DocumentRow:
        """Change an address in its place; raises `Refusal`."""
        changed = row.changed(values)
        self._complete_address(changed)
        self.addresses.put(changed)
        self._unmark_others(changed)
        return changed

    def create_contact(self, values: Mapping[str, Any]) -> DocumentRow:
        """Add a contact; raises `Refusal`."""
        party = values["AssociatedPartyNumber"]
        if not any(row["PartyNumber"] == party for row in self.customers):
            raise not_found(_CONTACTS.aot_entity, party, "Party ID", "Global address book")
        row = _row(values, _CONTACTS.empty)
        row["ContactPersonId"] = row["ContactPersonId"] or self._contact_ids.next()
        return self.change_contact(row, {})

    def change_contact(self, row: DocumentRow, values: Mapping[str, Any]) -> DocumentRow:
        """Change a contact."""
        changed = row.changed(values)
        changed["LastEditDateTime"] = f"{self._clock.utc():%Y-%m-%dT%H:%M:%SZ}"
        changed["ContactPersonName"] = f"{changed['FirstName']} {changed['LastName']}".strip()
        self.contacts.put(changed)
        return changed

    def told(self) -> list[dict[str, Any]]:
        """Return every customer with its addresses, as judges read them: only what was set."""
        return [
            {
                "customer": row,
                "addresses": self.addresses.having("CustomerAccountNumber", row["CustomerAccount"]),
            }
            for row in self.customers
        ]

    def _check_customer(self, row: DocumentRow) -> None:
        aot = _CUSTOMERS.aot_entity
        if row["PartyType"] not in ("Organization", "Person"):
            raise not_found(aot, row["PartyType"], "Record type", "Party types")
        person = f"{row['PersonFirstName']}{row['PersonLastName']}"
        if not (person if row["PartyType"] == "Person" else row["OrganizationName"]):
            raise mandatory(aot, "Name")
        if row["CustomerGroupId"] not in CUSTOMER_GROUPS:
            raise not_found(aot, row["CustomerGroupId"], "Customer group", "Customer groups")
        if row["SalesCurrencyCode"] not in (self._book.currency, *self._book.rates):
            raise not_found(aot, row["SalesCurrencyCode"], "Currency", "Currencies")
        if fold(row["dataAreaId"]) != fold(self._book.company):
            raise not_found(aot, row["dataAreaId"], "Company", "Legal entities")
        check_country(row, prefix="Address", aot_entity=aot)

    def _tell_book(self, row: DocumentRow) -> None:
        account = row["CustomerAccount"]
        before = self._book.customers.get(fold(account))
        name = f"{row['PersonFirstName']} {row['PersonLastName']}".strip()
        self._book.add_customers(
            Customer(
                account=account,
                name=row["OrganizationName"] or name,
                currency=row["SalesCurrencyCode"],
                price_group=row["DiscountPriceGroupId"],
                line_discount_group=row["LineDiscountCode"],
                multiline_discount_group=row["MultiLineDiscountCode"],
                total_discount_group=row["TotalDiscountCode"],
                hold=row["OnHoldStatus"],
            )
        )
        self._undo.add(lambda: self._restore_in_book(account, before))

    def _restore_in_book(self, account: str, before: Customer | None) -> None:
        if before is None:
            del self._book.customers[fold(account)]
        else:
            self._book.add_customers(before)

    def _owner(self, customer: DocumentRow) -> dict[str, Any]:
        return {
            "dataAreaId": customer["dataAreaId"],
            "CustomerAccountNumber": customer["CustomerAccount"],
            "IsPrimary": "Yes",
        }

    def _complete_address(self, row: DocumentRow) -> None:
        check_country(row, prefix="Address", aot_entity=_ADDRESSES.aot_entity)
        told = row["AddressLocationRoles"].split(";")
        marked = [role for role in _ROLES if row[f"IsRole{role}"] == "Yes" or role in told]
        for role in marked:
            row[f"IsRole{role}"] = "Yes"
        row["AddressLocationRoles"] = ";".join(marked)
        town = f"{row['AddressZipCode']} {row['AddressCity']}".strip()
        lines = (row["AddressStreet"], town, row["AddressCountryRegionId"])
        row["FormattedAddress"] = "\n".join(line for line in lines if line)

    def _unmark_others(self, row: DocumentRow) -> None:
        if row["IsPrimary"] != "Yes":
            return
        for other in self.addresses.having("CustomerAccountNumber", row["CustomerAccountNumber"]):
            is_other = other["AddressLocationId"] != row["AddressLocationId"]
            if (
                is_other
                and other["IsPrimary"] == "Yes"
                and other["dataAreaId"] == row["dataAreaId"]
            ):
                self.addresses.put(other.changed({"IsPrimary": "No"}))


def _row(values: Mapping[str, Any], empty: Mapping[str, Any]) -> DocumentRow:
    return DocumentRow(values, empty=empty, computed={})


def _table(key: tuple[str, ...], undo: UndoLog, *indexed: str) -> DocumentTable:
    return DocumentTable(key=key, indexed=indexed, undo=undo)
