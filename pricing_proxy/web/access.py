"""Who may call a route: `X-API-Key` with the route's scope.

401 when nobody is known, 403 when somebody is known but not allowed. Which keys exist is
never told; when a key was last used is kept for operators.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from aiohttp import web

from pricing_proxy.clock import Clock
from pricing_proxy.configuration.api_keys import KeyRing
from pricing_proxy.web.problems import ProblemError

API_KEY_HEADER = "X-API-Key"
_CHALLENGE = {"WWW-Authenticate": API_KEY_HEADER}


class AccessScope(StrEnum):
    """What a key may open."""

    PRICES = "prices"
    LOGIN = "login"
    EXPLAIN = "explain"
    INVALIDATE = "invalidate"
    INVALIDATE_ALL_HARD = "invalidate_all_hard"
    OPERATE = "operate"


class Access:
    """Checks requests.

    Args:
        keys: All known keys.
        clock: Time.
    """

    def __init__(self, keys: KeyRing, *, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._last_use: dict[str, datetime] = {}

    def require(self, request: web.Request, scope: AccessScope) -> None:
        """Raise a 401 or 403 unless the request's key opens the scope."""
        presented = request.headers.get(API_KEY_HEADER)
        if presented is None:
            raise ProblemError(
                401, "missing_key", f"Send your key as {API_KEY_HEADER}.", headers=_CHALLENGE
            )
        key = self._keys.find(presented)
        if key is None:
            raise ProblemError(401, "unknown_key", "This key is not known.", headers=_CHALLENGE)
        if key.revoked:
            raise ProblemError(401, "revoked_key", "This key was revoked.", headers=_CHALLENGE)
        if scope.value not in key.scopes:
            raise ProblemError(403, "missing_scope", f"This key lacks the scope {scope.value}.")
        self._last_use[key.name] = self._clock.utc()

    def last_use(self) -> Mapping[str, datetime]:
        """Return when each key was last used, by its name."""
        return self._last_use
