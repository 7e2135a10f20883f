"""Turn rows of an entity set into their models, and believe only what fits. Pure.

A row of another company would end up in the wrong market, so it ends a reading. One that does
not fit ends it where single rows are asked for, unless it can do without what does not; in a
reading of a whole set it is left out and noted (`UnreadableRows`), unless most of them are so:
then it is the set that is not as agreed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from pydantic import ValidationError

from pricing_proxy.d365 import paging
from pricing_proxy.d365.fo.models import Row
from pricing_proxy.names import is_same_name
from pricing_proxy.resilience.errors import UpstreamContractError

R = TypeVar("R", bound=Row)

# Of the name of a row that nobody has checked.
_SHOWN = 40


class UnreadableRows:
    """The rows of one set that could not be read as agreed.

    Args:
        entity_set: The set's name.

    Attributes:
        count: How many there are.
    """

    def __init__(self, entity_set: str) -> None:
        self.count = 0
        self._entity_set = entity_set
        self._first = ""

    @property
    def told(self) -> str:
        """What people are told of them."""
        rows = "1 row is" if self.count == 1 else f"{self.count} rows are"
        return f"{self._entity_set}: {rows} not as agreed, the first is {self._first}"

    def note(self, row: type[Row], values: paging.Row, fields: Iterable[str]) -> None:
        """Note a row, and in which fields it is odd."""
        self.count += 1
        name = values.get(row.shown_by) if row.shown_by is not None else None
        shown = f"{name[:_SHOWN]!r}, in " if isinstance(name, str) and not self._first else "in "
        self._first = self._first or shown + ", ".join(sorted(fields))

    def check(self, total: int, *, system: str) -> None:
        """Raise `UpstreamContractError` where most of all rows are odd."""
        if self.count * 2 > total:
            raise UpstreamContractError(self.told, system=system)


def checked_rows(
    row: type[R],
    rows: Iterable[paging.Row],
    company: str | None,
    *,
    system: str,
    needs_all: bool = True,
) -> Iterator[R]:
    """Yield each row as its model.

    Args:
        row: The model.
        rows: As they were read.
        company: Whose rows were asked for; None where a set belongs to no company.
        system: The other side's name in errors.
        needs_all: Whether a row must fit in what it could do without as well.

    Raises:
        UpstreamContractError: A row does not fit, or is of another company.
    """
    for values in rows:
        try:
            checked = row.model_validate(values)
        except ValidationError as exc:
            mended = None if needs_all else _without_unset(row, values, _fields_of(exc))
            if mended is None:
                raise UpstreamContractError(
                    f"{row.entity_set}: an unexpected row: {exc}", system=system
                ) from exc
            checked = mended
        _require(checked, company, system)
        yield checked


class OddRows(Protocol):
    """Who is told of rows that are not as agreed; `UnreadableRows` is one."""

    def note(self, row: type[Row], values: paging.Row, fields: Iterable[str]) -> None:
        """Take note of a row, and in which fields it is odd."""
        ...


def readable_rows(
    row: type[R], rows: Sequence[paging.Row], company: str, odd: OddRows, *, system: str
) -> Iterator[R]:
    """Yield each row that fits, or does without what may be unset; note the others.

    Raises:
        UpstreamContractError: A row is of another company.
    """
    for values in rows:
        try:
            checked = row.model_validate(values)
        except ValidationError as error:
            fields = _fields_of(error)
            odd.note(row, values, fields)
            mended = _without_unset(row, values, fields)
            if mended is None:
                continue
            checked = mended
        _require(checked, company, system)
        yield checked


def _fields_of(error: ValidationError) -> set[str]:
    return {str(each["loc"][0]) if each["loc"] else "the whole row" for each in error.errors()}


def _without_unset(row: type[R], values: paging.Row, odd: set[str]) -> R | None:
    """Return the row without what may be unset; None where other fields are odd as well."""
    unset = _unset_of(row)
    return row.model_validate({**values, **unset}) if odd <= unset.keys() else None


def _unset_of(row: type[Row]) -> Mapping[str, Any]:
    return row.unset


def _require(row: Row, company: str | None, system: str) -> None:
    if not _belongs(row, company):
        raise UpstreamContractError(f"{row.entity_set}: a row of another company", system=system)


def _belongs(row: Row, company: str | None) -> bool:
    if row.company_field is None or company is None:
        return True
    # F&O writes company ids in lower case, people in either.
    return is_same_name(str(getattr(row, row.company_field)), company)
