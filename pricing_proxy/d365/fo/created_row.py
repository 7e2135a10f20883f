"""What the ERP says of a row once it is there. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pricing_proxy.resilience.errors import UpstreamContractError


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedRow:
    """A new row as the ERP completed it.

    Attributes:
        members: Numbers as `NumberText`.
        system: The ERP's name in errors.
    """

    members: Mapping[str, Any]
    system: str

    def text(self, field: str) -> str:
        """Return a text that the ERP gave the row, such as its number.

        Raises:
            UpstreamContractError: The row exists, but the answer does not name it.
        """
        value = self.members.get(field)
        if not isinstance(value, str) or not value:
            raise UpstreamContractError(f"a new row without {field!r}", system=self.system)
        return str(value)


def created_row(entity_set: str, body: Any, *, system: str) -> CreatedRow:
    """Return the row in the answer to a creation.

    Raises:
        UpstreamContractError: The row exists, but the answer does not hold it.
    """
    if not isinstance(body, dict):
        raise UpstreamContractError(
            f"{entity_set}: created, but no row was returned", system=system
        )
    return CreatedRow(members=body, system=system)
