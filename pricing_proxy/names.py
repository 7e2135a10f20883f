"""Compare names of items and customers as Magento and F&O compare them. Pure.

Both keep the spelling that somebody typed, and find it by another: Magento trims a SKU and
compares it without letter case (`utf8mb4_*_ci`), F&O's SQL Server compares without letter
case and without trailing blanks (`*_CI_AS`), and both take composed and decomposed letters for
the same. Only what both agree on is folded here. Accents (MySQL ignores them, SQL Server does
not), sharp s beside double s, and wide letters stay apart: an unknown SKU is seen and mended, a
neighbour's price is not.

The exact spelling always wins; the folded one is for what is not found by it. Keys, references
and writes use the spelling of the system that owns the name, answers repeat the caller's.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TypeVar
from unicodedata import normalize

V = TypeVar("V")

# What PHP's trim takes off, and so Magento off every SKU that it looks for.
_OUTER_BLANKS = " \t\n\r\0\x0b"


def same_name_key(text: str) -> str:
    """Return the text that all spellings of one name share; of a key, the key itself."""
    if text.isascii():
        return text.strip(_OUTER_BLANKS).lower()
    composed = normalize("NFC", text.strip(_OUTER_BLANKS))
    return normalize("NFC", "".join(map(_without_case, composed)))


# Callers ask for the same names again and again, in the same spelling.
_asked_key = lru_cache(maxsize=16_384)(same_name_key)


def is_same_name(one: str, other: str) -> bool:
    """Return whether both are spellings of one name."""
    return one == other or same_name_key(one) == same_name_key(other)


def _without_case(letter: str) -> str:
    folded = letter.casefold()
    if len(folded) > 1:
        # Sharp s is no double s to MySQL, and ligatures are their letters to neither.
        folded = letter.lower()
    return folded if len(folded) == 1 else letter


class Spellings:
    """The names that a system holds, found by any spelling of them.

    Where several of its names are the same but for the spelling, each is found by its own, and
    any further spelling finds the one that sorts first: the same in every process.

    Args:
        names: The names, each in the system's own spelling.

    Attributes:
        clashes: The names that are found by their own spelling only.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.clashes: set[str] = set()
        self._by_key: dict[str, str] = {}
        self.add(names)

    def add(self, names: Iterable[str]) -> None:
        """Add names, for whoever may not hold the loop for all of them at once."""
        for name in names:
            first = self._by_key.setdefault(same_name_key(name), name)
            if first != name:
                self._by_key[same_name_key(name)] = min(first, name)
                self.clashes.add(max(first, name))

    def find(self, name: str) -> str | None:
        """Return the system's spelling of a name, None where it has no such name."""
        if self.clashes and name in self.clashes:
            return name
        return self._by_key.get(_asked_key(name))


class ByName(dict[str, V]):
    """What a system holds under each of its names, found by any spelling of them.

    `get`, `in` and iteration know the system's own spellings only, and cost what a dict costs;
    `find` and `[]` know the others too. It is not changed once it is made.

    Args:
        rows: By the system's own spelling.
        spellings: Of those names, where somebody has gathered them already.
    """

    __slots__ = ("spellings",)

    def __init__(self, rows: Mapping[str, V], spellings: Spellings | None = None) -> None:
        super().__init__(rows)
        self.spellings = Spellings(rows) if spellings is None else spellings

    def find(self, name: str) -> V | None:
        """Return what is held under a name in any spelling; None where there is nothing."""
        found = self.get(name)
        if found is not None:
            return found
        spelled = self.spellings.find(name)
        return None if spelled is None else self.get(spelled)

    def knows(self, name: str) -> bool:
        """Return whether anything is held under a name in any spelling."""
        return name in self or self.spellings.find(name) is not None

    def __missing__(self, name: str) -> V:
        spelled = self.spellings.find(name)
        if spelled is None:
            raise KeyError(name)
        return self[spelled]
