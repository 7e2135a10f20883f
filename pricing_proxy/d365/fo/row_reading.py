"""Turn rows of an entity set into their models, and believe only what fits. Pure.

A row of another company would end up in the wrong market, so it is refused like one
whose members are missing or of another type.
"""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from pydantic import ValidationError

from pricing_proxy.d365 import paging
from pricing_proxy.d365.fo.models import Row
from pricing_proxy.names import is_same_name
from pricing_proxy.resilience.errors import UpstreamContractError

R = TypeVar("R", bound=Row)


def checked_rows(
    row: type[R], rows: Iterable[paging.Row], company: str | None, *, system: str
) -> Iterator[R]:
    """Yield each row as its model.

    Args:
        row: The model.
        rows: As they were read.
        company: Whose rows were asked for; None where a set belongs to no company.
        system: The other side's name in errors.

    Raises:
        UpstreamContractError: A row does not fit, or is of another company.
    """
    for values in rows:
        try:
            checked = row.model_validate(values)
        except ValidationError as exc:
            raise UpstreamContractError(
                f"{row.entity_set}: an unexpected row: {exc}", system=system
            ) from exc
        if not _belongs(checked, company):
            raise UpstreamContractError(
                f"{row.entity_set}: a row of another company", system=system
            )
        yield checked


def _belongs(row: Row, company: str | None) -> bool:
    if row.company_field is None or company is None:
        return True
    # F&O writes company ids in lower case, people in either.
    return is_same_name(str(getattr(row, row.company_field)), company)
