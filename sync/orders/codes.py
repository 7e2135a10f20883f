"""Look a code of the shop up in a configured map; a missing one holds the order."""

from collections.abc import Mapping
from typing import TypeVar

from sync.engine.outcomes import HeldError

T = TypeVar("T")


def mapped(
    table: Mapping[str, T], code: str, *, field: str, name: str, market: str, any_of: str = ""
) -> T:
    """Return what the map says of a code.

    Args:
        table: The map.
        code: The shop's code.
        field: Where it stands in the shop's document.
        name: The map's name in the market's configuration.
        market: The market's code.
        any_of: A second key that stands for a whole family of codes.

    Raises:
        HeldError: The map has no entry; the advice names the one to add.
    """
    if code in table:
        return table[code]
    if any_of in table:
        return table[any_of]
    raise HeldError(
        field=field,
        text=f'"{code}" is not in the map {name}',
        advice=f"add {entry(market, name, code)}, then replay",
    )


def entry(market: str, name: str, code: str) -> str:
    """Return the path of a map's entry in the configuration, as it is written in TOML."""
    return f'sync.markets.{market}.{name}."{code}"'
