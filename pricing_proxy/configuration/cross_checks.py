"""What no single key shows: between the sections that both programs read.

A document is looked at as it was written: it may be wrong in any other way as well.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pricing_proxy.configuration.mistakes import Mistake


def table(owner: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """Return the table at a path, an empty one in place of anything else."""
    for name in names:
        found = owner.get(name)
        owner = found if isinstance(found, dict) else {}
    return owner


def market_mistakes(document: Mapping[str, Any]) -> Iterator[Mistake]:
    """Find markets that name an environment that is not there."""
    environments = table(document, "environments")
    for code, market in table(document, "markets").items():
        named = market.get("environment") if isinstance(market, dict) else None
        if isinstance(named, str) and named not in environments:
            yield Mistake(f"markets.{code}.environment", one_of(environments), named)


def one_of(names: Mapping[str, Any]) -> str:
    """Return the advice to name one of these."""
    return f"expected one of: {', '.join(sorted(names)) or '(there are none)'}"
