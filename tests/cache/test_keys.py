"""Under which names prices are kept: whatever makes them others is in them, and nothing else.

A setting that is not named here is new: say which of the two it is.
"""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from pricing_proxy.configuration.environments import Environment
from pricing_proxy.configuration.markets import MarketSection
from pricing_proxy.prices.query import Context
from pricing_proxy.serve.caching import price_keys
from pricing_proxy.settings import Settings
from pricing_proxy.shared_state.provenance import provenance

MARKET = "b2b_de"
ENVIRONMENT: Mapping[str, Any] = {
    "url": "https://erp.example.com",
    "tenant": "example",
    "time_zone": "Europe/Berlin",
    "pricing_client_id": "pricing",
    "pricing_client_secret": "secret",
}
APP_KEYS = (
    *("client_id", "client_secret", "federated_token_file"),
    *("certificate_file", "certificate_key_file", "certificate_password"),
)
SECTION: Mapping[str, Any] = {"environment": "fo", "legal_entity": "demf", "currency": "EUR"}
# A change of these makes what is kept another price than would be answered.
MEANT: Mapping[str, Mapping[str, Any]] = {
    "environment": {
        "url": "https://test.example.com",
        "time_zone": "America/New_York",
        "price_service_path": "/api/services/Other/Other/getPrices",
    },
    "market": {
        "legal_entity": "usmf",
        "company_currency": "USD",
        "tax_included": True,
        "price_decimals": 2,
        "price_limits": {"lowest": "1.50"},
    },
}
# There is but one choice yet.
ALONE = {"environment": {"kind"}, "market": {"sources"}}
NOT_MEANT = {
    "environment": {
        *("tenant", "authority", "ca_file"),  # who lets us in
        *(f"{app}_{key}" for app in ("pricing", "sync") for key in APP_KEYS),
        "max_lines_per_call",
        *("proxy", "proxy_password"),  # the way there
    },
    "market": {
        "environment",  # a name; its address counts
        *("currency", "currencies"),  # a price's own currency is in its key
        "freshness",  # what is kept carries its ages
        *("storefront_origins", "guest_accounts", "magento_customers"),  # who asks
        *("probe_customer", "probe_skus", "maps_least_percent"),
    },
}
MODELS: Mapping[str, type[BaseModel]] = {"environment": Environment, "market": MarketSection}


def names(**changes: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return how the prices, the marks and the budget of one customer are called."""
    settings = Settings.model_validate(
        {
            "environments": {"fo": {**ENVIRONMENT, **changes.get("environment", {})}},
            "markets": {MARKET: {**SECTION, **changes.get("market", {})}},
        }
    )
    keys, context = price_keys(settings), Context(MARKET, "C-1", "EUR")
    return keys.prices(context), keys.warm_mark(context, "seen"), keys.budget(context)


@pytest.mark.parametrize("where", MODELS)
def test_every_setting_is_one_that_changes_prices_or_is_not(where: str) -> None:
    known = set(MEANT[where]) | ALONE[where] | NOT_MEANT[where]
    assert set(MODELS[where].model_fields) == known


@pytest.mark.parametrize(
    ("where", "name"), [(where, name) for where, changes in MEANT.items() for name in changes]
)
def test_what_is_meant_otherwise_is_called_otherwise(where: str, name: str) -> None:
    changed = names(**{where: {name: MEANT[where][name]}})
    assert not set(changed) & set(names())


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("environment", {"url": "https://ERP.example.com:443/"}),
        ("environment", {"tenant": "other", "pricing_client_id": "other"}),
        ("market", {"legal_entity": "DEMF"}),
        ("market", {"company_currency": "EUR"}),
        ("market", {"freshness": {"soft_seconds": 10}}),
    ],
)
def test_what_is_meant_alike_is_called_alike(where: str, change: Mapping[str, Any]) -> None:
    assert names(**{where: change}) == names()


def test_no_parts_of_a_name_run_together() -> None:
    """Nor do they end the part of a name that chooses the Cluster's slot."""
    environment = Environment.model_validate(ENVIRONMENT)
    found = {provenance(environment, *parts) for parts in (("a|b", "c"), ("a", "b|c"), ("a", "}"))}
    assert len(found) == 3
    assert not any("}" in each for each in found)
