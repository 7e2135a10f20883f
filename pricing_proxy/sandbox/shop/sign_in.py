"""Customers who sign in by REST: their passwords, and the tokens that they are given.

A token opens a customer's own routes (`customers/me`) and nothing else. In those routes a
customer changes what the shop keeps of them, the ERP's account included: Magento stores
what it is sent, unless a module guards the attribute. Only group, website and store view
are not theirs to choose.
"""

import secrets
from collections.abc import Mapping
from typing import Any

from pricing_proxy.sandbox.shop.customers import Customers
from pricing_proxy.sandbox.shop.wire import RefusedError, not_authorized, required

SELF = "self"
MANAGE = "Magento_Customer::manage"
# A website's first store view, which a path without a store code means.
_DEFAULT_WEBSITE = 1


class SignIn:
    """Who has which password and token."""

    def __init__(self, customers: Customers) -> None:
        """Begin with nobody who can sign in."""
        self._customers = customers
        self._passwords: dict[int, str] = {}
        self._tokens: dict[str, int] = {}

    def register(
        self, body: Mapping[str, Any], members: Mapping[str, Any], *, may_manage: bool
    ) -> dict[str, Any]:
        """Register a customer, with a password where one is sent.

        Args:
            body: The whole request.
            members: What is said of the customer.
            may_manage: Whether the caller may choose the customer's group.

        Raises:
            RefusedError: A stranger chooses the group, or as `Customers.create` does.
        """
        if "group_id" in members and not may_manage:
            raise not_authorized(MANAGE)
        customer = self._customers.create(members)
        password = body.get("password")
        if isinstance(password, str):
            self._passwords[customer["id"]] = password
        return customer

    def token(self, body: Mapping[str, Any], *, website: int = _DEFAULT_WEBSITE) -> str:
        """Return a new token for who knows the password.

        Raises:
            RefusedError: Something is missing, or does not fit.
        """
        for name in ("username", "password"):
            if not body.get(name):
                raise required(name)
        for customer in self._customers.all():
            is_named = str(customer["email"]).lower() == str(body["username"]).lower()
            is_here = is_named and customer["website_id"] == website
            if is_here and self._passwords.get(customer["id"]) == body["password"]:
                token = secrets.token_urlsafe()
                self._tokens[token] = customer["id"]
                return token
            if is_here:
                self._customers.touch(customer["id"])
        text = (
            "The account sign-in was incorrect or your account is disabled temporarily. "
            "Please wait and try again later."
        )
        raise RefusedError(401, text)

    def customer_of(self, header: str) -> int | None:
        """Return whose token an `Authorization` header holds, None for nobody's."""
        scheme, _, token = header.partition(" ")
        return self._tokens.get(token) if scheme.lower() == "bearer" else None
