"""What the page of a product is called where another one of its name is there already. Pure."""

import re
from dataclasses import replace
from unicodedata import normalize

from sync.products.patches import Patch

URL_KEY = "url_key"
"""The shop's attribute for it."""
# With the longest SKU and the shop's suffix it stays within what the shop keeps, 255.
_LONGEST_NAME = 180
_NO_PART = re.compile(r"[^a-z0-9]+")


def with_own_page(patch: Patch) -> Patch:
    """Return a new product with its name and SKU as the name of its page."""
    key = page_name(str(patch.members["name"]), patch.sku)
    attributes = [
        *patch.members.get("custom_attributes", ()),
        {"attribute_code": URL_KEY, "value": key},
    ]
    return replace(patch, members={**patch.members, "custom_attributes": attributes})


def page_name(name: str, sku: str) -> str:
    """Return a name and a SKU as they may stand in an address, without accents and signs."""
    parts = _plain(name)[:_LONGEST_NAME].strip("-"), _plain(sku)
    return "-".join(part for part in parts if part)


def _plain(text: str) -> str:
    letters = normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()
    return _NO_PART.sub("-", letters).strip("-")
