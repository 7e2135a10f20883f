"""The processes before and behind the ways: the simulated ERP and the real service."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pricing_proxy.demo.plan import SECRET, SECRET_NAME, free_ports
from tests.bench.programs import SYSTEMS, process, program, start_sandbox, wait_for
from tests.wire.callers import api_keys, storefront
from tests.wire.silence import files_at_most

_CONFIGURATION = (
    SYSTEMS
    + """
[redis]
url = "{redis}"

[service]
public = {{ host = "127.0.0.1", port = {public} }}
admin = {{ host = "127.0.0.1", port = {admin} }}

[storefront]
issuer = "{issuer}"
audience = "{audience}"
"""
)
_TOKEN_SECRET = "PRICING_PROXY_STOREFRONT__KEYS"


@dataclass(frozen=True, slots=True)
class Service:
    """The running service.

    Attributes:
        public: Its public port.
        admin: Its admin port.
        control: The simulated systems' control port.
        log: What it tells.
    """

    public: int
    admin: int
    control: int
    log: Path


@contextmanager
def service(
    folder: Path, *, files: int | None = None, redis_url: str = "embedded"
) -> Iterator[Service]:
    """Start it, with at most so many open files; end it on exit."""
    fo, entra, control, public, admin = free_ports(5)
    shop = storefront()
    text = _CONFIGURATION.format(
        fo=fo, entra=entra, folder=folder, public=public, admin=admin, redis=redis_url, **shop
    )
    for kid, key in shop["keys"].items():
        text += f"[storefront.keys.{json.dumps(kid)}]\nalgorithm = {json.dumps(key['algorithm'])}\n"
    for key in api_keys():
        text += "\n[[api_keys]]\n"
        text += "".join(f"{name} = {json.dumps(value)}\n" for name, value in key.items())
    file = folder / "pricing-proxy.toml"
    file.write_text(text, encoding="utf-8")
    secrets = {
        SECRET_NAME: SECRET,
        **{f"{_TOKEN_SECRET}__{kid}__SECRET": key["secret"] for kid, key in shop["keys"].items()},
    }
    with ExitStack() as stack:
        start_sandbox(stack, folder, control=control, fo=fo, entra=entra)
        command = [*program("serve"), f"--config={file}"]
        with files_at_most(files):
            stack.enter_context(process(command, folder / "serve.log", secrets))
        wait_for(f"http://127.0.0.1:{public}/health/ready")
        yield Service(public, admin, control, folder / "serve.log")
