"""The real msal against the simulated Entra ID, and what the tokens open."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import msal
import pytest
import requests
from aiohttp import ClientConnectorCertificateError

from pricing_proxy.sandbox.app_proofs import SECRETS
from pricing_proxy.sandbox.server import Sandbox
from tests.sandbox.conftest import Client, settings
from tests.virtual_time import ManualClock


def acquire(sandbox: Sandbox, *, secret: str, ca_file: Path) -> dict[str, Any]:
    session = requests.Session()
    session.verify = str(ca_file)
    # The session's own CA decides, whatever the environment of the test run names.
    session.trust_env = False
    with session:
        app = msal.ConfidentialClientApplication(
            "demo-pricing",
            client_credential=secret,
            authority=sandbox.authority,
            instance_discovery=False,
            http_client=session,
        )
        scope = f"{sandbox.fo_url}/.default"
        return dict(app.acquire_token_for_client(scopes=[scope]))


async def test_the_real_msal_gets_a_token_that_opens_f_and_o(
    sandbox: Sandbox, client: Client
) -> None:
    secret = SECRETS["demo-pricing"]
    granted = await asyncio.to_thread(acquire, sandbox, secret=secret, ca_file=sandbox.ca_file)
    client.token = granted["access_token"]

    assert granted["token_type"] == "Bearer"
    assert granted["expires_in"] == 3599
    assert (await client.get("/data/Currencies")).status == 200


async def test_the_real_msal_is_told_of_a_wrong_secret(sandbox: Sandbox) -> None:
    refused = await asyncio.to_thread(acquire, sandbox, secret="no", ca_file=sandbox.ca_file)

    assert refused["error"] == "invalid_client"
    assert "AADSTS7000215" in refused["error_description"]


async def test_client_that_was_not_given_the_ca_does_not_trust_entra(client: Client) -> None:
    with pytest.raises(ClientConnectorCertificateError):
        await client.session.get(
            f"{client.sandbox.authority}/v2.0/.well-known/openid-configuration"
        )


async def test_each_start_makes_a_new_certificate_authority(tmp_path: Path) -> None:
    files = []
    for _ in range(2):
        async with Sandbox(settings(tmp_path)) as sandbox:
            files.append(sandbox.ca_file.read_bytes())

    assert files[0] != files[1]


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_secret": "no"}, 401, "invalid_client"),
        ({"client_id": "demo-sync"}, 401, "invalid_client"),
        ({"client_id": "nobody"}, 400, "unauthorized_client"),
        ({"scope": "https://elsewhere/.default"}, 400, "invalid_resource"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
async def test_wrong_credentials_are_refused(
    client: Client, form: dict[str, str], status: int, error: str
) -> None:
    answer = await client.sign_in(**form)

    assert answer.status == status
    assert (await answer.json())["error"] == error


async def test_both_apps_may_sign_in(client: Client) -> None:
    answer = await client.sign_in(client_id="demo-sync", client_secret="demo-sync-secret")

    assert answer.status == 200


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic"}])
async def test_f_and_o_without_a_token_answers_401_and_nothing_else(
    client: Client, header: dict[str, str]
) -> None:
    answer = await client.session.get(f"{client.sandbox.fo_url}/data/Currencies", headers=header)

    assert answer.status == 401
    assert await answer.read() == b""


async def test_token_ends_after_its_lifetime(client: Client, clock: ManualClock) -> None:
    clock.advance(timedelta(seconds=3598))
    assert (await client.get("/data/Currencies")).status == 200

    clock.advance(timedelta(seconds=1))
    assert (await client.get("/data/Currencies")).status == 401

    await client.sign_in()
    assert (await client.get("/data/Currencies")).status == 200


async def test_revoked_token_is_refused_until_the_dial_is_turned_back(client: Client) -> None:
    await client.turn("fo", token_revoked=True)
    assert (await client.get("/data/Currencies")).status == 401

    await client.turn("fo", token_revoked=False)
    assert (await client.get("/data/Currencies")).status == 200


async def test_revoked_secret_is_refused(client: Client) -> None:
    await client.turn("entra", token_revoked=True)
    answer = await client.sign_in()

    assert answer.status == 401
    assert (await answer.json())["error"] == "invalid_client"
