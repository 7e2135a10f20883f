"""What is written of the keys: README's table, and the example that `config example` prints."""

import re
import textwrap

from pricing_proxy.configuration.mistakes import variable_of
from tests.code.sources import ROOT
from tests.configuration.keys import Key, Section, sections

README = ROOT / "README.md"
EXAMPLE = ROOT / "pricing_proxy" / "configuration" / "example.toml"
_MARKS = ("<!-- keys -->\n", "<!-- /keys -->\n")
_WIDTH = 100

# What stands for a name that the file chooses, by the path before it.
NAMES = {
    "environments": "prod",
    "markets": "b2b_de",
    "storefront.keys": "2026-11",
    "sync.markets": "b2b_de",
    "sync.markets.*.order_status.carriers": "DHL",
    "sync.markets.*.order_status.progress": "Picked",
    "sync.markets.*.orders.shipping": '"flatrate_*"',
    "sync.markets.*.orders.pickup": "store_1",
    "sync.markets.*.orders.payment": "checkmo",
    "sync.markets.*.orders.tax": "DE-19",
}
# What nobody but the reader knows; texts that are missing here are shown as "...".
VALUES = {
    "environments.*.url": '"https://contoso.operations.dynamics.com"',
    "environments.*.tenant": '"contoso.onmicrosoft.com"',
    "environments.*.time_zone": '"Europe/Berlin"',
    "environments.*.pricing_client_id": '"00000000-0000-0000-0000-000000000000"',
    "environments.*.sync_client_id": '"00000000-0000-0000-0000-000000000001"',
    "markets.*.environment": '"prod"',
    "markets.*.legal_entity": '"demf"',
    "markets.*.currency": '"EUR"',
    "api_keys[].name": '"shop"',
    "api_keys[].sha256": '"printed by: pricing-proxy key shop"',
    "api_keys[].scopes": '["prices", "login"]',
    "storefront.issuer": '"https://shop.example.com"',
    "storefront.audience": '"prices"',
    "storefront.keys.*.algorithm": '"HS256"',
    "sync.price_service.url": '"http://127.0.0.1:8080"',
    "sync.magento.url": '"https://shop.example.com"',
    "sync.magento.consumer_key": '"..."',
    "sync.magento.token": '"..."',
    "sync.markets.*.website_id": "3",
    "sync.markets.*.store_ids": "[3]",
    "sync.markets.*.order_status.carriers.*.code": '"dhl"',
    "sync.markets.*.order_status.carriers.*.title": '"DHL"',
    "sync.markets.*.stock.stock_id": "3",
    "sync.markets.*.stock.sources": '{ berlin = ["13"] }',
    "sync.markets.*.orders.start_at": "2026-11-01T00:00:00Z",
    "sync.markets.*.orders.countries": '{ DE = "DEU" }',
    "sync.markets.*.orders.rounding.item": '"ROUNDING"',
    "sync.markets.*.orders.untaxed[].item_group": '"NONE"',
    "sync.markets.*.orders.untaxed[].reason": '"export"',
    "sync.markets.*.orders.untaxed[].sales_tax_group": '"EXP"',
    "sync.markets.*.orders.shipping.*.mode": '"10"',
    "sync.markets.*.orders.pickup.*.mode": '"20"',
    "sync.markets.*.orders.payment.*.method": '"CHECK"',
    "sync.markets.*.orders.tax.*.sales_tax_group": '"DOM"',
    "sync.markets.*.orders.tax.*.item_group": '"VAT19"',
    "sync.markets.*.orders.fees[].amount": '"extension_attributes.payment_fee"',
    "sync.markets.*.orders.fees[].item": '"FEE"',
    "sync.markets.*.orders.carried[].path": '"customer_note"',
    "sync.markets.*.orders.carried[].field": '"ContosoShopNote"',
    "sync.markets.*.customers.countries": '{ DE = "DEU" }',
}
_HEAD = """\
# Every key of both programs, as `config example` prints them.
#
# Keys with a # right before them are off, and show their defaults; the others are required.
# Sections with one may be left out. Secrets are not for this file: they come from the
# environment, or from a file of the variable's name in PRICING_PROXY_SECRETS_DIR.
"""


def example() -> str:
    """Return a whole configuration file."""
    return "\n".join([_HEAD, *map(_section_text, sections())])


def table() -> str:
    """Return README's table, each key once."""
    lines = ["| key | default | |", "|---|---|---|"]
    for section in sections():
        for key in section.keys:
            about = key.about.replace("|", "\\|")
            lines.append(f"| `{key.path}` | {_default(key)} | {about} |")
    return "\n".join(lines) + "\n"


def readme_with(text: str) -> str:
    """Return the README with a table between its marks."""
    before, _, rest = README.read_text(encoding="utf-8").partition(_MARKS[0])
    after = rest.partition(_MARKS[1])[2]
    return f"{before}{_MARKS[0]}{text}{_MARKS[1]}{after}"


def write() -> None:
    """Bring both up to date."""
    EXAMPLE.write_text(example(), encoding="utf-8")
    README.write_text(readme_with(table()), encoding="utf-8")


def _default(key: Key) -> str:
    needed = {1: f"required by `{''.join(key.required_by)}`", 2: "required"}
    text = needed.get(len(key.required_by), f"`{key.default}`" if key.default else "")
    return f"{text} secret".strip() if key.is_secret else text


def _section_text(section: Section) -> str:
    off = "#" if section.is_optional else ""
    header = f"[[{section.path[:-2]}]]" if section.path.endswith("[]") else f"[{section.path}]"
    lines = [*_comment(section.about), f"{off}{_named(header)}"]
    for key in section.keys:
        if key.is_secret:
            need = "required" if key.required_by else "may be left out"
            lines += _comment(f"{key.name}: {key.about}".rstrip(".") + f"; {need}.")
            lines.append(f"#   {variable_of(_named(key.path).replace('[', '').replace(']', ''))}")
        else:
            lines += _comment(key.about)
            value = VALUES.get(key.path) or key.default or '"..."'
            lines.append(f"{'' if key.required_by and not off else '#'}{key.name} = {value}")
    return "\n".join(lines) + "\n"


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="#   ")


def _named(path: str) -> str:
    """Return a path with names that somebody may have chosen."""
    while "*" in path.replace('"flatrate_*"', ""):
        before = re.match(r"\[*((?:[^*]|(?<=flatrate_)\*)*)\.\*", path)
        assert before is not None, path
        path = path.replace(f"{before[1]}.*", f"{before[1]}.{_name(before[1])}", 1)
    return path


def _name(path: str) -> str:
    plain = re.sub(r"^(environments|markets|sync\.markets)\.[^.]+", r"\1.*", path)
    return NAMES[plain]
