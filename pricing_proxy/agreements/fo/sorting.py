"""Sort what was read of a whole company: rows by what they are for, customers by account.

Rows for nothing that exists are kept out; a customer who was read in two groups is marked.
"""

from collections import defaultdict
from collections.abc import Container, Iterable
from dataclasses import replace

from pricing_proxy.agreements.fo.checking import KeptOutReason, KeptOutRow
from pricing_proxy.agreements.fo.rows import (
    AgreedDiscount,
    AgreedPrice,
    Code,
    Party,
    PricedCustomer,
)
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


def customers_by_account(read: Iterable[PricedCustomer]) -> dict[str, PricedCustomer]:
    """Return each customer by its folded account; one who was read twice, differently, is marked.

    A customer moves between pages while somebody puts it into another group: which of the two
    is true only the next reading says.
    """
    found: dict[str, PricedCustomer] = {}
    for customer in read:
        first = found.setdefault(same_name_key(customer.account), customer)
        if first != customer:
            found[same_name_key(customer.account)] = replace(first, is_contradicted=True)
    return found
