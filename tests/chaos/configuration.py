"""The configuration of a run: one market between the simulated shop and the simulated ERP.

With neighbours, the market has a second store view and there is a second market of the same
company of the ERP: where all number alike, only a prefix keeps references apart.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pricing_proxy.demo.plan import free_ports
from pricing_proxy.demo.sync_plan import ORDER_RULES
from pricing_proxy.sandbox.shop.signatures import INTEGRATIONS

MARKET = "b2b_de"
COMPANY = "demf"
INTAKE_SECRET = "a secret of the chaos run"
ERP_SECRET = "TheSecretOfBusinessEvents"
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
delivery = {{ erp_max_request_seconds = {erp_max_request_seconds}, \
shop_max_request_seconds = {shop_max_request_seconds} }}
intake = {{ port = 0 }}
operators = {{ port = 0 }}

[sync.markets.b2b_de]
website_id = 3
store_ids = {stores}
flows = {flows}
customers = {{ group = {{ "*" = "10" }} }}
returns = {{ undelivered = "send", disposition = "Credit" }}

[sync.markets.b2b_de.orders]
{prefix}{orders}"""
_NEIGHBOUR = """\

[markets.b2b]
environment = "sandbox"
legal_entity = "demf"
currency = "EUR"

[sync.markets.b2b]
website_id = 2
store_ids = [2]
flows = ["orders", "customers"]
customers = {{ group = {{ "*" = "10" }} }}

[sync.markets.b2b.orders]
{prefix}{orders}"""
# What comes from the ERP: more at once than usual, so that there is something to govern.
_MIRRORS = """\

[sync.mirror]
batches = {batches}
change_seconds = 2
probe_seconds = {probe_seconds}
quiet_hours = ""
"""
_PRODUCTS = """\

[sync.markets.b2b_de.products]
fields = ["name", "price"]
languages = {{ 3 = "de" }}
keep = ["price"]
chunk_rows = {chunk_rows}
batch_rows = {batch_rows}
"""
_STOCK = """\

[sync.markets.b2b_de.stock]
stock_id = {stock}
sources = {{ {sources} }}
"""
_ORDER_STATUS = """\

[sync.markets.b2b_de.order_status.carriers.DHL]
code = "dhl"
title = "DHL"

[sync.markets.b2b_de.order_status.events]
XYZPackingSlipPostedBusinessEvent = "SalesOrderId"
XYZTrackingAddedBusinessEvent = "SalesOrderId"
XYZSalesOrderChangedBusinessEvent = "SalesOrderId"
"""
_INVOICES = """\

[sync.markets.b2b_de.invoices.events]
SalesInvoicePostedBusinessEvent = "SalesOrderId"
"""
_CHUNK_BATCHES = 5
NEIGHBOUR = "b2b"
NAMED = {1: "C-1001", 2: "C-1002", 3: "C-1003"}
GUEST_ACCOUNT = "C-1003"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where the sandbox listens, and what of the first worker: its intake and its metrics."""

    control: int
    fo: int
    entra: int
    magento: int
    intake: int
    operators: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What the scenarios set differently.

    Attributes:
        poll_seconds: Between two polls of the shop; 5 unless told otherwise, as in production.
        sweep_seconds: Between two sweeps; an hour in production, longer than a run.
        erp_max_request_seconds: How long a write may still be under way in the ERP.
        concurrency: Events at once in each worker.
        returns: Whether credit memos are brought over.
        neighbours: Whether there is a second store view, and a second market.
        prefixes: Of the references of each store view, by its id, so that they cannot collide.
        mirrors: Which of products and stock are brought to the shop.
        sources: Of the market's stock, each with the ERP's warehouse that fills it.
        stock_id: Of that stock.
        batches: How many of these go on at once, at the most.
        batch_rows: How many products one request holds.
        probe_seconds: Between two looks at the storefront.
        order_status: Whether orders are watched in the ERP.
        invoices: Whether bills are brought over.
        shop_max_request_seconds: How long a write may still be under way in the shop.
    """

    poll_seconds: int = 5
    sweep_seconds: int = 10
    erp_max_request_seconds: int = 60
    concurrency: int = 8
    returns: bool = False
    neighbours: bool = False
    prefixes: Mapping[str, str] = field(default_factory=lambda: {"4": "E-", "2": "X-"})
    mirrors: Sequence[str] = ()
    sources: Mapping[str, str] = field(default_factory=lambda: {"berlin": "13"})
    stock_id: int = 3
    batches: int = 4
    batch_rows: int = 20
    probe_seconds: int = 3
    order_status: bool = False
    invoices: bool = False
    shop_max_request_seconds: int = 120

    @property
    def flows(self) -> list[str]:
        """What the market has on."""
        returns = ["returns"] if self.returns else []
        status = ["order_status"] if self.order_status else []
        bills = ["invoices"] if self.invoices else []
        return ["orders", "customers", *returns, *self.mirrors, *status, *bills]


def unused_ports() -> Ports:
    """Return ports that nobody has right now."""
    names = ("control", "fo", "entra", "magento", "intake", "operators")
    return Ports(**dict(zip(names, free_ports(len(names)), strict=True)))


def write_configuration(folder: Path, ports: Ports, tuning: Tuning) -> Path:
    """Write the file and return its path."""
    text = _CONFIGURATION.format(
        ports=ports,
        folder=folder,
        shop=INTEGRATIONS[0],
        orders=ORDER_RULES,
        flows=json.dumps(tuning.flows),
        stores="[3, 4]" if tuning.neighbours else "[3]",
        prefix=_prefixes(tuning, "3", "4") if tuning.neighbours else "",
        concurrency=tuning.concurrency,
        poll_seconds=tuning.poll_seconds,
        sweep_seconds=tuning.sweep_seconds,
        erp_max_request_seconds=tuning.erp_max_request_seconds,
        shop_max_request_seconds=tuning.shop_max_request_seconds,
    )
    if tuning.neighbours:
        rules = ORDER_RULES.replace(f"markets.{MARKET}.", f"markets.{NEIGHBOUR}.")
        text += _NEIGHBOUR.format(orders=rules, prefix=_prefixes(tuning, "2"))
    if tuning.mirrors:
        text += _MIRRORS.format(batches=tuning.batches, probe_seconds=tuning.probe_seconds)
    if "products" in tuning.mirrors:
        rows = tuning.batch_rows
        text += _PRODUCTS.format(chunk_rows=_CHUNK_BATCHES * rows, batch_rows=rows)
    # Whether or not stock is on: it says from which source of the shop a warehouse ships.
    if "stock" in tuning.mirrors or tuning.invoices:
        pairs = (f'{code} = ["{place}"]' for code, place in tuning.sources.items())
        text += _STOCK.format(stock=tuning.stock_id, sources=", ".join(pairs))
    if tuning.order_status:
        text += _ORDER_STATUS
    if tuning.invoices:
        text += _INVOICES
    file = folder / "pricing-proxy.toml"
    file.write_text(text, encoding="utf-8")
    return file


def _prefixes(tuning: Tuning, *stores: str) -> str:
    known = ((store, tuning.prefixes.get(store, "")) for store in stores)
    pairs = ", ".join(f'"{store}" = "{prefix}"' for store, prefix in known)
    return f"reference_prefix = {{ {pairs} }}\n"


def secrets() -> dict[str, str]:
    """Return the secrets of the simulated systems, as variables of the environment."""
    shop = INTEGRATIONS[0]
    return {
        "PRICING_PROXY_ENVIRONMENTS__SANDBOX__SYNC_CLIENT_SECRET": "demo-sync-secret",
        "PRICING_PROXY_SYNC__MAGENTO__CONSUMER_SECRET": shop.consumer_secret,
        "PRICING_PROXY_SYNC__MAGENTO__TOKEN_SECRET": shop.token_secret,
        "PRICING_PROXY_SYNC__INTAKE__SECRET": INTAKE_SECRET,
        "PRICING_PROXY_SYNC__INTAKE__ERP_SECRET": ERP_SECRET,
    }
