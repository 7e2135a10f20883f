"""Codes and texts as the ERP takes them: what flows' rules have in common.

A name or an address that was cut would arrive as another one, so what is too long is told, and
never cut.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from pricing_proxy.configuration.environments import MODEL
from sync.engine.outcomes import HeldError

Code = Annotated[str, Field(min_length=1, max_length=60)]
"""One of the ERP's codes."""

Country = Annotated[str, Field(pattern="^[A-Z]{2}$")]
"""An ISO two-letter code."""


class LimitedTexts(BaseModel):
    """Rules by which texts are sent to the ERP.

    Attributes:
        field_lengths: Longest texts of the ERP's fields, where they are not those of F&O.
        known_lengths: What F&O's own data types take, in characters; a customized ERP may differ.
        section: Of the market, which these rules are.
    """

    model_config = MODEL

    known_lengths: ClassVar[Mapping[str, int]]
    section: ClassVar[str]

    field_lengths: dict[str, Annotated[int, Field(ge=1, le=100_000)]] = {}

    def check_lengths(
        self, fields: Mapping[str, object], *, sources: Mapping[str, str], where: str = ""
    ) -> None:
        """Check that the ERP's fields take the texts.

        Args:
            fields: The ERP's fields.
            sources: The shop's member behind a field.
            where: Path of the document's part in the shop; empty for the whole.

        Raises:
            HeldError: One does not; it names both fields and the two lengths.
        """
        longest = {**self.known_lengths, **self.field_lengths}
        for name, text in fields.items():
            most = longest.get(name)
            if not isinstance(text, str) or most is None or len(text) <= most:
                continue
            source = sources.get(name, name)
            raise HeldError(
                field=f"{where}.{source}" if where else source,
                text=f"{len(text)} characters, and {name} in the ERP takes {most}",
                advice="shorten it in the shop, then replay; "
                f"or raise {self.section}.field_lengths.{name} where the ERP takes more",
            )
