"""How the demo runs the sync: its part of the configuration, its secrets and its database.

The sync is a program like the others; nothing of it is imported here. Its database begins
empty with each demo, as the simulated shop does, in a folder that an unprivileged user can
reach: PostgreSQL never runs as root.
"""

import json
import os
import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path

ORDER_RULES = """\
start_at = "2020-01-01T00:00:00Z"
guest_account = "C-1003"
site = "1"
warehouse = "13"
origin = "WEB"
shipping = { "flatrate_*" = { mode = "10" }, virtual = { mode = "10" } }
payment = { checkmo = { method = "CHECK" }, purchaseorder = { method = "CHECK" } }
countries = { DE = "DEU" }
shipping_item = "FREIGHT"
rounding = { item = "ROUNDING", limit = "0.05" }
tax_difference = "hold"
tax_rounding = "total"
tax_codes = { 19 = "DE-19", 7 = "DE-7" }

[[sync.markets.b2b_de.orders.untaxed]]
reason = "domestic"
countries = ["DE"]
sales_tax_group = "DOM"
item_group = "NONE"

[sync.markets.b2b_de.orders.tax]
DE-19 = { sales_tax_group = "DOM", item_group = "VAT19" }
DE-7 = { sales_tax_group = "DOM", item_group = "VAT7" }
none = { sales_tax_group = "DOM", item_group = "NONE" }
"""
"""Rules for orders between the two simulated systems: below `[sync.markets.b2b_de.orders]`."""

SYNC_CONFIGURATION = """\

[sync.magento]
url = "http://127.0.0.1:{magento}"
consumer_key = "demoshopconsumerkey0000000000000"
token = "demoshopaccesstoken0000000000000"

[sync.postgres]
url = "embedded"
data_directory = {database}

[sync.intake]
port = {intake}

[sync.operators]
port = {operators}

[sync.price_service]
url = "http://127.0.0.1:{prices}"

[sync.mirror]
change_seconds = 10
quiet_hours = ""

[sync.markets.b2b_de]
website_id = 3
store_ids = [3]
flows = ["orders", "customers", "returns", "products", "stock", "order_status", "invoices"]

[sync.markets.b2b_de.products]
status = "erp"
languages = {{ 3 = "de" }}
events = {{ XYZProductChangedBusinessEvent = "ItemNumber" }}
tax_classes = {{ VAT19 = 2, VAT7 = 4, NONE = 0 }}
create = false

[sync.markets.b2b_de.stock]
stock_id = 3
sources = {{ berlin = ["13", "14"], hamburg = ["24"] }}
rotation_minutes = 60
events = {{ XYZOnHandChangedBusinessEvent = "ItemNumber" }}

[sync.markets.b2b_de.order_status]
start_at = "2020-01-01T00:00:00Z"
carriers = {{ DHL = {{ code = "dhl", title = "DHL" }}, UPS = {{ code = "ups", title = "UPS" }}, \
DPD = {{ code = "custom", title = "DPD" }}, 10 = {{ code = "custom", title = "Post" }} }}

[sync.markets.b2b_de.order_status.events]
XYZPackingSlipPostedBusinessEvent = "SalesOrderId"
XYZTrackingAddedBusinessEvent = "SalesOrderId"
XYZSalesOrderChangedBusinessEvent = "SalesOrderId"

[sync.markets.b2b_de.invoices]
start_at = "2020-01-01T00:00:00Z"

[sync.markets.b2b_de.customers]
group = {{ "*" = "10" }}

[sync.markets.b2b_de.returns]
undelivered = "send"
disposition = "Credit"

[sync.markets.b2b_de.orders]
{orders}"""
INTAKE_SECRET = "a secret of the demo's shop"  # noqa: S105 -- it opens nothing but the demo
# As it stands in the address that F&O's endpoint is given.
ERP_SECRET = "secretofthedemoserp"  # noqa: S105 -- as above
_PREFIX = "postgres-"
_ENTER = 0o001
# A socket's path has 107 characters at most; /run/.s.PGSQL.5432 and our folder's own name follow.
_LONGEST_FOLDER = 70


def sync_configuration(
    *, magento: int, intake: int, operators: int, prices: int, database: Path
) -> str:
    """Return the sync's part of the configuration file."""
    return SYNC_CONFIGURATION.format(
        magento=magento,
        intake=intake,
        operators=operators,
        prices=prices,
        # A text of JSON is one of TOML, whatever the folder is called.
        database=json.dumps(str(database), ensure_ascii=False),
        orders=ORDER_RULES,
    )


def sync_secrets(*, alerts: int, price_key: str) -> dict[str, str]:
    """Return the sync's secrets by their names; alerts come back to a port of the demo."""
    return {
        "PRICING_PROXY_ENVIRONMENTS__SANDBOX__SYNC_CLIENT_SECRET": "demo-sync-secret",
        "PRICING_PROXY_SYNC__MAGENTO__CONSUMER_SECRET": "demoshopconsumersecret0000000000",
        "PRICING_PROXY_SYNC__MAGENTO__TOKEN_SECRET": "demoshoptokensecret0000000000000",
        "PRICING_PROXY_SYNC__INTAKE__SECRET": INTAKE_SECRET,
        "PRICING_PROXY_SYNC__INTAKE__ERP_SECRET": ERP_SECRET,
        "PRICING_PROXY_SYNC__PRICE_SERVICE__KEY": price_key,
        "PRICING_PROXY_SYNC__ALERTS__TARGETS_SECRET": f"json://127.0.0.1:{alerts}/",
    }


def database_folder(folder: Path) -> Path:
    """Make and return an empty folder that PostgreSQL can use; the caller removes it.

    Args:
        folder: Where it is made, unless its path is too long, closed to other users, or has a
            comma, which parts two addresses for PostgreSQL.
    """
    place = folder.resolve()
    is_short = len(os.fsencode(place)) <= _LONGEST_FOLDER
    is_open = os.geteuid() != 0 or all(
        each.stat().st_mode & _ENTER for each in (place, *place.parents)
    )
    inside = place if is_short and is_open and "," not in str(place) else None
    made = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=inside))
    made.chmod(0o711)
    return made


def clear_databases(folder: Path) -> None:
    """Remove what demos that were killed left in their folder."""
    for left in folder.glob(f"{_PREFIX}*"):
        end_database(left)
        shutil.rmtree(left, ignore_errors=True)


def end_database(folder: Path) -> None:
    """End a server that a sync which was killed left behind."""
    with suppress(OSError, ValueError, IndexError):  # it ended with the sync, as it should
        lines = (folder / "data" / "postmaster.pid").read_bytes().splitlines()
        os.kill(int(lines[0]), signal.SIGQUIT)
