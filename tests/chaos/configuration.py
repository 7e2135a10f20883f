"""The configuration of a run: one market between the simulated shop and the simulated ERP."""

from dataclasses import dataclass
from pathlib import Path

from pricing_proxy.demo.plan import free_port
from pricing_proxy.demo.sync_plan import ORDER_RULES
from pricing_proxy.sandbox.shop.signatures import INTEGRATIONS

MARKET = "b2b_de"
INTAKE_SECRET = "a secret of the chaos run"
_CONFIGURATION = """\
[environments.sandbox]
url = "http://127.0.0.1:{ports.fo}"
tenant = "demo-tenant"
authority = "https://127.0.0.1:{ports.entra}"
ca_file = "{folder}/entra-ca.pem"
time_zone = "Europe/Berlin"
sync_client_id = "demo-sync"

[markets.b2b_de]
environment = "sandbox"
legal_entity = "demf"
currency = "EUR"
magento_customers = {{ 1 = "C-1001", 2 = "C-1002", 3 = "C-1003" }}

[sync]
concurrency = {concurrency}
magento = {{ url = "http://127.0.0.1:{ports.magento}", consumer_key = "{shop.consumer_key}", \
token = "{shop.token}" }}
postgres = {{ url = "embedded", data_directory = "{folder}/postgres" }}
polling = {{ every_seconds = {poll_seconds}, sweep_seconds = {sweep_seconds} }}
delivery = {{ erp_max_request_seconds = {erp_max_request_seconds} }}
intake = {{ port = 0 }}
operators = {{ port = 0 }}

[sync.markets.b2b_de]
website_id = 3
store_ids = [3]
flows = ["orders", "customers"]
customers = {{ group = {{ "*" = "10" }} }}

[sync.markets.b2b_de.orders]
{orders}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the sandbox listens, and the intake of the worker that the shop tells of orders."""

    control: int
    fo: int
    entra: int
    magento: int
    intake: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What the scenarios set differently.

    Attributes:
        poll_seconds: Between two polls of the shop; 5 unless told otherwise, as in production.
        sweep_seconds: Between two sweeps; an hour in production, longer than a run.
        erp_max_request_seconds: How long a write may still be under way in the ERP.
        concurrency: Events at once in each worker.
    """

    poll_seconds: int = 5
    sweep_seconds: int = 10
    erp_max_request_seconds: int = 60
    concurrency: int = 8


def free_ports() -> Ports:
    """Return ports that nobody has right now."""
    names = ("control", "fo", "entra", "magento", "intake")
    return Ports(**{name: free_port() for name in names})


def write_configuration(folder: Path, ports: Ports, tuning: Tuning) -> Path:
    """Write the file and return its path."""
    text = _CONFIGURATION.format(
        ports=ports,
        folder=folder,
        shop=INTEGRATIONS[0],
        orders=ORDER_RULES,
        concurrency=tuning.concurrency,
        poll_seconds=tuning.poll_seconds,
        sweep_seconds=tuning.sweep_seconds,
        erp_max_request_seconds=tuning.erp_max_request_seconds,
    )
    file = folder / "pricing-proxy.toml"
    file.write_text(text, encoding="utf-8")
    return file


def secrets() -> dict[str, str]:
    """Return the secrets of the simulated systems, as variables of the environment."""
    shop = INTEGRATIONS[0]
    return {
        "PRICING_PROXY_ENVIRONMENTS__SANDBOX__SYNC_CLIENT_SECRET": "demo-sync-secret",
        "PRICING_PROXY_SYNC__MAGENTO__CONSUMER_SECRET": shop.consumer_secret,
        "PRICING_PROXY_SYNC__MAGENTO__TOKEN_SECRET": shop.token_secret,
        "PRICING_PROXY_SYNC__INTAKE__SECRET": INTAKE_SECRET,
    }
