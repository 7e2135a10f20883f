"""Our Entra apps, and by what each proves who it is: a secret, a certificate, or the platform.

An app has exactly one of the three. Where a pod has a workload identity, the variables that
Azure's webhook gives it (`AZURE_FEDERATED_TOKEN_FILE`, `AZURE_CLIENT_ID`, `AZURE_TENANT_ID`,
`AZURE_AUTHORITY_HOST`) stand for keys that the configuration leaves out. Which of the three
there are is asked of the document, not of the model, so that it is told with all other mistakes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr

from pricing_proxy.configuration.mistakes import SECRETS_VARIABLE, Mistake, variable_of

AppKind = Literal["pricing", "sync"]
"""Which of our two Entra apps; what its keys in the configuration begin with."""

TOKEN_FILE_VARIABLE = "AZURE_FEDERATED_TOKEN_FILE"  # noqa: S105 -- names a variable
_SECRET, _CERTIFICATE, _TOKEN = "client_secret", "certificate_file", "federated_token_file"
_KEY_FILE, _PASSWORD = "certificate_key_file", "certificate_password"
# What Azure's webhook tells a pod, by the key that it stands for.
_CONVENTIONS = {"tenant": "AZURE_TENANT_ID", "authority": "AZURE_AUTHORITY_HOST"}
_CLIENT_VARIABLE = "AZURE_CLIENT_ID"


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """A text that Entra ID made."""

    text: SecretStr


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCertificate:
    """A certificate that is registered with the app, and its key.

    Attributes:
        file: PEM; the certificate, and the key where no other file holds that.
        key_file: PEM; the key.
        password: Of the key.
    """

    file: Path
    key_file: Path | None = None
    password: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class FederatedToken:
    """A token of the platform's, such as Kubernetes', for whom the app trusts it.

    Attributes:
        file: Where the platform puts a new one before the last one ends.
    """

    file: Path


ClientProof = ClientSecret | ClientCertificate | FederatedToken


@dataclass(frozen=True, slots=True, kw_only=True)
class EntraApp:
    """One of our Entra apps at an environment.

    Attributes:
        kind: Which one.
        client_id: Its id.
        proof: By what it proves who it is.
    """

    kind: AppKind
    client_id: str
    proof: ClientProof

    @property
    def priority(self) -> str:
        """Its throttling priority in F&O."""
        return "High" if self.kind == "pricing" else "Low"


def proof_of(
    *,
    secret: SecretStr | None,
    certificate: Path | None,
    key: Path | None,
    password: SecretStr | None,
    token: Path | None,
) -> ClientProof | None:
    """Return an app's proof out of its keys; None where there is none."""
    if certificate is not None:
        return ClientCertificate(file=certificate, key_file=key, password=password)
    if token is not None:
        return FederatedToken(token)
    return None if secret is None else ClientSecret(secret)


def add_conventions(
    document: Mapping[str, Any], environ: Mapping[str, str], *, kind: AppKind
) -> None:
    """Put what the platform says of the app where the document says nothing, in place.

    Only of an app that has, or is left to have, a workload identity: others of the pod may use
    these variables for matters of their own.
    """
    token_file = environ.get(TOKEN_FILE_VARIABLE)
    for environment in _environments(document).values():
        if not _given(environment, kind) and token_file:
            environment[f"{kind}_{_TOKEN}"] = token_file
        if _given(environment, kind) != [f"{kind}_{_TOKEN}"]:
            continue
        named = {**_CONVENTIONS, f"{kind}_client_id": _CLIENT_VARIABLE}
        for key, variable in named.items():
            if environ.get(variable):
                environment.setdefault(key, environ[variable])


def app_mistakes(document: Mapping[str, Any], *, kind: AppKind) -> Iterator[Mistake]:
    """Find environments where one of our apps has no proof, or more than one."""
    for name, environment in _environments(document).items():
        here = f"environments.{name}.{kind}_"
        given = _given(environment, kind)
        if not given:
            yield Mistake(
                f"{here}{_SECRET}",
                f"is required: set {variable_of(here + _SECRET)}, or a file of that name in "
                f"{SECRETS_VARIABLE}; or name {kind}_{_CERTIFICATE} or {kind}_{_TOKEN} (else "
                f"{TOKEN_FILE_VARIABLE}) in its place",
            )
        for more in given[1:]:
            advice = f"expected one of {', '.join(given)}: take the others out"
            yield Mistake(f"environments.{name}.{more}", advice)
        for part in (_KEY_FILE, _PASSWORD):
            if f"{kind}_{part}" in environment and f"{kind}_{_CERTIFICATE}" not in environment:
                yield Mistake(f"{here}{part}", f"expected {kind}_{_CERTIFICATE} beside it")


def _environments(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return those that are tables; others are told of where they are read."""
    found = document.get("environments")
    tables = found if isinstance(found, dict) else {}
    return {name: each for name, each in tables.items() if isinstance(each, dict)}


def _given(environment: Mapping[str, Any], kind: AppKind) -> list[str]:
    keys = (f"{kind}_{each}" for each in (_SECRET, _CERTIFICATE, _TOKEN))
    return [key for key in keys if key in environment]
