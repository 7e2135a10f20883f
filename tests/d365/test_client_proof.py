"""Apps that prove themselves by a certificate or a federated token, over the simulated Entra ID.

The real msal signs; the tenant checks. What the tenant refuses stands in
tests/sandbox/test_app_proofs.py.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pricing_proxy.clock import SystemClock
from pricing_proxy.configuration.entra_apps import AppKind
from pricing_proxy.configuration.environments import Environment
from pricing_proxy.d365.entra import EntraTokens, entra_tokens
from pricing_proxy.resilience.errors import UpstreamDeniedError
from pricing_proxy.sandbox.entra import TENANT
from pricing_proxy.sandbox.server import Sandbox
from tests.sandbox.conftest import settings

YEAR = timedelta(days=365)
HOUR = timedelta(hours=1)
KINDS: tuple[AppKind, ...] = ("pricing", "sync")
PASSWORD = "hunter2~key"


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox(settings(tmp_path)) as running:
        yield running


@asynccontextmanager
async def tokens_of(
    sandbox: Sandbox, kind: AppKind = "pricing", **keys: Any
) -> AsyncIterator[EntraTokens]:
    """Yield what issues tokens to an app with these keys, less the app's name before each."""
    environment = Environment.model_validate(
        {
            "url": sandbox.fo_url,
            "tenant": TENANT,
            "authority": sandbox.authority.removesuffix(f"/{TENANT}"),
            "ca_file": sandbox.ca_file,
            "time_zone": "Europe/Berlin",
            "pricing_client_id": "demo-pricing",
            "sync_client_id": "demo-sync",
            **{f"{kind}_{name}": value for name, value in keys.items()},
        }
    )
    async with entra_tokens(environment, environment.app(kind), clock=SystemClock()) as tokens:
        yield tokens


def made_certificate(sandbox: Sandbox, kind: AppKind = "pricing", **options: Any) -> Path:
    """Have one registered with an app, and return its file."""
    options = {"lives": YEAR, "keep_old": False, **options}
    return sandbox.proofs.make_certificate(f"demo-{kind}", **options).file


def made_token(sandbox: Sandbox, kind: AppKind = "pricing", **options: Any) -> Path:
    """Have the platform make one for an app, and return its file."""
    return sandbox.proofs.make_token(
        f"demo-{kind}", **{"lives": HOUR, "claims": {}, **options}
    ).file


def parts(file: Path) -> tuple[bytes, bytes]:
    """Return the certificate and the key of a file with both."""
    key, _, certificate = file.read_bytes().partition(b"-----BEGIN CERTIFICATE-----")
    return b"-----BEGIN CERTIFICATE-----" + certificate, key


@pytest.mark.parametrize("kind", KINDS)
async def test_a_certificate_gets_a_token_that_opens_the_erp(
    sandbox: Sandbox, kind: AppKind
) -> None:
    file = made_certificate(sandbox, kind)
    async with tokens_of(sandbox, kind, certificate_file=file) as tokens, ClientSession() as web:
        token = await tokens.issue()
        headers = {"Authorization": f"Bearer {token.text}"}
        answer = await web.get(f"{sandbox.fo_url}/data/Currencies", headers=headers)

    assert answer.status == 200


@pytest.mark.parametrize("kind", KINDS)
async def test_a_federated_token_gets_a_token(sandbox: Sandbox, kind: AppKind) -> None:
    file = made_token(sandbox, kind)
    async with tokens_of(sandbox, kind, federated_token_file=file) as tokens:
        assert (await tokens.issue()).lifetime == timedelta(seconds=3599)


async def test_a_key_may_be_encrypted_and_a_file_of_its_own_and_the_chain_in_any_order(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    certificate, key = parts(made_certificate(sandbox))
    chain, locked = tmp_path / "chain.pem", tmp_path / "locked.pem"
    chain.write_bytes(_somebodys(ec.generate_private_key(ec.SECP256R1())) + certificate)
    locked.write_bytes(
        serialization.load_pem_private_key(key, None).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(PASSWORD.encode()),
        )
    )
    keys: dict[str, Any] = {
        "certificate_file": chain,
        "certificate_key_file": locked,
        "certificate_password": PASSWORD,
    }
    async with tokens_of(sandbox, **keys) as tokens:
        await tokens.issue()


async def test_a_certificate_is_replaced_without_a_restart(sandbox: Sandbox) -> None:
    """Its old one has ended with the tenant, so a token is a proof of the new one."""
    file = made_certificate(sandbox)
    async with tokens_of(sandbox, certificate_file=file) as tokens:
        await tokens.issue()
        assert made_certificate(sandbox) == file
        await tokens.issue()
    # The tenant's endpoints are asked for once for each certificate.
    assert sandbox.systems["entra"].calls.counts()["operations"] == {"discovery": 2, "token": 2}


async def test_between_two_files_that_do_not_belong_together_the_old_certificate_goes_on(
    sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    certificate_file, key_file = tmp_path / "tls.crt", tmp_path / "tls.key"
    certificate, key = parts(made_certificate(sandbox))
    certificate_file.write_bytes(certificate)
    key_file.write_bytes(key)
    keys: dict[str, Any] = {"certificate_file": certificate_file, "certificate_key_file": key_file}
    async with tokens_of(sandbox, **keys) as tokens:
        await tokens.issue()
        certificate, key = parts(made_certificate(sandbox, keep_old=True))
        key_file.write_bytes(key)
        await tokens.issue()
        await tokens.issue()
        certificate_file.write_bytes(certificate)
        await tokens.issue()
        # With the old one ended, only the new one gets a token.
        del sandbox.proofs.apps["demo-pricing"].certificates[0]
        await tokens.issue()

    told = [line for line in caplog.messages if "holds no certificate of the key" in line]
    assert len(told) == 1
    assert "goes on" in told[0]


async def test_a_federated_token_is_read_for_each_token(sandbox: Sandbox) -> None:
    file = made_token(sandbox)
    async with tokens_of(sandbox, federated_token_file=file) as tokens:
        await tokens.issue()
        made_token(sandbox, lives=-HOUR)
        with pytest.raises(UpstreamDeniedError, match="AADSTS700024"):
            await tokens.issue()
        made_token(sandbox)
        await tokens.issue()


async def test_a_certificate_that_ends_soon_is_told_once_a_day(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    file = made_certificate(sandbox, lives=timedelta(days=29))
    with caplog.at_level(logging.WARNING):
        async with tokens_of(sandbox, certificate_file=file) as tokens:
            for _ in range(3):
                await tokens.issue()

    ends = datetime.now(UTC) + timedelta(days=29)
    assert [f"{ends:%Y-%m-%d}" in line for line in caplog.messages if "ends" in line] == [True]


async def test_what_cannot_be_used_is_named_by_its_key_and_entra_is_not_asked(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    certificate, key = parts(made_certificate(sandbox))
    files = {
        "certificate": certificate,
        "key": key,
        "other": _somebodys(ec.generate_private_key(ec.SECP256R1())),
        "elliptic": ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        "locked": serialization.load_pem_private_key(key, None).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(PASSWORD.encode()),
        ),
        "text": b"not a token",
        "empty": b"",
    }
    at = {name: tmp_path / name for name in files}
    for name, content in files.items():
        at[name].write_bytes(content)
    nowhere = tmp_path / "nowhere"
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"certificate_file": nowhere}, "certificate_file", "FileNotFoundError"),
        ({"certificate_file": tmp_path}, "certificate_file", "IsADirectoryError"),
        ({"certificate_file": at["certificate"]}, "certificate_file", "no private key"),
        ({"certificate_file": at["key"]}, "certificate_file", "no certificate in PEM"),
        ({"certificate_file": at["empty"]}, "certificate_file", "no private key"),
        (
            {"certificate_file": at["other"], "certificate_key_file": at["key"]},
            "certificate_file",
            "no certificate of the key",
        ),
        (
            {"certificate_file": at["certificate"], "certificate_key_file": nowhere},
            "certificate_key_file",
            "FileNotFoundError",
        ),
        (
            {"certificate_file": at["certificate"], "certificate_key_file": at["elliptic"]},
            "certificate_key_file",
            "RSA",
        ),
        (
            {"certificate_file": at["certificate"], "certificate_key_file": at["locked"]},
            "certificate_password",
            "is missing",
        ),
        (
            {
                "certificate_file": at["certificate"],
                "certificate_key_file": at["locked"],
                "certificate_password": "wrong",
            },
            "certificate_password",
            "does not open",
        ),
        (
            {
                "certificate_file": at["certificate"],
                "certificate_key_file": at["key"],
                "certificate_password": PASSWORD,
            },
            "certificate_password",
            "not encrypted",
        ),
        ({"federated_token_file": nowhere}, "federated_token_file", "FileNotFoundError"),
        ({"federated_token_file": at["text"]}, "federated_token_file", "holds no token"),
        ({"federated_token_file": at["empty"]}, "federated_token_file", "holds no token"),
    ]
    for keys, at_fault, told in cases:
        async with tokens_of(sandbox, **keys) as tokens:
            with pytest.raises(UpstreamDeniedError, match=f"^pricing_{at_fault} ") as caught:
                await tokens.issue()
        assert told in str(caught.value), keys
        assert PASSWORD not in str(caught.value)
    assert "token" not in sandbox.systems["entra"].calls.counts()["operations"]


def _somebodys(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a certificate of a key that is not ours, as an authority's in a chain."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - HOUR)
        .not_valid_after(now + YEAR)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
