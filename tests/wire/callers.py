"""Who speaks in the fuzz: callers with keys and tokens of their own, and such without."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from pricing_proxy.configuration.api_keys import hash_of
from tests.drill.digits import CUSTOMERS as ALL_CUSTOMERS
from tests.drill.digits import SKUS as ALL_SKUS

MARKET = "b2b_de"
CUSTOMERS = ALL_CUSTOMERS[:6]
SKUS = ALL_SKUS[:8]
QUANTITIES = ("1", "2", "5")
KEYS = ("key-of-the-first-shop", "key-of-the-second-shop")
NARROW_KEY = "key-that-opens-no-prices"
_SECRET = "a secret of the shop's, longer than 32 bytes"
_ISSUER, _AUDIENCE, _KID = "https://shop.example.com", "prices", "2026"
_TOKEN_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who asks.

    Attributes:
        name: Who, for reports.
        credential: The header line that says so; empty for nobody.
        customer: Whose prices alone, None when everybody's.
        refused: The status of every answer about prices; 0 for one who may read them.
    """

    name: str
    credential: str
    customer: str | None = None
    refused: int = 0

    @property
    def lines(self) -> tuple[str, ...]:
        """The credential as head lines."""
        return (self.credential,) if self.credential else ()


def callers() -> list[Caller]:
    """Return all of them, with tokens that are new."""
    keyed = [Caller(f"key {n}", f"X-API-Key: {key}") for n, key in enumerate(KEYS)]
    shoppers = [
        Caller(f"shopper {customer}", f"Authorization: Bearer {_token(customer)}", customer)
        for customer in CUSTOMERS[:4]
    ]
    strangers = [
        Caller("nobody", "", refused=401),
        Caller("unknown key", "X-API-Key: junk", refused=401),
        Caller("unknown token", "Authorization: Bearer junk", refused=401),
        Caller("narrow key", f"X-API-Key: {NARROW_KEY}", refused=403),
    ]
    return [*keyed, *keyed, *shoppers, *strangers]


def api_keys() -> list[dict[str, Any]]:
    """Return the keys as the configuration has them."""
    opening = [
        {"name": f"shop {n}", "sha256": hash_of(key), "scopes": ["prices", "login"]}
        for n, key in enumerate(KEYS)
    ]
    narrow = {"name": "narrow", "sha256": hash_of(NARROW_KEY), "scopes": ["invalidate"]}
    return [*opening, narrow]


def storefront() -> Mapping[str, Any]:
    """Return whose tokens open prices, as the configuration has it."""
    keys = {_KID: {"algorithm": "HS256", "secret": _SECRET}}
    return {"issuer": _ISSUER, "audience": _AUDIENCE, "keys": keys}


def _token(customer: str) -> str:
    now = int(time.time())
    claims = {
        "iss": _ISSUER,
        "aud": _AUDIENCE,
        "sub": customer,
        "market": MARKET,
        "iat": now,
        "exp": now + _TOKEN_SECONDS,
    }
    return jwt.encode(claims, _SECRET, "HS256", headers={"kid": _KID})
