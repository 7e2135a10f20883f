"""Items that a person named for lines of an order, in the payload of its event.

Where a product was renamed or deleted in the shop, nobody but a person knows what was sold:
`d365-sync edit` puts `"items": {"17": "LAMP-17"}` there, the line's `item_id` in the shop and
the ERP's item or variant number. Pure.
"""

from collections.abc import Mapping
from typing import Any

MEMBER = "items"


class BadItemsError(ValueError):
    """The member is not what it should be; the text says what it should be."""


def named_items(payload: Mapping[str, Any]) -> dict[int, str]:
    """Return the ERP's number for each line that a person named one for.

    Raises:
        BadItemsError: It is no mapping of line ids to item numbers.
    """
    named = payload.get(MEMBER, {})
    if not isinstance(named, dict):
        raise BadItemsError(f"{MEMBER} maps line ids to item numbers: {_EXAMPLE}")
    found: dict[int, str] = {}
    for key, item in named.items():
        if not (key.isascii() and key.isdecimal()):
            raise BadItemsError(f'{MEMBER}: "{key}" is no item_id of a line: {_EXAMPLE}')
        if not isinstance(item, str) or not item.strip() or "*" in item:
            raise BadItemsError(f'{MEMBER}."{key}" is no number of an item: {_EXAMPLE}')
        found[int(key)] = item.strip()
    return found


def how_to_name(key: int) -> str:
    """Return what to do to have a line sold as another item."""
    return (
        f'name what was sold: add "{MEMBER}": {{"{key}": "ITEM"}} to the payload with '
        "d365-sync edit, then replay"
    )


_EXAMPLE = f'"{MEMBER}": {{"17": "LAMP-17"}}'
