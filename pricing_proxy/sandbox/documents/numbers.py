"""Number sequences, as F&O gives them to what is created."""

from itertools import count


class NumberSequence:
    """Rising numbers with leading zeros; a number that somebody chose is not noticed."""

    def __init__(self, first: int, *, width: int = 6, prefix: str = "") -> None:
        self._numbers = count(first)
        self._width = width
        self._prefix = prefix

    def next(self) -> str:
        """Return the next number."""
        return f"{self._prefix}{next(self._numbers):0{self._width}}"
