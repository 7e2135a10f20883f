"""Who may call a route: `X-API-Key` with the route's scope, or a storefront token for prices.

401 when nobody is known, 403 when somebody is known but not allowed. Which keys exist is
never told; when a key was last used is kept for operators. Where both are sent the key
counts: who holds one may ask for any customer anyway.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from aiohttp import web

from pricing_proxy.clock import Clock
from pricing_proxy.configuration.api_keys import KeyRing, Scope
from pricing_proxy.configuration.storefront import Storefront
from pricing_proxy.listening.connection import accept
from pricing_proxy.problem_details import ProblemError
from pricing_proxy.web import problems
from pricing_proxy.web.tokens import Shopper, StorefrontTokens

API_KEY_HEADER = "X-API-Key"
_TOKEN_SCHEME = "Bearer "  # noqa: S105 -- the scheme's name
_KEY_OR_TOKEN = f"Send your key as {API_KEY_HEADER}, or a storefront token as Bearer."
# One name for all browsers: behind it they take turns by customer, as behind a key.
_BROWSERS = "storefront tokens"


class Admitted(NamedTuple):
    """Who was let in.

    Attributes:
        name: The key's name; one for all storefront tokens.
        shopper: Whose prices alone, None when everybody's.
    """

    name: str
    shopper: Shopper | None = None


class Access:
    """Checks requests.

    Args:
        keys: All known keys.
        tokens: Verifies storefront tokens.
        clock: Time.
    """

    def __init__(self, keys: KeyRing, *, tokens: StorefrontTokens, clock: Clock) -> None:
        self._keys = keys
        self._tokens = tokens
        self._clock = clock
        self._last_use: dict[str, datetime] = {}

    def require(self, request: web.Request, scope: Scope, *, takes_token: bool = False) -> Admitted:
        """Return who calls.

        Args:
            request: What came.
            scope: What a key must open.
            takes_token: Whether a storefront token will do as well.

        Raises:
            ProblemError: 401 or 403 for a caller who may not.
        """
        presented = request.headers.get(API_KEY_HEADER)
        if presented is None:
            admitted = Admitted(_BROWSERS, self._require_token(request, is_enough=takes_token))
        else:
            admitted = Admitted(self._require_key(presented, scope))
        accept(request)
        return admitted

    def opens(self, presented: str, scope: Scope) -> bool:
        """Return whether a key opens the scope."""
        try:
            self._require_key(presented, scope)
        except ProblemError:
            return False
        return True

    def holds_key(self, request: web.Request) -> bool:
        """Return whether a server of ours calls, and not a browser."""
        key = self._keys.find(request.headers.get(API_KEY_HEADER, ""))
        return key is not None and not key.revoked

    def shopper(self, request: web.Request) -> Shopper | None:
        """Return whose token came along, None without one; raises a 401 for a wrong one."""
        authorization = request.headers.get("Authorization", "")
        if authorization[: len(_TOKEN_SCHEME)].lower() != _TOKEN_SCHEME.lower():
            return None
        return self._tokens.verify(authorization[len(_TOKEN_SCHEME) :].strip())

    def replace(self, keys: KeyRing, storefront: Storefront | None) -> None:
        """Take other keys from now on, for requests and for tokens."""
        self._keys = keys
        self._tokens.replace(storefront)
        self._last_use = {n: at for n, at in self._last_use.items() if n in set(keys.names)}

    def last_use(self) -> Mapping[str, datetime | None]:
        """Return when each key was last used, None for not since the start, by its name."""
        return {name: self._last_use.get(name) for name in self._keys.names}

    def _require_token(self, request: web.Request, *, is_enough: bool) -> Shopper:
        shopper = self.shopper(request)
        if shopper is None:
            raise ProblemError(problems.MISSING_KEY, _KEY_OR_TOKEN if is_enough else None)
        if not is_enough:
            raise ProblemError(problems.TOKEN_NOT_ENOUGH)
        return shopper

    def _require_key(self, presented: str, scope: Scope) -> str:
        key = self._keys.find(presented)
        if key is None:
            raise ProblemError(problems.UNKNOWN_KEY)
        if key.revoked:
            raise ProblemError(problems.REVOKED_KEY)
        if scope not in key.scopes:
            raise ProblemError(problems.MISSING_SCOPE, f"This key lacks the scope {scope}.")
        self._last_use[key.name] = self._clock.utc()
        return key.name
