"""The page that shows the document: it is whole, ours alone, and explains the freshness table."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

import pricing_proxy.web
from pricing_proxy.domain.freshness import TABLE, Mode, State
from pricing_proxy.web.freshness_words import freshness_markdown, ruling_text
from tests.web.documented import DOCUMENT, is_documented
from tests.web.shop import Shop

STATIC = Path(pricing_proxy.web.__file__).parent / "static"


def test_the_freshness_table_has_a_row_for_each_state() -> None:
    lines = freshness_markdown().splitlines()

    for state, rulings in TABLE.items():
        [row] = [line for line in lines if line.startswith(f"| `{state}` |")]
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert cells[3:] == [ruling_text(rulings[mode]) for mode in Mode]
    assert freshness_markdown() in DOCUMENT["info"]["description"]


def test_rulings_that_differ_read_differently() -> None:
    """Otherwise a change of the table could go unseen in the documentation."""
    rulings = {ruling for row in TABLE.values() for ruling in row.values()}
    checkout = TABLE[State.FRESH][Mode.CHECKOUT]
    rulings.add(replace(checkout, recent_us=checkout.recent_us * 2))

    assert len({ruling_text(ruling) for ruling in rulings}) == len(rulings)


async def test_the_page_and_everything_it_names_are_served(shop: Shop) -> None:
    page = await shop.admin.get("/docs")
    named = re.findall(r'(?:href|src)="(docs/[^"]+)"', await page.text())

    assert page.content_type == "text/html"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert named
    for name in named:
        file = await shop.admin.get(f"/{name}")
        assert file.status == 200
        assert file.content_type == ("text/css" if name.endswith(".css") else "text/javascript")
        for imported in re.findall(r'from "\./([^"]+)"', await file.text()):
            assert (await shop.admin.get(f"/docs/{imported}")).status == 200


async def test_a_file_outside_the_fixed_set_is_a_problem(shop: Shop) -> None:
    for name in ("docs.html", "no.js", "..%2Fdocs.py", "%2Fetc%2Fpasswd"):
        answer = await shop.admin.get(f"/docs/{name}")

        await is_documented("get", "/docs/{file}", answer, "no_such_file")


@pytest.mark.parametrize("file", sorted(STATIC.iterdir()), ids=lambda file: file.name)
def test_the_pages_fetch_nothing_from_elsewhere(file: Path) -> None:
    """They must work where no network is, and tell nobody who reads them."""
    assert not re.search(r"https?://[\w.]", file.read_text())
