"""What README says of the project's rooms: its layout, and the walks through them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.code.sources import ROOT

__all__ = ["ROOT", "Step", "layout", "rooms", "walk"]

_PROGRAMS = ("pricing_proxy", "sync")
_HOUSES = (*_PROGRAMS, "tests")
_INDENT = "    "
_ROOM = re.compile(r"(?<![\w./])([a-z_0-9]+(?:/[a-z_0-9]+)*)/(?= |$)")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a walk: a module, by its path without the ending."""

    module: str

    @property
    def room(self) -> str:
        """The room that it stands in."""
        return self.module.rpartition("/")[0]


@cache
def rooms() -> frozenset[str]:
    """Return every folder with modules in it, from the project's root."""
    files = (file for house in _HOUSES for file in (ROOT / house).rglob("*.py"))
    return frozenset(file.relative_to(ROOT).parent.as_posix() for file in files)


def layout() -> dict[str, bool]:
    """Return the rooms that the layout names, and whether it marks them as shared."""
    found: dict[str, bool] = {}
    house = ""
    for line in _section("## Layout").splitlines():
        names = [match[1] for match in _ROOM.finditer(line)] if line.startswith(_INDENT) else []
        if names == [line.strip().rstrip("/")] and names[0] in _HOUSES:
            house = names[0]
        inside = (name if name == house else f"{house}/{name}" for name in names)
        found |= dict.fromkeys(inside, "[S]" in line)
    return found


def walk(subject: str) -> list[Step]:
    """Return the steps of a walk that README tells.

    Args:
        subject: How its paragraph begins.
    """
    paragraphs = _section("## Layout").split("\n\n")
    [told] = (each for each in paragraphs if each.startswith(subject))
    return [step for name in re.findall(r"`([\w/]+)`", told) for step in _steps(name)]


def _steps(name: str) -> Iterator[Step]:
    places = (name, *(f"{program}/{name}" for program in _PROGRAMS))
    found = [place for place in places if (ROOT / f"{place}.py").exists()]
    if "/" in name:
        yield from (Step(place) for place in found or [f"nowhere: {name}"])


def _section(title: str) -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return text.partition(f"{title}\n\n")[2].partition("\n## ")[0]
