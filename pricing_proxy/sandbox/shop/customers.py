"""The shop's customers: three that the ERP knows, and those that register.

A PUT merges: what is left out stays. A list of addresses replaces all, so an address
without its id becomes another one, and an empty list deletes them. Unknown custom
attributes are dropped without a word, and `updated_at` moves all the same. What a person
types into a registration or sends by REST is taken as it is, the ERP's account included:
nothing here guards it, as in a shop without a module for that.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pricing_proxy.sandbox.shop.named_customers import named_customers
from pricing_proxy.sandbox.shop.stores import STORES, WEBSITES, Store
from pricing_proxy.sandbox.shop.wire import RefusedError, internal_error

# The attributes that somebody makes for the ERP's account, by a dial; a stock shop has neither.
ACCOUNT_ATTRIBUTE = "erp_account"
KNOWN_ATTRIBUTES = (ACCOUNT_ATTRIBUTE, "erp_blocked")

_FIELDS = (
    "group_id",
    "email",
    "firstname",
    "lastname",
    "prefix",
    "middlename",
    "suffix",
    "taxvat",
    "store_id",
    "website_id",
)
_COLUMNS = frozenset({*_FIELDS, "created_at", "updated_at", "created_in"})
_ATTRIBUTE = {
    "frontend_input": "text",
    "input_filter": "",
    "store_label": "",
    "validation_rules": [],
    "multiline_count": 0,
    "visible": False,
    "required": False,
    "data_model": "",
    "options": [],
    "frontend_class": "",
    "user_defined": True,
    "sort_order": 100,
    "note": "",
    "system": False,
    "backend_type": "varchar",
}
_PLACE = ("store_id", "website_id")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class Customers:
    """All customers, by id."""

    def __init__(self, *, now: Callable[[], str], has_account: Callable[[], bool]) -> None:
        """Begin with the named ones.

        Args:
            now: The shop's time, as the database holds it.
            has_account: Whether somebody made the attribute of the ERP's account.
        """
        self._now = now
        self._has_account = has_account
        self._last_id = 0
        self._customers: dict[int, dict[str, Any]] = {}
        self._next_address = 1
        for members in named_customers(ACCOUNT_ATTRIBUTE):
            self.create(members)

    def all(self) -> Iterable[dict[str, Any]]:
        """Return every customer by rising id."""
        return map(self._shown, self._customers.values())

    def get(self, customer_id: int) -> dict[str, Any]:
        """Return one.

        Raises:
            RefusedError: There is none of this id.
        """
        return self._shown(self.row(customer_id))

    def row(self, customer_id: int) -> dict[str, Any]:
        """Return one as the table holds it.

        Raises:
            RefusedError: There is none of this id.
        """
        found = self._customers.get(customer_id)
        if found is None:
            text = "No such entity with %fieldName = %fieldValue"
            parameters = {"fieldName": "customerId", "fieldValue": customer_id}
            raise RefusedError(404, text, parameters)
        return found

    def next_id(self) -> int:
        """Return the id of whoever registers next; ids of the deleted do not come back."""
        return self._last_id + 1

    def attribute(self, code: str) -> dict[str, Any]:
        """Return what is known of an attribute.

        Raises:
            RefusedError: Customers have none of this code.
        """
        if not self._knows(code):
            text = "No such entity with %fieldName = %fieldValue, %field2Name = %field2Value"
            named = {"fieldName": "entityType", "fieldValue": "customer"}
            raise RefusedError(
                404, text, {**named, "field2Name": "attributeCode", "field2Value": code}
            )
        return {**_ATTRIBUTE, "attribute_code": code, "frontend_label": code}

    def create(self, members: Mapping[str, Any]) -> dict[str, Any]:
        """Register a customer.

        Raises:
            RefusedError: Members are missing, there is no such store view or website, or the e-mail
                is taken there.
        """
        _check(members)
        store = _store_of(members)
        self._check_free(str(members["email"]), store.website_id)
        now = self._now()
        self._last_id = self.next_id()
        customer: dict[str, Any] = {
            "id": self._last_id,
            "group_id": 1,
            "created_at": now,
            "updated_at": now,
            "created_in": store.name,
            "store_id": store.id,
            "website_id": store.website_id,
            "addresses": [],
            "disable_auto_group_change": 0,
            "extension_attributes": {"is_subscribed": False},
        }
        self._apply(customer, _without(members, _PLACE))
        self._customers[customer["id"]] = customer
        return self._shown(customer)

    def change(self, customer_id: int, members: Mapping[str, Any]) -> dict[str, Any]:
        """Merge members into a customer.

        Raises:
            RefusedError: There is no such customer, or the addresses lose the default one.
        """
        customer = self.row(customer_id)
        _check({**customer, **members})
        if members.get("email", customer["email"]).lower() != customer["email"].lower():
            self._check_free(members["email"], customer["website_id"])
        self._check_addresses(customer, members.get("addresses"))
        self._apply(customer, members)
        if "addresses" not in members:
            # Saved as they were read, and a read address has its region's id twice.
            for address in customer["addresses"]:
                address["region_id"] = address["region"]["region_id"]
        customer["updated_at"] = self._now()
        return self._shown(customer)

    def change_own(self, customer_id: int, members: Mapping[str, Any]) -> dict[str, Any]:
        """Merge what a customer sends of themselves; place and group stay, without a word.

        Raises:
            RefusedError: E-mail and names are not all there, or as `change` does.
        """
        if not members.get("email"):
            raise RefusedError(400, "The customer email is missing. Enter and try again.")
        _check(members)
        return self.change(customer_id, _without(members, (*_PLACE, "group_id")))

    def touch(self, customer_id: int) -> None:
        """Move a customer's `updated_at`, as each wrong password does that somebody tries."""
        self.row(customer_id)["updated_at"] = self._now()

    def remove(self, customer_id: int) -> None:
        """Delete one; raises `RefusedError` when there is none of this id."""
        self.row(customer_id)
        del self._customers[customer_id]

    def _shown(self, customer: dict[str, Any]) -> dict[str, Any]:
        """Return a customer as the routes answer: without attributes that the shop has not."""
        kept = [
            one
            for one in customer.get("custom_attributes", ())
            if self._knows(one["attribute_code"])
        ]
        # What was emptied is not kept at all.
        hidden = {"custom_attributes", *(() if customer.get("taxvat") else ("taxvat",))}
        shown = {name: value for name, value in customer.items() if name not in hidden}
        return {**shown, "custom_attributes": kept} if kept else shown

    def _knows(self, attribute: str) -> bool:
        return attribute in KNOWN_ATTRIBUTES and self._has_account()

    def _apply(self, customer: dict[str, Any], members: Mapping[str, Any]) -> None:
        customer.update({name: members[name] for name in _FIELDS if name in members})
        if "addresses" in members:
            self._set_addresses(customer, members["addresses"])
        given = {
            one["attribute_code"]: one.get("value") for one in members.get("custom_attributes", ())
        }
        kept = {
            one["attribute_code"]: one["value"] for one in customer.get("custom_attributes", ())
        }
        kept.update({code: value for code, value in given.items() if self._knows(code)})
        customer["custom_attributes"] = [
            {"attribute_code": code, "value": value} for code, value in kept.items() if value
        ]

    def _check_free(self, email: str, website: int) -> None:
        taken = any(
            one["email"].lower() == email.lower() and one["website_id"] == website
            for one in self._customers.values()
        )
        if taken:
            text = "A customer with the same email address already exists in an associated website."
            raise RefusedError(400, text)

    def _check_addresses(self, customer: Mapping[str, Any], addresses: Any) -> None:
        default = customer.get("default_billing")
        if not addresses or default is None:
            return
        keeps_default = any(
            str(one.get("id")) == default or one.get("default_billing") for one in addresses
        )
        if not keeps_default:
            text = "The %fieldName value is invalid. Set the correct value and try again."
            raise RefusedError(400, text, {"fieldName": "default_billing"})

    def _set_addresses(self, customer: dict[str, Any], addresses: Any) -> None:
        customer["addresses"] = [self._address(customer, one) for one in addresses]
        for name in ("default_billing", "default_shipping"):
            customer.pop(name, None)
            for one in customer["addresses"]:
                if one.get(name):
                    customer[name] = str(one["id"])

    def _address(self, customer: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        number = given.get("id")
        if number is None:
            number = self._next_address
            self._next_address += 1
        region = given.get("region") or {"region_code": None, "region": None, "region_id": 0}
        flags = {name: True for name in ("default_shipping", "default_billing") if given.get(name)}
        plain = {
            name: value
            for name, value in given.items()
            if name not in ("id", "customer_id", "region", "default_shipping", "default_billing")
        }
        return {"id": number, "customer_id": customer["id"], "region": region, **plain, **flags}


def read(customer: Mapping[str, Any], name: str) -> Any:
    """Return what a filter compares; raises `RefusedError` for a column that does not exist."""
    if name == "entity_id":
        return customer["id"]
    if name not in customer and name not in _COLUMNS:
        raise internal_error()
    return customer.get(name)


def _store_of(members: Mapping[str, Any]) -> Store:
    """Return where somebody is registered: the store view goes before the website."""
    if store_id := members.get("store_id"):
        found = next((store for store in STORES if store.id == store_id), None)
        text = "The store that was requested wasn't found. Verify the store and try again."
    else:
        website_id = members.get("website_id") or STORES[0].website_id
        found = next((store for store in WEBSITES if store.website_id == website_id), None)
        text = (
            f"The website with id {website_id} that was requested wasn't found. "
            "Verify the website and try again."
        )
    if found is None:
        raise RefusedError(404, text)
    return found


def _without(members: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name not in names}


def _check(members: Mapping[str, Any]) -> None:
    problems = []
    for name, label in (("firstname", "First Name"), ("lastname", "Last Name")):
        if not members.get(name):
            problems.append(f'"{label}" is a required value.')
    if not _EMAIL.fullmatch(str(members.get("email", ""))):
        problems.append('"Email" is not a valid email address.')
    if problems:
        raise RefusedError(400, "\n".join(problems))
