"""Ask a running service why a price is what it is, and print its answer.

The service decides and explains; this only asks its admin listener, so that what is printed
is what that process knows: its memory, its ledger, its breakers. Exit code 0: explained.
1: the service refused or was not reached, and the message names the next step. 2: the
configuration has mistakes.
"""

import json
import re
from pathlib import Path
from typing import Annotated, Any, NoReturn

import requests
import typer
from rich.console import Console

from pricing_proxy.configuration.problems import ConfigurationError
from pricing_proxy.configuration.reading import KEY_VARIABLE
from pricing_proxy.domain.freshness import Mode
from pricing_proxy.explain.table import print_explanation
from pricing_proxy.settings import DEMO_KEY, Settings, load

_NOT_EXPLAINED = 1
_BAD_SETTINGS = 2
_TIMEOUT_SECONDS = 10
_SHOP_ID = re.compile(r"magento_id:([1-9][0-9]{0,15})")
_ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 -- to be asked on loopback instead


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
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            help="Configuration file, to find the service; not read with --url and --market.",
            show_default=False,
        ),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="Admin address, such as http://127.0.0.1:8081.")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            help="An API key with the scope explain; better given by the environment.",
            envvar=KEY_VARIABLE,
            show_envvar=True,
        ),
    ] = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print JSON for programs instead of tables.")
    ] = False,
) -> None:
    """Show why a customer's price is answered as it is: each rule, and which one decides.

    Nothing is loaded from the ERP, so it may be asked while that is in trouble.
    """
    settings = None if url is not None and market is not None else _settings(config)
    body = {
        "market": market or _only_market(settings),
        "customer": _customer(customer),
        "mode": mode,
        "lines": [
            {"sku": one, "quantity": quantity} | ({} if unit is None else {"unit": unit})
            for one in sku
        ],
    }
    answer = _ask(url or _admin_address(settings), body, key or _demo_key(settings))
    if json_output:
        typer.echo(json.dumps(answer, ensure_ascii=False))
    else:
        print_explanation(answer, Console(highlight=False))


def _settings(config: Path | None) -> Settings:
    try:
        return load(config)
    except ConfigurationError as error:
        _fail(str(error), _BAD_SETTINGS)


def _only_market(settings: Settings | None) -> str:
    codes = sorted(settings.markets) if settings is not None else []
    if len(codes) != 1:
        _fail(f"Name the market by --market; configured are: {', '.join(codes)}.")
    return codes[0]


def _customer(text: str) -> str | dict[str, int]:
    shop_id = _SHOP_ID.fullmatch(text)
    return text if shop_id is None else {"magento_id": int(shop_id[1])}


def _admin_address(settings: Settings | None) -> str:
    if settings is None:
        _fail("Name the service by --url, or its configuration by --config.")
    admin = settings.service.admin
    host = "127.0.0.1" if admin.host in _ANY_ADDRESS else admin.host
    return f"http://{f'[{host}]' if ':' in host else host}:{admin.port}"


def _demo_key(settings: Settings | None) -> str:
    if settings is None or not settings.service.demo:
        _fail(f"Give a key with the scope explain in {KEY_VARIABLE}.")
    return DEMO_KEY


def _ask(address: str, body: dict[str, Any], key: str) -> Any:
    try:
        with requests.Session() as session:
            # No proxy of the environment may come between us and the service.
            session.trust_env = False
            answer = session.post(
                f"{address.rstrip('/')}/v1/prices/explain",
                json=body,
                headers={"X-API-Key": key},
                timeout=_TIMEOUT_SECONDS,
            )
            content = answer.json()
    except requests.JSONDecodeError:
        _fail(f"What answers at {address} is not this service's admin listener.")
    except requests.RequestException as error:
        reason = type(error).__name__
        _fail(f"No service answers at {address} ({reason}); start it, or name it by --url.")
    if not answer.ok:
        _fail(f"{content.get('detail', answer.reason)} ({_flaws(content)})")
    return content


def _flaws(problem: dict[str, Any]) -> str:
    flaws = problem.get("errors", ())
    return ", ".join(f"{flaw['pointer'] or 'request'}: {flaw['detail']}" for flaw in flaws)


def _fail(message: str, code: int = _NOT_EXPLAINED) -> NoReturn:
    Console(stderr=True, highlight=False, soft_wrap=True).print(message, style="red", markup=False)
    raise typer.Exit(code)
