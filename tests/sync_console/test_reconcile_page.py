"""What people are shown of a comparison: nothing of either system can change the page."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser

from pricing_proxy.terminal import PlainConsole
from sync.console.plain import as_json
from sync.console.reconcile_page import drawn
from sync.console.reconcile_tables import report_table
from sync.reconciliation.causes import Cause, Share
from sync.reconciliation.comparing import Discrepancy, DriftReport

AT = datetime(2026, 11, 29, 2, tzinfo=UTC)
ODD = '<script src="https://evil.example.com/x.js"></script>[bold]'


def report(*causes: Cause, key: str = ODD) -> DriftReport:
    found = [
        Discrepancy(
            key=key,
            field="source berlin",
            erp="100",
            shop=None if cause is Cause.UNKNOWN_SKU else "97",
            known="100",
            run=7,
            read_at=AT,
            causes=[Share(cause=cause, amount=Decimal("-3.0000"), text=ODD)],
            action="read and written again",
        )
        for cause in causes
    ]
    return DriftReport(
        kind="stock", market="b2b_de", began_at=AT, ended_at=AT, compared=4711, found=found
    )


class Tags(HTMLParser):
    """The tags of a page, and whatever they point to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_needs_nothing_else_and_escapes_what_systems_say() -> None:
    page = drawn([report(*Cause), replace(report(), notes=[f"{ODD} is away"])])
    tags = Tags(page)
    assert tags.addresses == []
    assert not tags.names & {"script", "link", "img", "iframe"}
    assert "4,711 values compared" in page
    assert "Nothing differs." in page
    assert "[bold] is away" in page
    for cause in Cause:
        assert str(cause) in page.replace("&#39;", "'")


def test_the_table_and_json_hold_the_same_and_no_markup_of_others() -> None:
    console = PlainConsole(width=200, markup=False, force_terminal=False)
    with console.capture() as captured:
        console.print(report_table(replace(report(Cause.EDITED), notes=[f"{ODD} is away"])))
    said = captured.get()
    assert "[bold]" in said
    assert "edited in the shop (-3)" in said
    assert "1 edited in the shop" in said
    assert "[bold] is away" in said
    assert '"cause": "edited in the shop"' in as_json([report(Cause.EDITED)])
