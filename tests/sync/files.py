"""A configuration that both programs can run with, and the environment beside it."""

from pathlib import Path

CONFIGURATION = """\
[environments.erp]
url = "https://contoso.operations.dynamics.com"
tenant = "contoso.com"
time_zone = "Europe/Berlin"
pricing_client_id = "6d4f1c9e"
sync_client_id = "0c1d2e3f"

[markets.b2b_de]
environment = "erp"
legal_entity = "demf"
currency = "EUR"

[service]
memory_megabytes = 64

[redis]
url = "redis://127.0.0.1:6379/0"
timeout_ms = 200

[sync.magento]
url = "https://shop.example"
consumer_key = "5885b5ch"
token = "jy58z3em"

[sync.markets.b2b_de]
website_id = 1
store_ids = [1]

[sync.markets.b2b_de.orders]
start_at = 2026-11-01T00:00:00Z
shipping = { "flatrate_*" = { mode = "10" } }
payment = { checkmo = { method = "CHECK" } }
countries = { DE = "DEU" }
"""
SECRETS = {
    "PRICING_PROXY_ENVIRONMENTS__ERP__PRICING_CLIENT_SECRET": "hunter2~pricing",
    "PRICING_PROXY_ENVIRONMENTS__ERP__SYNC_CLIENT_SECRET": "hunter2~sync",
    "PRICING_PROXY_SYNC__MAGENTO__CONSUMER_SECRET": "hunter2~consumer",
    "PRICING_PROXY_SYNC__MAGENTO__TOKEN_SECRET": "hunter2~token",
}


def write(folder: Path, text: str = CONFIGURATION) -> Path:
    """Write a configuration file and return its path."""
    file = folder / "pricing-proxy.toml"
    file.write_text(text, encoding="utf-8")
    return file
