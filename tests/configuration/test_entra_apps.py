"""By what each Entra app proves who it is: exactly one of three, told by its key."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from pricing_proxy import settings as price_settings
from pricing_proxy.configuration import reading
from pricing_proxy.configuration.entra_apps import (
    AppKind,
    ClientCertificate,
    ClientSecret,
    EntraApp,
    FederatedToken,
    add_conventions,
    app_mistakes,
)
from pricing_proxy.configuration.mistakes import ConfigurationError
from pricing_proxy.settings import Settings
from sync import settings as sync_settings
from sync.settings import SyncSettings
from tests.configuration.files import write
from tests.sync import files

KINDS: tuple[AppKind, ...] = ("pricing", "sync")
MODELS: Mapping[AppKind, type[BaseModel]] = {"pricing": Settings, "sync": SyncSettings}
LOADS: Mapping[AppKind, Callable[[Path | None], Any]] = {
    "pricing": price_settings.load,
    "sync": sync_settings.load,
}
# What Azure's webhook gives a pod.
POD = {
    "AZURE_FEDERATED_TOKEN_FILE": "/var/run/secrets/azure/tokens/azure-identity-token",
    "AZURE_CLIENT_ID": "the-pods-own",
    "AZURE_TENANT_ID": "the-pods-tenant",
    "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.us/",
}
PREFIX = "PRICING_PROXY_ENVIRONMENTS__ERP__"


def variables(kind: AppKind, **keys: str) -> dict[str, str]:
    """Return the environment of a program whose app has these keys, and all else it needs."""
    others = {name: text for name, text in files.SECRETS.items() if "CLIENT_SECRET" not in name}
    return {**others, **{f"{PREFIX}{kind}_{key}".upper(): text for key, text in keys.items()}}


def app(kind: AppKind, folder: Path, environ: Mapping[str, str], text: str = "") -> EntraApp:
    """Return the app as a program reads it."""
    read: Any = reading.read(
        MODELS[kind],
        write(folder, text or files.CONFIGURATION),
        environ,
        fill=partial(add_conventions, kind=kind),
        cross_check=partial(app_mistakes, kind=kind),
    )
    found: EntraApp = read.environments["erp"].app(kind)
    return found


def mistakes(
    kind: AppKind, folder: Path, monkeypatch: pytest.MonkeyPatch, environ: Mapping[str, str]
) -> dict[str, str]:
    """Return what the program's own `load` says."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        LOADS[kind](files.write(folder))
    return {mistake.path: mistake.expected for mistake in caught.value.mistakes}


@pytest.mark.parametrize("kind", KINDS)
def test_an_app_proves_itself_by_one_of_three(kind: AppKind, tmp_path: Path) -> None:
    secret = app(kind, tmp_path, variables(kind, client_secret="of Entra's"))
    named = {"certificate_file": "c.pem", "certificate_key_file": "k.pem"}
    certificate = app(kind, tmp_path, variables(kind, **named, certificate_password="of the key"))
    token = app(kind, tmp_path, variables(kind, federated_token_file="token"))

    assert isinstance(secret.proof, ClientSecret)
    assert secret.proof.text.get_secret_value() == "of Entra's"
    assert isinstance(certificate.proof, ClientCertificate)
    assert certificate.proof.file == Path("c.pem")
    assert certificate.proof.key_file == Path("k.pem")
    assert reading.secret_text(certificate.proof.password) == "of the key"
    assert token.proof == FederatedToken(Path("token"))
    assert "of" not in f"{secret.proof!r} {certificate.proof!r}".replace("ProofOf", "")


@pytest.mark.parametrize("kind", KINDS)
def test_an_app_without_proof_is_told_where_each_goes(
    kind: AppKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = mistakes(kind, tmp_path, monkeypatch, variables(kind))

    (path,) = found
    assert path == f"environments.erp.{kind}_client_secret"
    assert f"{PREFIX}{kind.upper()}_CLIENT_SECRET" in found[path]
    assert f"{kind}_certificate_file" in found[path]
    assert "AZURE_FEDERATED_TOKEN_FILE" in found[path]


@pytest.mark.parametrize("kind", KINDS)
def test_more_than_one_proof_is_a_mistake_at_each_further_one(
    kind: AppKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"client_secret": "x", "certificate_file": "c.pem", "federated_token_file": "t"}
    found = mistakes(kind, tmp_path, monkeypatch, variables(kind, **given))

    assert set(found) == {
        f"environments.erp.{kind}_certificate_file",
        f"environments.erp.{kind}_federated_token_file",
    }
    assert all(f"{kind}_client_secret" in told for told in found.values())


@pytest.mark.parametrize("part", ["certificate_key_file", "certificate_password"])
def test_a_part_of_a_certificate_without_one_is_a_mistake(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = variables("pricing", client_secret="x", **{part: "hunter2~part"})
    found = mistakes("pricing", tmp_path, monkeypatch, environ)

    assert list(found) == [f"environments.erp.pricing_{part}"]
    assert "pricing_certificate_file" in found[f"environments.erp.pricing_{part}"]
    assert "hunter2" not in str(found)


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_platform_says_stands_for_what_is_left_out(kind: AppKind, tmp_path: Path) -> None:
    text = files.CONFIGURATION.replace('tenant = "contoso.com"\n', "")
    text = "\n".join(line for line in text.splitlines() if not line.startswith(f"{kind}_client_id"))
    environ = {**variables(kind), **POD}

    found = app(kind, tmp_path, environ, text)
    read: Any = reading.read(
        MODELS[kind], write(tmp_path, text), environ, fill=partial(add_conventions, kind=kind)
    )

    assert found.client_id == "the-pods-own"
    assert found.proof == FederatedToken(Path(POD["AZURE_FEDERATED_TOKEN_FILE"]))
    assert read.environments["erp"].tenant == "the-pods-tenant"
    assert read.environments["erp"].authority == "https://login.microsoftonline.us"


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_configuration_says_wins_over_the_platform(kind: AppKind, tmp_path: Path) -> None:
    named = app(kind, tmp_path, {**variables(kind, federated_token_file="own"), **POD})
    secret = app(kind, tmp_path, {**variables(kind, client_secret="x"), **POD})

    assert named.proof == FederatedToken(Path("own"))
    assert isinstance(secret.proof, ClientSecret)
    assert "the-pods-own" not in (named.client_id, secret.client_id)


def test_an_app_with_a_secret_takes_nothing_of_the_pods(tmp_path: Path) -> None:
    """Something else of the pod may have a workload identity in another tenant."""
    text = files.CONFIGURATION.replace('tenant = "contoso.com"\n', "")
    environ = {**variables("pricing", client_secret="x"), **POD}

    with pytest.raises(ConfigurationError) as caught:
        app("pricing", tmp_path, environ, text)

    assert [each.path for each in caught.value.mistakes] == ["environments.erp.tenant"]
