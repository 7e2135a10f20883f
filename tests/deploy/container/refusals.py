"""Start the image as it must not be, over what it must not stand on: each is named.

    unshare --net --pid --fork --kill-child --mount-proc python -m tests.deploy.container.refusals

Prints what was refused or warned of; ends with 1 and says which was not.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pricing_proxy.children import tied
from tests.deploy.container import composed
from tests.deploy.container.building import ImageError
from tests.deploy.container.composed import SERVICES, Demo, until_healthy
from tests.deploy.container.running import Container

_PRICES, _SYNC = "demo-serve", "demo-sync"
_CHECKS = {_PRICES: ("pricing-proxy", "check", "--json"), _SYNC: ("d365-sync", "check", "--json")}
_SECRETS = {
    _PRICES: "PRICING_PROXY_ENVIRONMENTS__SANDBOX__PRICING_CLIENT_SECRET",
    _SYNC: "PRICING_PROXY_SYNC__MAGENTO__TOKEN_SECRET",
}
_CA = "/var/lib/pricing-proxy/entra-ca.pem"
_SECONDS = 60.0
# What `pricing_proxy.exit_codes` calls them; here they are a promise to whoever supervises.
_UNUSABLE, _MISTAKEN = 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A wrong start.

    Attributes:
        about: What is wrong.
        service: Which service of compose.yaml is started so.
        said: Texts that name it; all must be said, by `check` in rows that are red.
        code: How it ends; None when it goes on, and only warns.
        changed: What is otherwise than in compose.yaml, by the names of `Setup`.
    """

    about: str
    service: str
    said: tuple[str, ...]
    code: int | None
    changed: Mapping[str, Any] = field(default_factory=dict)


def main() -> int:
    """Try every wrong start; return 1 when one was not named."""
    subprocess.run(("ip", "link", "set", "lo", "up"), check=True, **tied())  # noqa: S607 -- where PATH says
    with tempfile.TemporaryDirectory(prefix="image-", ignore_cleanup_errors=True) as folder:
        try:
            _try_all(Demo.in_folder(Path(folder)))
        except ImageError as error:
            print(error)
            return 1
    return 0


def _try_all(demo: Demo) -> None:
    with demo.container("sandbox") as sandbox, composed.postgres(demo.folder):
        until_healthy(sandbox, "sandbox")
        with composed.redis(demo.folder):
            for refusal in (*_wrong_rights(), *_wrong_configurations(demo)):
                _try(demo, refusal)
            with composed.pooler(demo.folder):
                _try(demo, _behind_a_pooler())
        with composed.redis(demo.folder, maxmemory_policy="allkeys-lru"):
            for refusal in _on_a_redis_that_evicts():
                _try(demo, refusal)


def _wrong_rights() -> Iterator[Refusal]:
    for service in _CHECKS:
        yield Refusal(
            about="as root, on a root that can be written",
            service=service,
            said=("this container runs as root", "root file system can be written"),
            code=None,
            changed={"user": 0, "is_root_writable": True},
        )


def _wrong_configurations(demo: Demo) -> Iterator[Refusal]:
    for service, name in _SECRETS.items():
        told = {key: text for key, text in SERVICES[service]["environment"].items() if key != name}
        changed = {"environment": told}
        yield Refusal(
            about="without a secret", service=service, said=(name,), code=_MISTAKEN, changed=changed
        )
    stranger = demo.folder / "stranger.pem"
    _make_authority(stranger)
    for service, command in _CHECKS.items():
        yield Refusal(
            about="an authority that signed nothing here",
            service=service,
            said=("certificate", "ca_file"),
            code=_UNUSABLE,
            changed={"arguments": command, "more_mounts": {_CA: (stranger, False)}},
        )


def _behind_a_pooler() -> Refusal:
    address = {"PRICING_PROXY_SYNC__POSTGRES__URL": "postgresql://sync@postgres:6432/sync"}
    return Refusal(
        about="PostgreSQL behind PgBouncer in transaction mode",
        service=_SYNC,
        said=("a pooler in transaction mode", "5432"),
        code=_UNUSABLE,
        changed={
            "arguments": _CHECKS[_SYNC],
            "environment": {**SERVICES[_SYNC]["environment"], **address},
        },
    )


def _on_a_redis_that_evicts() -> Iterator[Refusal]:
    for service, command in _CHECKS.items():
        yield Refusal(
            about="Redis with allkeys-lru",
            service=service,
            said=("allkeys-lru", "a volatile one"),
            code=_UNUSABLE,
            changed={"arguments": command},
        )


def _try(demo: Demo, refusal: Refusal) -> None:
    with demo.container(refusal.service, **refusal.changed) as container:
        if refusal.code is None:
            _until_said(container, refusal.said)
        else:
            code = container.wait(_SECONDS)
            told = red_rows(container) if code == _UNUSABLE else container.output
            missing = [text for text in refusal.said if text not in told]
            if code != refusal.code or missing:
                wrong = f"{refusal.about}: ended with {code}, not {refusal.code}; unsaid: {missing}"
                raise container.error(wrong)
    how = "warned" if refusal.code is None else f"exit code {refusal.code}"
    print(f"{refusal.service}, {refusal.about}: {how}")


def red_rows(container: Container) -> str:
    """Return the texts of the rows of `check --json` that are red."""
    try:
        tables = json.loads(container.answer)["tables"]
    except ValueError:
        raise container.error("prints no JSON") from None
    rows = (row for table in tables for row in table["rows"] if row["state"] == "failed")
    return "\n".join(f"{row['found']} {row['next_step']}" for row in rows)


def _until_said(container: Container, texts: tuple[str, ...]) -> None:
    end = time.monotonic() + _SECONDS
    while not all(text in container.output for text in texts):
        container.require_alive()
        if time.monotonic() > end:
            raise container.error(f"does not say {texts}")
        time.sleep(0.2)


def _make_authority(file: Path) -> None:
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    made += ["-subj", "/CN=stranger", "-keyout", str(file.with_suffix(".key")), "-out", str(file)]
    subprocess.run(made, check=True, capture_output=True, **tied())
    file.chmod(0o644)


if __name__ == "__main__":
    sys.exit(main())
