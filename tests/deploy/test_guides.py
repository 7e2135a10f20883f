"""The guides name what there is: every secret, every file and test they rest on, real commands."""

import re
from pathlib import Path

import pytest

from tests.code.sources import ROOT
from tests.configuration.keys import sections
from tests.deploy.files import DEPLOY

GUIDES = sorted((DEPLOY / "guides").glob("*.md"))
_TESTS = re.compile(r"`(tests/[\w/]+(?:\.py)?)`")
_KEYS = re.compile(r"`((?:sync|service|redis|storefront|environments)\.[\w.*]+)`")


def text(name: str) -> str:
    return (DEPLOY / "guides" / f"{name}.md").read_text(encoding="utf-8")


def test_each_secret_has_its_rotation() -> None:
    told = text("secrets")
    names = {
        key.path.removeprefix("environments.*.")
        for section in sections()
        for key in section.keys
        if key.is_secret
    }
    assert "proxy_password" in names
    assert [name for name in names if f"{name}`" not in told] == []


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_what_it_rests_on_is_there(guide: Path) -> None:
    said = guide.read_text(encoding="utf-8")
    assert [each for each in _TESTS.findall(said) if not (ROOT / each).exists()] == []
    known = {key.path for section in sections() for key in section.keys}
    known |= {section.path for section in sections()}
    assert [
        each for each in _KEYS.findall(said) if each not in known and f"{each}.*" not in known
    ] == []


def test_each_guide_is_linked() -> None:
    told = (DEPLOY / "README.md").read_text(encoding="utf-8")
    assert [guide.name for guide in GUIDES if f"(guides/{guide.name})" not in told] == []
    assert len(GUIDES) == 5


@pytest.mark.parametrize(
    ("case", "bytes_each"),
    [
        ("Memory bytes per SKU of a market", 414),
        ("Memory bytes per customer of a market", 364),
        ("Memory bytes per price", 661),
        ("Redis bytes per price", 291),
    ],
)
def test_figures_are_near_those_that_are_measured(case: str, bytes_each: int) -> None:
    """A tenth apart is a measurement of another day; more has the guide computed anew."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (measured,) = re.findall(rf"\| {case} \|  \|  \| (\d+) \|", readme)
    assert abs(int(measured) - bytes_each) <= bytes_each / 10
    assert f"{bytes_each} B" in text("sizing")


def test_the_table_of_sizes_adds_up() -> None:
    """Maps of each column, by the figures above it."""
    (line,) = re.findall(r"\| maps in a replica: .*\|", text("sizing"))
    sizes = ((5_000, 500, 1), (50_000, 5_000, 2), (250_000, 50_000, 3))
    megabytes = [
        round((skus * 414 + customers * 364) * markets / 1e6) for skus, customers, markets in sizes
    ]
    assert re.findall(r"(\d+) MB", line) == [str(each) for each in megabytes]
