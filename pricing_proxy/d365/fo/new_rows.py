"""A row to create, and what the ERP says of it once it is there. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pricing_proxy.d365.fo.bodies import JsonValue
from pricing_proxy.resilience.errors import UpstreamContractError

CreatedRow = Mapping[str, Any]
"""The row as the ERP completed it, numbers as `NumberText`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRow:
    """A row to create.

    Attributes:
        members: The body, in the wire's forms.
    """

    entity_set: str
    members: Mapping[str, JsonValue]


def created_row(new: NewRow, body: Any, *, system: str) -> CreatedRow:
    """Return the row in the answer to a creation.

    Raises:
        UpstreamContractError: The row exists, but the answer does not hold it.
    """
    if not isinstance(body, dict):
        raise UpstreamContractError(
            f"{new.entity_set}: created, but no row was returned", system=system
        )
    return body


def created_text(created: CreatedRow, field: str, *, system: str) -> str:
    """Return a text that the ERP gave a new row, such as its number.

    Raises:
        UpstreamContractError: The row exists, but the answer does not name it.
    """
    value = created.get(field)
    if not isinstance(value, str) or not value:
        raise UpstreamContractError(f"a new row without {field!r}", system=system)
    return str(value)
