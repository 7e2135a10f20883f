"""A configuration that is right, as a file to be changed and an environment beside it."""

from pathlib import Path

CONFIGURATION = """\
[environments.erp]
url = "https://contoso.operations.dynamics.com"
tenant = "contoso.com"
time_zone = "Europe/Berlin"
pricing_client_id = "6d4f1c9e"

[markets.b2b_de]
environment = "erp"
legal_entity = "demf"
currency = "EUR"

[[api_keys]]
name = "shop-de"
sha256 = "f9cdfd9cf2cfd9b0a0e1fd0d9ed32a9ad0c6e4b4a7a8b0c6ae9ee1f0b1a2c3d4"
scopes = ["prices", "login"]
"""
SECRET = "hunter2~Abc.D-ef_GhI"
SECRET_VARIABLE = "PRICING_PROXY_ENVIRONMENTS__ERP__PRICING_CLIENT_SECRET"
ENVIRON = {SECRET_VARIABLE: SECRET}


def write(folder: Path, text: str = CONFIGURATION) -> Path:
    """Write a configuration file and return its path."""
    file = folder / "pricing-proxy.toml"
    file.write_text(text, encoding="utf-8")
    return file
