"""A shop that issues tokens, well and badly, with keys made for the tests."""

from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import SecretStr

from pricing_proxy.configuration.storefront import Storefront, TokenKey
from tests.fakes.price_world import MARKET
from tests.virtual_time import ManualClock

ISSUER = "https://shop.example.com"
AUDIENCE = "prices"
SECRET = "a secret of the shop's, longer than 32 bytes"
OTHER_MARKET = "b2b_ch"
PAGE = "https://shop.example.com"
OTHER_PAGE = "https://shop.example.ch"
SHARED_KID, OWN_KID = "shared-2026", "own-2026"

_PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC_PEM = (
    _PRIVATE.public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    .decode("ascii")
)
STOREFRONT = Storefront(
    issuer=ISSUER,
    audience=AUDIENCE,
    keys={
        SHARED_KID: TokenKey(algorithm="HS256", secret=SecretStr(SECRET)),
        OWN_KID: TokenKey(algorithm="EdDSA", public_key=PUBLIC_PEM),
    },
)
_SIGNING: Mapping[str, tuple[str, Any]] = {
    SHARED_KID: ("HS256", SECRET),
    OWN_KID: ("EdDSA", _PRIVATE),
}
# The instant at which a `ManualClock` begins.
NOW = round(ManualClock().utc().timestamp())


def claims(customer: str = "C-1", **changed: Any) -> dict[str, Any]:
    """Return a token's claims; one that is changed to None is left out."""
    right = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": customer,
        "market": MARKET,
        "iat": NOW,
        "exp": NOW + 900,
        **changed,
    }
    return {name: value for name, value in right.items() if value is not None}


def token(customer: str = "C-1", *, kid: str = OWN_KID, **changed: Any) -> str:
    """Return a signed token."""
    algorithm, key = _SIGNING[kid]
    return jwt.encode(claims(customer, **changed), key, algorithm, headers={"kid": kid})


def bearer(text: str) -> dict[str, str]:
    """Return the header that presents a token."""
    return {"Authorization": f"Bearer {text}"}
