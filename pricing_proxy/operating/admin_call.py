"""Reach a running service's admin listener from the command line.

The service decides and answers; a command only finds it, asks, and tells every failure with
its next step.
"""

from pathlib import Path
from typing import Annotated, Any

import requests
import typer

from pricing_proxy.command_line import fail, settings_of
from pricing_proxy.configuration.reading import KEY_VARIABLE
from pricing_proxy.settings import DEMO_KEY, Settings, load

_TIMEOUT_SECONDS = 10
_FOREIGN = "What answers at {} is not this service's admin listener."
_ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 -- to be asked on loopback instead

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="Configuration file, to find the service; not needed with --url.",
        show_default=False,
    ),
]
Url = Annotated[str | None, typer.Option(help="Admin address, such as http://127.0.0.1:8081.")]
ApiKey = Annotated[
    str | None,
    typer.Option(
        help="An API key with the scope that is needed; better given by the environment.",
        envvar=KEY_VARIABLE,
        show_envvar=True,
    ),
]


def ask_operator_route(
    path: str,
    body: dict[str, Any] | None,
    *,
    config: Path | None,
    url: str | None,
    key: str | None,
    brings: str,
) -> dict[str, Any]:
    """Ask as `ask_admin` does, what a key with scope `operate` may; the settings name the rest."""
    settings = None if url is not None and key is not None else settings_of(load, config)
    address, held = url or admin_address(settings), key or demo_key(settings, scope="operate")
    return ask_admin(address, path, body, key=held, brings=brings)


def admin_address(settings: Settings | None) -> str:
    """Return where the configured service's admin listener is."""
    if settings is None:
        fail("Name the service by --url, or its configuration by --config.")
    admin = settings.service.admin
    host = "127.0.0.1" if admin.host in _ANY_ADDRESS else admin.host
    return f"http://{f'[{host}]' if ':' in host else host}:{admin.port}"


def demo_key(settings: Settings | None, *, scope: str) -> str:
    """Return the demo's key where the demo is configured; else end the command."""
    if settings is None or not settings.service.demo:
        fail(f"Give a key with the scope {scope} in {KEY_VARIABLE}.")
    return DEMO_KEY


def ask_admin(
    address: str, path: str, body: dict[str, Any] | None, *, key: str, brings: str
) -> dict[str, Any]:
    """Send a body, or ask without one, and return the answer's; end the command when refused.

    Args:
        address: Of the admin listener.
        path: What is asked there.
        body: What is sent; None for nothing.
        key: An API key.
        brings: The member that an answer of ours has: an address may lead to anything.
    """
    try:
        with requests.Session() as session:
            # No proxy of the environment may come between us and the service.
            session.trust_env = False
            answer = session.request(
                "GET" if body is None else "POST",
                f"{address.rstrip('/')}{path}",
                json=body,
                # As bytes: a key may have been pasted with any letter, and is then unknown.
                headers={"X-API-Key": key.encode("utf-8", "surrogateescape")},
                timeout=_TIMEOUT_SECONDS,
            )
            content = answer.json()
    except requests.JSONDecodeError:
        fail(_FOREIGN.format(address))
    except requests.RequestException as error:
        reason = type(error).__name__
        fail(f"No service answers at {address} ({reason}); start it, or name it by --url.")
    if not isinstance(content, dict) or (answer.ok and brings not in content):
        fail(_FOREIGN.format(address))
    if not answer.ok:
        fail(f"{content.get('detail', answer.reason)} ({_flaws(content)})")
    return content


def _flaws(problem: dict[str, Any]) -> str:
    flaws = problem.get("errors", ())
    return ", ".join(f"{flaw['pointer'] or 'request'}: {flaw['detail']}" for flaw in flaws)
