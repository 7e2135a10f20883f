"""The sync's app by a federated token, and by a certificate, that end and are replaced."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from pricing_proxy.clock import SystemClock
from pricing_proxy.sandbox.app_proofs import MadeFile
from pricing_proxy.sandbox.catalog import CatalogSize
from pricing_proxy.sandbox.server import Sandbox
from sync.serve.application import running
from sync.settings import SyncSettings
from tests.integration.sync_running import World, sync_settings
from tests.sandbox.conftest import settings as sandbox_settings

SMALL = CatalogSize(skus=60, customers=8)
APP = "demo-sync"


def token(sandbox: Sandbox, lives: timedelta) -> MadeFile:
    return sandbox.proofs.make_token(APP, lives=lives, claims={})


def certificate(sandbox: Sandbox, lives: timedelta) -> MadeFile:
    return sandbox.proofs.make_certificate(APP, lives=lives, keep_old=False)


def settings_by(sandbox: Sandbox, database_url: str, proof: Mapping[str, Any]) -> SyncSettings:
    document = sync_settings(sandbox, database_url).model_dump(exclude_unset=True)
    environment = document["environments"]["sandbox"]
    del environment["sync_client_secret"]
    environment |= proof
    return SyncSettings.model_validate(document)


@pytest.mark.parametrize(
    ("make", "key"),
    [(token, "sync_federated_token_file"), (certificate, "sync_certificate_file")],
)
async def test_orders_go_on_when_the_file_is_replaced_after_its_end(
    tmp_path: Path, database_url: str, make: Any, key: str
) -> None:
    """What is refused meanwhile is an outage of the ERP: it waits, and nothing is restarted."""
    async with (
        Sandbox(sandbox_settings(tmp_path, size=SMALL, account_attribute=True)) as sandbox,
        ClientSession() as control,
    ):
        made = make(sandbox, timedelta(hours=1))
        settings = settings_by(sandbox, database_url, {key: made.file})
        async with running(settings, clock=SystemClock()) as parts:
            world = World(sandbox, control, parts)
            await world.arrived(*await world.place(1, kind="simple"))

            make(sandbox, timedelta(hours=-1))
            # The ERP refuses the token at hand, so that another is asked for.
            await world.dial("fo", token_revoked=True)
            [late] = await world.place(1, kind="simple")

            async def is_refused() -> bool:
                calls = sandbox.systems["entra"].calls.counts()["operations"]
                return bool(calls["token"] > 1)

            await world.until(is_refused)
            await world.dial("fo", token_revoked=False)
            assert late not in world.erp_orders()
            make(sandbox, timedelta(hours=1))
            await world.arrived(late)
