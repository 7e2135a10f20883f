"""What data in Redis were read from, as their keys name it.

What was read from one ERP, or from one company of it, is wrong for any other: two deployments
on one Redis never find each other's data, and a deployment that is pointed elsewhere finds
nothing old. Names of the configuration do not tell: "fo" is here one system and there another.

A database that was copied or restored under the same address cannot be told from what it was:
invalidate `all` `hard` then, and restart nothing.
"""

from collections.abc import Mapping
from urllib.parse import quote

from pricing_proxy.configuration.addresses import in_one_spelling
from pricing_proxy.configuration.environments import Environment
from pricing_proxy.configuration.markets import MarketSection


def provenances(
    environments: Mapping[str, Environment], markets: Mapping[str, MarketSection]
) -> dict[str, str]:
    """Return what each market's data are read from: an address, a company, and the market.

    Maps and ledger stand under it. Prices depend on more, see `cache.keys`.
    """
    return {
        code: provenance(environments[market.environment], market.legal_entity, code)
        for code, market in markets.items()
    }


def provenance(environment: Environment, company: str, market: str) -> str:
    """Return what one market's data are read from; the ERP ignores a company's letter case."""
    parts = (in_one_spelling(environment.url), company.casefold(), market)
    # Quoted, no name holds the bar, or a brace that would end a Cluster's hash tag.
    return "|".join(quote(part, safe=":/[]") for part in parts)
