"""Who may call: API keys, kept as hashes.

A key has at least 128 random bits, so one round of SHA-256 is enough to keep it; the
hash is no secret. Presented keys are compared with every known one in constant time.
"""

import secrets
from collections.abc import Sequence
from hashlib import sha256
from hmac import compare_digest
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, Field

from pricing_proxy.configuration.environments import MODEL

Scope = Literal["prices", "login", "explain", "invalidate", "invalidate_all_hard", "operate"]
SCOPES: tuple[str, ...] = get_args(Scope)

# As long as a name may be and still fit a line of the status page.
LONGEST_NAME = 60
# Longer headers are no keys; hashing them would only cost time.
_LONGEST_KEY = 256
_RANDOM_BYTES = 24


class ApiKey(BaseModel):
    """One caller's key.

    Attributes:
        name: Whose key; shown to operators.
        sha256: SHA-256 of the key, in hexadecimal.
        scopes: What it opens.
        revoked: Refuse it by name, instead of as unknown.
    """

    model_config = MODEL

    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    scopes: Annotated[frozenset[Scope], Field(min_length=1)]
    revoked: bool = False


class KeyRing:
    """All keys.

    Args:
        keys: Active and revoked ones.
    """

    def __init__(self, keys: Sequence[ApiKey]) -> None:
        self._keys = [(bytes.fromhex(key.sha256), key) for key in keys]

    @property
    def names(self) -> list[str]:
        """Whose keys there are, in the order of the configuration."""
        return [key.name for _, key in self._keys]

    def find(self, presented: str) -> ApiKey | None:
        """Return the key's record, also a revoked one; None for an unknown key."""
        if len(presented) > _LONGEST_KEY:
            return None
        digest = sha256(presented.encode("utf-8", "surrogateescape")).digest()
        found = None
        for known, key in self._keys:
            # No early exit: the time must not tell which key came close.
            if compare_digest(known, digest):
                found = key
        return found


def hash_of(key: str) -> str:
    """Return what the configuration holds of a key."""
    return sha256(key.encode()).hexdigest()


def new_key() -> str:
    """Return a new random key."""
    return f"pp_{secrets.token_urlsafe(_RANDOM_BYTES)}"
