"""Texts that are too long for the other system: told, never cut.

A name or an address that was cut would arrive as another one. Pure.
"""

from collections.abc import Mapping

from sync.engine.outcomes import HeldError


def check_lengths(
    fields: Mapping[str, object],
    longest: Mapping[str, int],
    *,
    sources: Mapping[str, str],
    where: str,
    setting: str,
) -> None:
    """Check that the ERP's fields take the texts.

    Args:
        fields: The ERP's fields.
        longest: How many characters a field takes, where that is known.
        sources: The shop's member behind a field.
        where: Path of the document's part in the shop; empty for the whole.
        setting: Path of the setting that says how much a field takes.

    Raises:
        HeldError: One does not; it names both fields and the two lengths.
    """
    for name, text in fields.items():
        most = longest.get(name)
        if not isinstance(text, str) or most is None or len(text) <= most:
            continue
        source = sources.get(name, name)
        raise HeldError(
            field=f"{where}.{source}" if where else source,
            text=f"{len(text)} characters, and {name} in the ERP takes {most}",
            advice="shorten it in the shop, then replay; "
            f"or raise {setting}.{name} where the ERP takes more",
        )
