"""What is registered with the simulated tenant's apps, and the files that go with it.

Each app has a published secret. A certificate, or a token of the simulated platform (as a
Kubernetes cluster makes it), is made when somebody asks for one, as an RSA key takes a tenth of
a second: it is registered, and written where the app's program reads it. Asked again, that is a
rotation: the old certificate is ended unless it is kept, and of a token only the file changes.
"""

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from pricing_proxy.clock import Clock

SECRETS = {"demo-pricing": "demo-pricing-secret", "demo-sync": "demo-sync-secret"}
"""Client ids and their secrets: published on purpose, they open nothing but the sandbox."""

ISSUER = "https://platform.sandbox.invalid/cluster/"
"""Who makes federated tokens."""

AUDIENCE = "api://AzureADTokenExchange"
_PRIVATE = 0o600
_RSA_BITS = 2048
_RSA_EXPONENT = 65_537
_ONE_MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Registration:
    """One app of the tenant.

    Attributes:
        secret: Its only one.
        certificates: Those it may prove itself by.
        subject: Whose federated tokens it trusts; empty for nobody's.
    """

    secret: str
    certificates: list[x509.Certificate] = field(default_factory=list)
    subject: str = ""


@dataclass(frozen=True, slots=True)
class MadeFile:
    """What was made for an app.

    Attributes:
        file: Where its program reads it.
        ends_at: Until when it is good.
        named: The certificate's thumbprint, or the token's subject.
    """

    file: Path
    ends_at: datetime
    named: str


class AppProofs:
    """The apps, what is registered with each, and the platform that makes tokens.

    Args:
        folder: Where files are written, readable by us only.
        clock: Dates what is made.
    """

    def __init__(self, folder: Path, *, clock: Clock) -> None:
        self.apps = {name: Registration(secret) for name, secret in SECRETS.items()}
        self._folder = folder
        self._clock = clock
        self._platform_keys: dict[str, rsa.RSAPrivateKey] = {}

    def make_certificate(self, app: str, *, lives: timedelta, keep_old: bool) -> MadeFile:
        """Register a new certificate, and write it with its key."""
        registered, now = self.apps[app], self._clock.utc()
        key = _key()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, app)])
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - max(_ONE_MINUTE, -2 * lives))
            .not_valid_after(now + lives)
            .sign(key, hashes.SHA256())
        )
        registered.certificates = [*(registered.certificates if keep_old else []), made]
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        file = self._write(f"{app}.pem", pem + made.public_bytes(serialization.Encoding.PEM))
        return MadeFile(file, made.not_valid_after_utc, thumbprint(made))

    def make_token(self, app: str, *, lives: timedelta, claims: dict[str, Any]) -> MadeFile:
        """Have the platform make a token for an app, which trusts it from now on.

        Args:
            app: Whose.
            lives: How long.
            claims: Instead of the usual ones, as a platform that is set up wrongly says them.
        """
        subject = f"system:serviceaccount:demo:{app}"
        self.apps[app].subject = subject
        now = self._clock.utc()
        ends = now + lives
        usual = {
            "iss": ISSUER,
            "sub": subject,
            "aud": [AUDIENCE],
            "iat": int((now - _ONE_MINUTE).timestamp()),
            "nbf": int((now - _ONE_MINUTE).timestamp()),
            "exp": int(ends.timestamp()),
        }
        kid, key = self._platform_key()
        text = jwt.encode({**usual, **claims}, key, algorithm="RS256", headers={"kid": kid})
        return MadeFile(self._write(f"{app}-token", text.encode()), ends, subject)

    def platform_jwks(self) -> dict[str, Any]:
        """Return the platform's public keys, as it publishes them."""
        return {
            "keys": [
                {
                    **json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())),
                    "kid": kid,
                    "use": "sig",
                    "alg": "RS256",
                }
                for kid, key in self._platform_keys.items()
            ]
        }

    def platform_key(self, kid: str) -> rsa.RSAPublicKey | None:
        """Return one of them."""
        key = self._platform_keys.get(kid)
        return None if key is None else key.public_key()

    def _platform_key(self) -> tuple[str, rsa.RSAPrivateKey]:
        if not self._platform_keys:
            self._platform_keys["1"] = _key()
        return next(iter(self._platform_keys.items()))

    def _write(self, name: str, content: bytes) -> Path:
        """Replace a file as a whole, as platforms do: nobody reads half of it."""
        file, new = self._folder / name, self._folder / f".{name}.new"
        new.touch(mode=_PRIVATE)
        new.write_bytes(content)
        new.replace(file)
        return file.absolute()


def thumbprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 over a certificate, in capital hexadecimal digits."""
    return certificate.fingerprint(hashes.SHA256()).hex().upper()


def in_base64(digest: bytes) -> str:
    """Return a digest as the heads of JWTs carry it."""
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=_RSA_EXPONENT, key_size=_RSA_BITS)
