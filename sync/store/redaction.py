"""Blank what a journal must not keep: secrets, cards, and ways to reach a person.

By member name, at any depth, whatever the system: names are compared without case and
underscores, so `CustomerEmail` and `customer_email` are one.
"""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

HIDDEN = "[hidden]"
SENSITIVE = frozenset(
    {
        "accesstoken",
        "authorization",
        "ccnumber",
        "cclast4",
        "clientsecret",
        "customeremail",
        "customerdob",
        "dob",
        "email",
        "fax",
        "password",
        "primarycontactemail",
        "primarycontactphone",
        "remoteip",
        "telephone",
        "token",
        "xforwardedfor",
    }
)


def redacted(value: Any, names: Collection[str] = SENSITIVE) -> Any:
    """Return a copy fit for a JSON column, the values under sensitive names hidden."""
    if isinstance(value, Mapping):
        return {
            str(name): HIDDEN if _is_sensitive(str(name), names) and held else redacted(held, names)
            for name, held in value.items()
        }
    if isinstance(value, list | tuple):
        return [redacted(each, names) for each in value]
    # A text keeps a decimal's digits; JSON numbers would not.
    return str(value) if isinstance(value, Decimal) else value


def _is_sensitive(name: str, names: Collection[str]) -> bool:
    return name.replace("_", "").replace("-", "").lower() in names
