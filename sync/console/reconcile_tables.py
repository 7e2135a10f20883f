"""Draw what a comparison has found as tables for people. Pure."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from rich.table import Table
from rich.text import Text

from sync.console.tables import table_of
from sync.console.words import NONE, counted
from sync.reconciliation.causes import Cause, Share
from sync.reconciliation.comparing import Discrepancy, DriftReport
from sync.store.mirror_records import Value

# What people still scroll through; the page and the JSON have all.
_SHOWN = 50
_TONES = {
    Cause.UNEXPLAINED: "red",
    Cause.UNIT: "red",
    Cause.IN_FLIGHT: "green",
    Cause.NOT_POSTED: "green",
}


def report_table(report: DriftReport) -> Table:
    """Return what differs, a field each."""
    title = f"{report.kind} of {report.market}: {counted(report.compared, 'value')} compared"
    table = table_of(title, "key", "field")
    for column in ("ERP", "shop", "written"):
        table.add_column(column, justify="right", overflow="fold")
    table.add_column("why", overflow="fold")
    table.add_column("what becomes of it", overflow="fold")
    for each in report.found[:_SHOWN]:
        table.add_row(
            Text(each.key),
            Text(each.field),
            *(Text(value_text(value)) for value in (each.erp, each.shop, each.known)),
            _causes(each),
            Text(each.action),
        )
    table.caption = "\n".join(_caption(report))
    return table


def cause_counts(report: DriftReport) -> list[tuple[Cause, int]]:
    """Return how many differences have each cause, in the causes' order."""
    counts = Counter(cause for each in report.found for cause in each.names)
    return [(cause, counts[cause]) for cause in Cause if counts[cause]]


def value_text(value: Value) -> str:
    """Return a value for people."""
    if value is None:
        return NONE
    return ", ".join(value) if isinstance(value, list) else value


def share_text(share: Share) -> str:
    """Return a cause with its share of the difference."""
    amount = "" if share.amount is None else f" ({amount_text(share.amount)})"
    return f"{share.cause}{amount}" + (f": {share.text}" if share.text else "")


def amount_text(amount: Decimal) -> str:
    """Return by how much more the shop has."""
    return f"{amount.normalize():+f}"


def _causes(each: Discrepancy) -> Text:
    lines = [Text(share_text(share), style=_TONES.get(share.cause, "")) for share in each.causes]
    return Text("\n").join(lines)


def _caption(report: DriftReport) -> Iterator[str]:
    yield from report.notes
    if not report.found:
        yield "Nothing differs."
        return
    if len(report.found) > _SHOWN:
        yield f"{_SHOWN} of {len(report.found)}; all of them: --json or --html FILE"
    yield ", ".join(f"{count} {cause}" for cause, count in cause_counts(report))
    if report.is_significant:
        yield f"Significant: {report.why}"
