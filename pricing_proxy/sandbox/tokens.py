"""The bearer tokens that Entra ID issued: what F&O checks them against."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from pricing_proxy.clock import Clock

# The lifetime that Microsoft's documented sample shows.
LIFETIME = timedelta(seconds=3599)
_ONE_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class _Issued:
    audience: str
    expires_us: int


class Tokens:
    """Opaque tokens, each for one audience and one lifetime."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._issued: dict[str, _Issued] = {}

    def issue(self, audience: str) -> str:
        """Return a new token for an environment."""
        now_us = self._clock.monotonic_us()
        self._issued = {
            token: issued for token, issued in self._issued.items() if issued.expires_us > now_us
        }
        token = secrets.token_urlsafe(48)
        self._issued[token] = _Issued(audience, now_us + LIFETIME // _ONE_MICROSECOND)
        return token

    def admits(self, authorization: str, audience: str) -> bool:
        """Return whether an Authorization header opens an environment now."""
        scheme, _, token = authorization.partition(" ")
        issued = self._issued.get(token.strip())
        return (
            scheme.casefold() == "bearer"
            and issued is not None
            and issued.audience == audience
            and issued.expires_us > self._clock.monotonic_us()
        )
