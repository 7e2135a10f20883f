"""Ask a running service why a price is what it is, and print its answer.

The service decides and explains; this only asks its admin listener, so that what is printed
is what that process knows: its memory, its ledger, its breakers.
"""

import json
import re
from typing import Annotated

import typer

from pricing_proxy.command_line import Json, fail, settings_of
from pricing_proxy.domain.freshness import Mode
from pricing_proxy.explain.table import print_explanation
from pricing_proxy.operating.admin_call import (
    ApiKey,
    Config,
    Url,
    admin_address,
    ask_admin,
    demo_key,
)
from pricing_proxy.settings import Settings, load
from pricing_proxy.terminal import PlainConsole, neutral_json

_SHOP_ID = re.compile(r"magento_id:([1-9][0-9]{0,15})")


def explain_command(
    customer: Annotated[str, typer.Argument(help="The ERP account, or magento_id:42.")],
    sku: Annotated[list[str], typer.Argument(help="One SKU or more.")],
    *,
    quantity: Annotated[str, typer.Option(help="How many; a decimal.")] = "1",
    unit: Annotated[
        str | None, typer.Option(help="Unit of measure; else the item's sales unit.")
    ] = None,
    market: Annotated[
        str | None, typer.Option(help="Website code; else the only market of the configuration.")
    ] = None,
    mode: Annotated[Mode, typer.Option(help="How much the caller can bear.")] = Mode.BROWSE,
    config: Config = None,
    url: Url = None,
    key: ApiKey = None,
    json_output: Json = False,
) -> None:
    """Show why a customer's price is answered as it is: each rule, and which one decides.

    Nothing is loaded from the ERP, so it may be asked while that is in trouble.
    """
    settings = None if url is not None and market is not None else settings_of(load, config)
    body = {
        "market": market or _only_market(settings),
        "customer": _customer(customer),
        "mode": mode,
        "lines": [
            {"sku": one, "quantity": quantity} | ({} if unit is None else {"unit": unit})
            for one in sku
        ],
    }
    address = url or admin_address(settings)
    held = key or demo_key(settings, scope="explain")
    answer = ask_admin(address, "/v1/prices/explain", body, key=held, brings="lines")
    if json_output:
        typer.echo(neutral_json(json.dumps(answer, ensure_ascii=False)))
    else:
        print_explanation(answer, PlainConsole(highlight=False))


def _only_market(settings: Settings | None) -> str:
    codes = sorted(settings.markets) if settings is not None else []
    if len(codes) != 1:
        fail(f"Name the market by --market; configured are: {', '.join(codes)}.")
    return codes[0]


def _customer(text: str) -> str | dict[str, int]:
    shop_id = _SHOP_ID.fullmatch(text)
    return text if shop_id is None else {"magento_id": int(shop_id[1])}
