"""By what an Entra app of ours proves who it is, as msal takes it, read anew for each token.

A secret is what the configuration says. A certificate and a federated token are files that
others replace while we run: cert-manager, a secret that is mounted, Kubernetes. So a
certificate is taken up with the first token after it was replaced; until both of its files
belong together again, what was read last goes on. Without any, `UnusableProofError` says which
file is at fault, and nobody is asked.

No key, token or password is in a message, and no repr shows one.
"""

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import jwt
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from pricing_proxy.clock import Clock
from pricing_proxy.configuration.entra_apps import (
    ClientCertificate,
    ClientSecret,
    EntraApp,
    FederatedToken,
)

_LOG = logging.getLogger(__name__)

# Long enough to have another one made and registered, whoever is on leave.
ENDS_SOON = timedelta(days=30)
_ONE_DAY = timedelta(days=1)
# Kubernetes' tokens have 1 to 2 KB.
_LONGEST_TOKEN = 64 * 1024


class UnusableProofError(Exception):
    """A file by which an app proves who it is cannot be used; Entra ID need not be asked.

    Attributes:
        key: The configuration's key of what is at fault, such as `pricing_certificate_file`.
    """

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key} {reason}")
        self.key = key


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCertificate:
    """A certificate and its key, as they were found to belong together.

    Attributes:
        subject: Whose it is.
        thumbprint: SHA-256 over the certificate, in capital hexadecimal digits.
        begins_at: From when on it is good.
        ends_at: Until when.
        certificate: It, in PEM.
        key: Its key, in PEM and not encrypted.
    """

    subject: str
    thumbprint: str
    begins_at: datetime
    ends_at: datetime
    certificate: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadToken:
    """A federated token, as it says of itself; only Entra ID knows whether that is true.

    Attributes:
        issuer: Who made it.
        subject: Whose it is: what the app's federated credential must name.
        audience: For whom.
        ends_at: Until when it is good; None where it does not say.
    """

    issuer: str
    subject: str
    audience: str
    ends_at: datetime | None


class Proof(Protocol):
    """By what an app proves who it is."""

    def certificate_ends_at(self) -> datetime | None:
        """Return until when the certificate in use is good; None where there is none."""
        ...

    def credential(self) -> Any:
        """Return what msal takes: the same value until another one has to be used.

        Raises:
            UnusableProofError: There is none.
        """
        ...


def proof(app: EntraApp, *, clock: Clock) -> Proof:
    """Return an app's proof; nothing is read before it is asked for."""
    match app.proof:
        case ClientSecret() as secret:
            return _Secret(secret)
        case ClientCertificate() as certificate:
            return _Certificate(certificate, app=app, clock=clock)
        case FederatedToken() as token:
            return _Token(token, app=app)


def read_certificate(named: ClientCertificate, *, app: EntraApp) -> ReadCertificate:
    """Return a certificate and its key; raises `UnusableProofError`."""
    file_key = f"{app.kind}_certificate_file"
    content = _content(named.file, file_key)
    key = _private_key(named, content, app)
    try:
        found = x509.load_pem_x509_certificates(content)
    except ValueError:
        raise UnusableProofError(file_key, f"({named.file}) holds no certificate in PEM") from None
    ours = _public_bytes(key.public_key())
    # A chain's order is whoever wrote it: ours is the one of the key.
    own = next((each for each in found if _public_bytes(each.public_key()) == ours), None)
    if own is None:
        raise UnusableProofError(file_key, f"({named.file}) holds no certificate of the key")
    return ReadCertificate(
        subject=own.subject.rfc4514_string(),
        thumbprint=own.fingerprint(hashes.SHA256()).hex().upper(),
        begins_at=own.not_valid_before_utc,
        ends_at=own.not_valid_after_utc,
        certificate=own.public_bytes(serialization.Encoding.PEM).decode("ascii"),
        key=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode("ascii"),
    )


def read_token(named: FederatedToken, *, app: EntraApp) -> ReadToken:
    """Return what a federated token says of itself; raises `UnusableProofError`."""
    claims = _claims(_token_text(named, app)) or {}
    ends = claims.get("exp")
    audience = claims.get("aud")
    return ReadToken(
        issuer=str(claims.get("iss", "")),
        subject=str(claims.get("sub", "")),
        audience=", ".join(map(str, audience)) if isinstance(audience, list) else str(audience),
        ends_at=_instant(ends),
    )


class _Secret:
    def __init__(self, secret: ClientSecret) -> None:
        self._secret = secret

    def certificate_ends_at(self) -> None:
        return None

    def credential(self) -> str:
        return self._secret.text.get_secret_value()


class _Certificate:
    def __init__(self, named: ClientCertificate, *, app: EntraApp, clock: Clock) -> None:
        self._named = named
        self._app = app
        self._clock = clock
        self._held: ReadCertificate | None = None
        self._credential: dict[str, str] = {}
        self._complaint = ""
        self._warned_at: datetime | None = None

    def certificate_ends_at(self) -> datetime | None:
        return None if self._held is None else self._held.ends_at

    def credential(self) -> dict[str, str]:
        try:
            read = read_certificate(self._named, app=self._app)
            self._complaint = ""
        except UnusableProofError as error:
            if self._held is None:
                raise
            # Between two files that are replaced one after the other, or for good: say it once.
            if str(error) != self._complaint:
                self._complaint = str(error)
                _LOG.warning("%s; the certificate that was read before goes on", error)
            read = self._held
        if read != self._held:
            if self._held is not None:
                _LOG.info("%s_certificate_file: another certificate is used", self._app.kind)
            self._held, self._warned_at = read, None
            self._credential = {"private_key": read.key, "public_certificate": read.certificate}
        self._warn_of_the_end(read)
        return self._credential

    def _warn_of_the_end(self, read: ReadCertificate) -> None:
        now = self._clock.utc()
        if read.ends_at - now > ENDS_SOON:
            return
        if self._warned_at is None or now - self._warned_at >= _ONE_DAY:
            self._warned_at = now
            ends = f"{read.ends_at:%Y-%m-%d %H:%M} UTC"
            _LOG.warning("%s_certificate_file: the certificate ends %s", self._app.kind, ends)


class _Token:
    def __init__(self, named: FederatedToken, *, app: EntraApp) -> None:
        self._named = named
        self._app = app
        # One object, so that msal's application is made once; msal calls it for each token.
        self._credential = {"client_assertion": self._text}

    def certificate_ends_at(self) -> None:
        return None

    def credential(self) -> Any:
        return self._credential

    def _text(self) -> str:
        return _token_text(self._named, self._app)


def _content(file: Path, key: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        reason = f"({file}) cannot be read: {type(error).__name__}"
        raise UnusableProofError(key, reason) from None


def _private_key(named: ClientCertificate, content: bytes, app: EntraApp) -> RSAPrivateKey:
    """Return the key, out of its own file or the certificate's."""
    key, file = f"{app.kind}_certificate_file", named.file
    if named.key_file is not None:
        key, file = f"{app.kind}_certificate_key_file", named.key_file
        content = _content(file, key)
    password = named.password.get_secret_value().encode() if named.password else None
    try:
        found = serialization.load_pem_private_key(content, password)
    except TypeError:
        # What cryptography raises for a password too many or too few.
        wants = (
            "is set, and the key is not encrypted" if password else "is missing: it is encrypted"
        )
        raise UnusableProofError(f"{app.kind}_certificate_password", wants) from None
    except (ValueError, UnsupportedAlgorithm):
        if password is not None and b"ENCRYPTED" in content:
            wrong = f"{app.kind}_certificate_password"
            raise UnusableProofError(wrong, f"does not open the key in {file}") from None
        raise UnusableProofError(key, f"({file}) holds no private key in PEM") from None
    if not isinstance(found, RSAPrivateKey):
        raise UnusableProofError(key, f"({file}) holds a key that is not RSA: Entra ID takes RSA")
    return found


def _public_bytes(key: Any) -> bytes:
    found: bytes = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return found


def _token_text(named: FederatedToken, app: EntraApp) -> str:
    key = f"{app.kind}_federated_token_file"
    content = _content(named.file, key)
    text = content[:_LONGEST_TOKEN].decode("ascii", "replace").strip()
    if _claims(text) is None:
        raise UnusableProofError(key, f"({named.file}) holds no token")
    return text


def _claims(text: str) -> dict[str, Any] | None:
    """Return what a token says; unproven, since only Entra ID has its issuer's keys."""
    try:
        return dict(jwt.decode(text, options={"verify_signature": False}))
    except (jwt.PyJWTError, ValueError):
        return None


def _instant(seconds: object) -> datetime | None:
    try:
        # RFC 7519 allows parts of a second.
        return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int | float) else None
    except (ValueError, OverflowError, OSError):
        return None
