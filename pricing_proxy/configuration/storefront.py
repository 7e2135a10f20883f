"""Whose tokens open the prices of one customer to a browser: the shop's signing keys.

Each key id fixes its algorithm, so that a token cannot choose one: a public key is never
taken for a shared secret. A shared secret comes from the environment or the secrets
directory, as every secret does; a public key stands in the file.
"""

from typing import Annotated, Literal, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import AfterValidator, BaseModel, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from pricing_proxy.configuration.environments import MODEL
from pricing_proxy.configuration.mistakes import MISSING_MEMBER

# HMAC with SHA-256 is as strong as its key, up to 32 bytes (RFC 7518, section 3.2).
SHORTEST_SECRET_BYTES = 32


def _ed25519_pem(text: str) -> str:
    try:
        is_usable = isinstance(load_pem_public_key(text.encode()), Ed25519PublicKey)
    except (ValueError, UnsupportedAlgorithm):
        is_usable = False
    if not is_usable:
        raise ValueError("expected an Ed25519 public key in PEM: -----BEGIN PUBLIC KEY-----")
    return text


def _long_secret(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value().encode()) < SHORTEST_SECRET_BYTES:
        raise ValueError(f"expected at least {SHORTEST_SECRET_BYTES} bytes")
    return secret


# As it stands in a token's header; also a part of an environment variable's name, where two
# underscores would end it.
KeyId = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9.-]+(_[A-Za-z0-9.-]+)*$", min_length=1, max_length=64)
]


class TokenKey(BaseModel):
    """One key that the shop signs with.

    Attributes:
        algorithm: The only one that tokens with this key id may use.
        secret: HS256: shared with the shop, at least 32 bytes; as UTF-8 text.
        public_key: EdDSA: an Ed25519 public key in PEM.
    """

    model_config = MODEL

    algorithm: Literal["HS256", "EdDSA"]
    secret: Annotated[SecretStr, AfterValidator(_long_secret)] | None = None
    public_key: Annotated[str, AfterValidator(_ed25519_pem)] | None = None

    @model_validator(mode="after")
    def _has_its_key(self) -> Self:
        needed, other = ("secret", "public_key") if self._is_shared else ("public_key", "secret")
        if getattr(self, needed) is None:
            raise PydanticCustomError(
                MISSING_MEMBER,
                "expected {member}, which {algorithm} needs",
                {"member": needed, "algorithm": self.algorithm},
            )
        if getattr(self, other) is not None:
            raise ValueError(f"expected no {other}, which {self.algorithm} does not use")
        return self

    @property
    def _is_shared(self) -> bool:
        return self.algorithm == "HS256"

    @property
    def material(self) -> str:
        """What signatures are checked with."""
        if self.secret is not None:
            return self.secret.get_secret_value()
        return self.public_key or ""


class Storefront(BaseModel):
    """What opens prices to browsers.

    Attributes:
        issuer: Who issues the tokens: their `iss`.
        audience: For whom: their `aud`.
        keys: Signing keys by key id; several while the shop changes from one to the next.
        takes_accounts: Whether a token's `sub` may be an ERP account. Where the shop takes it from
            an attribute that customers can write, say false: then only `magento_id:NUMBER` opens
            prices.
        cold_skus_per_minute: How many lines one customer's browsers may have loaded from the
            ERP in a minute; lines that are cached cost nothing.
    """

    model_config = MODEL

    issuer: Annotated[str, Field(min_length=1, max_length=200)]
    audience: Annotated[str, Field(min_length=1, max_length=200)]
    keys: Annotated[dict[KeyId, TokenKey], Field(min_length=1)]
    takes_accounts: bool = True
    cold_skus_per_minute: Annotated[int, Field(ge=1, le=100_000)] = 120
