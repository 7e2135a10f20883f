"""Draw customers and their accounts for people. Pure."""

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from pricing_proxy.names import is_same_name
from sync.console.link_case import LinkCase
from sync.console.tables import table_of
from sync.console.words import NONE, instant
from sync.customers.held import side_by_side
from sync.store.link_decisions import KnownLink


def case_tables(case: LinkCase) -> Iterator[Table]:
    """Yield the shop's customer beside each account, field by field."""
    for candidate in case.candidates:
        table = table_of(f"Customer {case.subject} and account {candidate.account}", "")
        table.add_column("shop", overflow="fold")
        table.add_column("ERP", overflow="fold")
        if case.customer is None:
            table.add_row("is", Text("the shop has no such customer"), Text(candidate.account))
        else:
            for name, shop, erp in side_by_side(case.customer, candidate, case.rules, case.market):
                tone = "green" if shop and is_same_name(shop, erp) else ""
                table.add_row(name, Text(shop or NONE, style=tone), Text(erp or NONE, style=tone))
        yield table
    if case.link is not None:
        yield links_table([case.link])


def links_table(links: Sequence[KnownLink]) -> Table:
    """Return links, with how each came about and who has reviewed it."""
    table = table_of("Customers and their accounts", "customer", "account", "by", "reviewed by")
    table.add_column("since")
    for link in links:
        reviewed = link.reviewed_by or ("nobody" if link.is_unreviewed else NONE)
        table.add_row(
            Text(f"{link.market}/{link.customer_id}"),
            Text(link.account),
            Text(link.origin or "not known"),
            Text(reviewed, style="yellow" if link.is_unreviewed else ""),
            instant(link.changed_at),
        )
    if any(link.is_unreviewed for link in links):
        table.caption = "Right? d365-sync approve MARKET/CUSTOMER. Wrong? d365-sync unlink"
    return table
