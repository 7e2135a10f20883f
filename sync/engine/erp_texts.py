"""Codes and texts as the ERP takes them: what flows' rules have in common.

Blanks around texts are never sent. A name or an address that was cut would arrive as another
one, so what is too long is told; a field is cut only where the rules name it, and that is told
too.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import BaseModel, Field

from pricing_proxy.configuration.cross_checks import one_of, table
from pricing_proxy.configuration.environments import MODEL
from pricing_proxy.configuration.mistakes import Mistake
from sync.engine.outcomes import HeldError

Code = Annotated[str, Field(min_length=1, max_length=60)]
"""One of the ERP's codes."""

Country = Annotated[str, Field(pattern="^[A-Z]{2}$")]
"""An ISO two-letter code."""


class Texts(NamedTuple):
    """Texts as the ERP takes them.

    Attributes:
        fields: By the ERP's field; without empty ones.
        cut: What was cut, for people.
    """

    fields: dict[str, str]
    cut: tuple[str, ...]


class LimitedTexts(BaseModel):
    """Rules by which texts are sent to the ERP.

    Attributes:
        field_lengths: Longest texts of the ERP's fields, where they are not those of F&O.
        cut: The ERP's fields whose texts are cut where they are too long, which is told on the
            event; any other holds its document.
        known_lengths: What F&O's own data types take, in characters; a customized ERP may differ.
        never_cut: Fields by whose text something is found again, or somebody is known.
        section: Of the market, which these rules are.
    """

    model_config = MODEL

    known_lengths: ClassVar[Mapping[str, int]]
    never_cut: ClassVar[frozenset[str]]
    section: ClassVar[str]

    field_lengths: dict[str, Annotated[int, Field(ge=1, le=100_000)]] = {}
    cut: frozenset[str] = frozenset()

    def fitted(
        self, fields: Mapping[str, str | None], *, sources: Mapping[str, str], where: str = ""
    ) -> Texts:
        """Return texts as the ERP's fields take them, empty ones left out.

        Args:
            fields: By the ERP's field.
            sources: The shop's member behind a field.
            where: Path of the document's part in the shop; empty for the whole.

        Raises:
            HeldError: One is too long and must not be cut; it names both fields and the two
                lengths.
        """
        longest = {**self.known_lengths, **self.field_lengths}
        fitting, cut = {}, []
        for name, told in fields.items():
            text, most = trimmed(told or ""), longest.get(name)
            if most is not None and len(text) > most:
                if name not in self.cut:
                    raise self._too_long(name, len(text), most, sources=sources, where=where)
                cut.append(f"{name} was cut to {most} of {len(text)} characters")
                text = text[:most].rstrip()
            if text:
                fitting[name] = text
        return Texts(fitting, tuple(cut))

    def _too_long(
        self, name: str, length: int, most: int, *, sources: Mapping[str, str], where: str
    ) -> HeldError:
        source = sources.get(name, name)
        may_be_cut = "" if name in self.never_cut else f", or name it in {self.section}.cut"
        return HeldError(
            field=f"{where}.{source}" if where else source,
            text=f"{length} characters, and {name} in the ERP takes {most}",
            advice="shorten it in the shop, then replay; "
            f"or raise {self.section}.field_lengths.{name} where the ERP takes more{may_be_cut}",
        )


def trimmed(text: str) -> str:
    """Return a text without blanks around its lines, and without empty lines."""
    return "\n".join(line for each in text.splitlines() if (line := each.strip()))


def text_mistakes(
    document: Mapping[str, Any], market: str, rules: type[LimitedTexts], more: frozenset[str]
) -> Iterator[Mistake]:
    """Find fields that are named in vain, in the file as it was written.

    Args:
        document: The whole file.
        market: The market's code.
        rules: Whose section it is.
        more: Further fields that the section has texts written into.
    """
    here = f"sync.markets.{market}.{rules.section}"
    own = table(document, "sync", "markets", market, rules.section)
    known = dict.fromkeys((*rules.known_lengths, *more))
    may_be_cut = {name: None for name in known if name not in rules.never_cut}
    for name in table(own, "field_lengths"):
        if name not in known:
            yield Mistake(f"{here}.field_lengths.{name}", one_of(known))
    cut = own.get("cut")
    for name in cut if isinstance(cut, list) else ():
        if name not in may_be_cut:
            yield Mistake(f"{here}.cut", one_of(may_be_cut), str(name))
