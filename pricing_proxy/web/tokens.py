"""Tell from a storefront token whose prices a browser may see.

A token is a JWT that the shop signed for one customer of one market: HS256 or EdDSA, as its
key id fixes, at most 15 minutes long. A wrong one is a 401 whose code says what is wrong, so
that a page knows whether to fetch another token; what a signed token says is only looked at
after its signature. Nothing of a token is ever logged or repeated.

A page asks many times with one token, so what was verified is kept: by hash, up to the
token's end, and bounded in bytes. What was refused is not kept: a stranger must not fill
the memory.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import jwt
from jwt.algorithms import get_default_algorithms

from pricing_proxy.clock import Clock
from pricing_proxy.configuration.storefront import Storefront
from pricing_proxy.problem_details import Problem, ProblemError
from pricing_proxy.web import problems
from pricing_proxy.web.kept_by_digest import KeptByDigest
from pricing_proxy.web.schemas import LONGEST_ACCOUNT, MAX_SHOP_ID

LONGEST_LIFE_SECONDS = 15 * 60
# A `sub` with this before it is the shop's own customer id; any other is the ERP account.
SHOP_ID_PREFIX = "magento_id:"
# The shop's clock may run ahead of ours by so much.
_LEEWAY_SECONDS = 30
# Far above what a shop needs in it; longer ones would only cost time.
_LONGEST_TOKEN = 4096
# What is kept of a token; its market is configured and its account short. Measured, rounded up.
_SHOPPER_BYTES = 250
# Some 15,000 customers, more than one process serves within a token's life.
_MOST_KEPT_BYTES = 8 * 1024 * 1024
_CLAIMS = ("iss", "aud", "sub", "market", "iat", "exp")
_SUBJECT = f"The claim sub is an ERP account, or {SHOP_ID_PREFIX}NUMBER."
_INSTANT = "The claims iat, nbf and exp are whole seconds of Unix time."
_NO_ACCOUNT = f"Here the claim sub is {SHOP_ID_PREFIX}NUMBER; accounts are not taken."
# Deeply nested JSON is no way to break the service either.
_UNREADABLE = (jwt.InvalidTokenError, RecursionError)
_WRONG: Mapping[type[Exception], Problem] = {
    jwt.InvalidSignatureError: problems.BAD_TOKEN_SIGNATURE,
    jwt.MissingRequiredClaimError: problems.MISSING_TOKEN_CLAIM,
    jwt.InvalidAudienceError: problems.WRONG_TOKEN_AUDIENCE,
    jwt.InvalidIssuerError: problems.WRONG_TOKEN_ISSUER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shopper:
    """Whose prices a token opens.

    Attributes:
        market: Code of the market that the token names.
        account: The ERP account, None when the token names a shop id.
        shop_id: The shop's customer id, None when the token names an account.
        expires_at: When the token ends (Unix time).
    """

    market: str
    account: str | None
    shop_id: int | None
    expires_at: int


class StorefrontTokens:
    """Verifies tokens.

    Args:
        storefront: Keys, issuer and audience; None takes no token at all.
        markets: Codes of the markets there are.
        clock: Time.
    """

    def __init__(
        self, storefront: Storefront | None, *, markets: Collection[str], clock: Clock
    ) -> None:
        self._markets = markets
        self._clock = clock
        self._kept: KeptByDigest[Shopper] = KeptByDigest(most_bytes=_MOST_KEPT_BYTES)
        self._storefront = storefront
        self._keys = _prepared(storefront)

    def replace(self, storefront: Storefront | None) -> None:
        """Take other keys from now on; tokens of a key that is gone open nothing any more."""
        self._storefront = storefront
        self._keys = _prepared(storefront)
        self._kept.clear()

    def verify(self, token: str) -> Shopper:
        """Return whose token it is; raises a 401 `ProblemError`."""
        if len(token) > _LONGEST_TOKEN or not token.isascii():
            raise ProblemError(problems.MALFORMED_TOKEN)
        now = self._clock.utc().timestamp()
        shopper = self._kept.get(token)
        if shopper is None:
            shopper = _shopper(self._claims(token), now)
            if shopper.account is not None and not self._takes_accounts:
                raise ProblemError(problems.WRONG_TOKEN_CLAIM, _NO_ACCOUNT)
            if shopper.market not in self._markets:
                raise ProblemError(problems.UNKNOWN_TOKEN_MARKET)
            self._kept.keep(token, shopper, cost_bytes=_SHOPPER_BYTES)
        if now >= shopper.expires_at:
            self._kept.forget(token)
            raise ProblemError(problems.TOKEN_EXPIRED)
        return shopper

    @property
    def _takes_accounts(self) -> bool:
        return self._storefront is not None and self._storefront.takes_accounts

    def _claims(self, token: str) -> dict[str, Any]:
        """Return the claims of a token that one of our keys signed, for us."""
        try:
            header = jwt.get_unverified_header(token)
        except _UNREADABLE:
            raise ProblemError(problems.MALFORMED_TOKEN) from None
        kid = header.get("kid")
        key = self._keys.get(kid) if isinstance(kid, str) else None
        if self._storefront is None or key is None:
            raise ProblemError(problems.UNKNOWN_TOKEN_KEY)
        if header.get("alg") != key.algorithm:
            raise ProblemError(problems.WRONG_TOKEN_ALGORITHM)
        return _decoded(token, key, self._storefront)


class _Key(NamedTuple):
    """A key id's algorithm, and what signatures are checked with."""

    algorithm: str
    material: Any


def _prepared(storefront: Storefront | None) -> dict[str, _Key]:
    """Return the keys, read from their texts once: that takes longer than a signature."""
    if storefront is None:
        return {}
    algorithms = get_default_algorithms()
    return {
        kid: _Key(key.algorithm, algorithms[key.algorithm].prepare_key(key.material))
        for kid, key in storefront.keys.items()
    }


def _decoded(token: str, key: _Key, storefront: Storefront) -> dict[str, Any]:
    # Times are checked with our own clock afterwards.
    options: Any = {
        "require": list(_CLAIMS),
        "verify_exp": False,
        "verify_iat": False,
        "verify_nbf": False,
        "verify_sub": False,
    }
    try:
        return jwt.decode(
            token,
            key.material,
            algorithms=[key.algorithm],
            audience=storefront.audience,
            issuer=storefront.issuer,
            options=options,
        )
    except _UNREADABLE as error:
        raise ProblemError(_WRONG.get(type(error), problems.MALFORMED_TOKEN)) from None


def _shopper(claims: dict[str, Any], now: float) -> Shopper:
    began, ends = _instant(claims["iat"]), _instant(claims["exp"])
    if ends - began > LONGEST_LIFE_SECONDS:
        raise ProblemError(problems.TOKEN_TOO_LONG)
    if max(began, _instant(claims.get("nbf", began))) > now + _LEEWAY_SECONDS:
        raise ProblemError(problems.TOKEN_NOT_YET_VALID)
    market = claims["market"]
    if not isinstance(market, str):
        raise ProblemError(problems.WRONG_TOKEN_CLAIM, "The claim market is text.")
    account, shop_id = _customer(claims["sub"])
    return Shopper(market=market, account=account, shop_id=shop_id, expires_at=ends)


def _instant(claim: Any) -> int:
    if isinstance(claim, bool) or not isinstance(claim, int):
        raise ProblemError(
            problems.WRONG_TOKEN_CLAIM,
            _INSTANT,
        )
    return claim


def _customer(subject: Any) -> tuple[str | None, int | None]:
    """Return the account or the shop id that a `sub` names."""
    if not isinstance(subject, str):
        raise ProblemError(problems.WRONG_TOKEN_CLAIM, _SUBJECT)
    number = subject.removeprefix(SHOP_ID_PREFIX)
    if number == subject:
        if not 0 < len(subject) <= LONGEST_ACCOUNT or not subject.isprintable():
            raise ProblemError(problems.WRONG_TOKEN_CLAIM, _SUBJECT)
        return subject, None
    is_number = number.isascii() and number.isdigit() and len(number) <= len(str(MAX_SHOP_ID))
    if not is_number or not 0 < int(number) <= MAX_SHOP_ID:
        raise ProblemError(problems.WRONG_TOKEN_CLAIM, _SUBJECT)
    return None, int(number)
