"""The command line between the simulated shop and the simulated ERP.

async with two_systems(folder, database_url) as (world, d365_sync):
    [number] = await world.place()
"""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from sync.settings import SyncSettings
from tests.integration.sync_running import World, running_sync, sync_settings
from tests.sync_console.conftest import CommandLine


@asynccontextmanager
async def two_systems(
    folder: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, **sync: Any
) -> AsyncIterator[tuple[World, CommandLine]]:
    """Start both systems and the sync; the command line has the same configuration."""
    async with running_sync(folder, database_url, **sync) as world:
        settings = sync_settings(world.sandbox, database_url, **sync)
        yield world, configured(folder, settings, monkeypatch)


def configured(
    folder: Path, settings: SyncSettings, monkeypatch: pytest.MonkeyPatch
) -> CommandLine:
    """Return the command line of these settings, with secrets in the environment."""
    document = settings.model_dump(mode="json", exclude_unset=True)
    secrets = {
        ("environments", "sandbox", "sync_client_secret"): "demo-sync-secret",
        ("sync", "magento", "consumer_secret"): (
            settings.sync.magento.consumer_secret.get_secret_value()
        ),
        ("sync", "magento", "token_secret"): settings.sync.magento.token_secret.get_secret_value(),
    }
    for path, secret in secrets.items():
        table = document
        for name in path[:-1]:
            table = table[name]
        del table[path[-1]]
        monkeypatch.setenv(f"PRICING_PROXY_{'__'.join(path).upper()}", secret)
    file = folder / "console.toml"
    file.write_text("\n".join(_tables(document)), encoding="utf-8")
    return CommandLine(file)


def _tables(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield a TOML document: one inline table for each member."""
    for name, value in document.items():
        yield f"{name} = {_inline(value)}"


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        members = ", ".join(f"{json.dumps(name)} = {_inline(each)}" for name, each in value.items())
        return f"{{ {members} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_inline, value))}]"
    # JSON's texts, numbers and truth are TOML's as well.
    return json.dumps(value)
