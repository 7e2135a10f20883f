"""Sort the rows of a whole company by what they are for; rows for nothing that exists are left."""

from collections import defaultdict
from collections.abc import Container, Iterable

from pricing_proxy.agreements.fo.checking import KeptOutReason, KeptOutRow
from pricing_proxy.agreements.fo.rows import AgreedDiscount, AgreedPrice, Code, Party
from pricing_proxy.names import same_name_key


def prices_by_item(
    rows: Iterable[AgreedPrice], items: Container[str]
) -> tuple[dict[str, list[AgreedPrice]], list[KeptOutRow]]:
    """Return each item's prices, by its folded number, and the rows of items that nobody knows.

    Args:
        rows: Of all items.
        items: The folded numbers of all released items.
    """
    found: defaultdict[str, list[AgreedPrice]] = defaultdict(list)
    kept_out = []
    for row in rows:
        item = same_name_key(row.item)
        if item in items:
            found[item].append(row)
        else:
            kept_out.append(KeptOutRow(row, KeptOutReason.UNKNOWN_ITEM))
    return found, kept_out


def discounts_by_item_party(
    rows: Iterable[AgreedDiscount], items: Container[str]
) -> tuple[dict[Party, list[AgreedDiscount]], list[KeptOutRow]]:
    """Return the line discounts for each item, group of items and all, and what is for nothing.

    Args:
        rows: Of all items.
        items: The folded numbers of all released items.
    """
    found: defaultdict[Party, list[AgreedDiscount]] = defaultdict(list)
    kept_out = []
    for row in rows:
        code, value = party = row.item_party
        if code is Code.TABLE and value not in items:
            kept_out.append(KeptOutRow(row, KeptOutReason.UNKNOWN_ITEM))
        else:
            found[party].append(row)
    return found, kept_out
