"""Which tokens open prices, and every way in which one can be wrong."""

import base64
import hashlib
import hmac
import json
import logging
from datetime import timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.problem_details import ProblemError
from pricing_proxy.web.tokens import Shopper, StorefrontTokens
from tests.fakes.price_world import MARKET
from tests.virtual_time import ManualClock
from tests.web.storefront import (
    NOW,
    OWN_KID,
    PUBLIC_PEM,
    SECRET,
    SHARED_KID,
    STOREFRONT,
    claims,
    token,
)


def encoded(part: Any) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def signed_with_public_key(kid: str) -> str:
    """Return what an attacker makes of a public key: HS256 with the PEM as the secret."""
    head = encoded({"alg": "HS256", "typ": "JWT", "kid": kid})
    content = f"{head}.{encoded(claims())}"
    mac = hmac.new(PUBLIC_PEM.encode(), content.encode(), hashlib.sha256).digest()
    return f"{content}.{encoded(mac)}"


def unsigned() -> str:
    return f"{encoded({'alg': 'none', 'kid': OWN_KID})}.{encoded(claims())}."


def without(claim: str) -> dict[str, Any]:
    return {claim: None}


def tokens_at(clock: ManualClock) -> StorefrontTokens:
    return StorefrontTokens(STOREFRONT, markets={MARKET}, clock=clock)


WRONG = {
    "alg none": (unsigned(), "wrong_token_algorithm"),
    "alg none without kid": (
        f"{encoded({'alg': 'none'})}.{encoded(claims())}.",
        "unknown_token_key",
    ),
    "HS256 signed with a public key": (signed_with_public_key(OWN_KID), "wrong_token_algorithm"),
    "the same under the other kid": (signed_with_public_key(SHARED_KID), "bad_token_signature"),
    "unknown kid": (
        jwt.encode(claims(), SECRET, "HS256", headers={"kid": "old"}),
        "unknown_token_key",
    ),
    "kid that is no text": (
        f"{encoded({'alg': 'HS256', 'kid': [SHARED_KID]})}.{encoded(claims())}.",
        "malformed_token",
    ),
    "another algorithm of the family": (
        jwt.encode(claims(), SECRET * 2, "HS512", headers={"kid": SHARED_KID}),
        "wrong_token_algorithm",
    ),
    "another secret": (
        jwt.encode(claims(), SECRET + "!", "HS256", headers={"kid": SHARED_KID}),
        "bad_token_signature",
    ),
    "ended": (token(iat=NOW - 900, exp=NOW), "token_expired"),
    "another audience": (token(aud="billing"), "wrong_token_audience"),
    "another issuer": (token(iss="https://evil.example"), "wrong_token_issuer"),
    "16 minutes": (token(exp=NOW + 901), "token_too_long"),
    "from the future": (token(iat=NOW + 31, exp=NOW + 60), "token_not_yet_valid"),
    "not before later": (token(nbf=NOW + 31), "token_not_yet_valid"),
    "unknown market": (token(market="nowhere"), "unknown_token_market"),
    "market that is no text": (token(market=["b2b_de"]), "wrong_token_claim"),
    "times that are text": (token(iat=str(NOW), exp=str(NOW + 60)), "wrong_token_claim"),
    "times that are truths": (token(iat=True), "wrong_token_claim"),
    "subject that is a number": (token(sub=42), "wrong_token_claim"),
    "empty subject": (token(""), "wrong_token_claim"),
    "long subject": (token("C" * 33), "wrong_token_claim"),
    "subject with a line break": (token("C-1\r\nX: y"), "wrong_token_claim"),
    "shop id of nobody": (token("magento_id:0"), "wrong_token_claim"),
    "shop id that is none": (token("magento_id:1e3"), "wrong_token_claim"),
    "shop id without end": (token(f"magento_id:{'9' * 30}"), "wrong_token_claim"),
    "nothing": ("", "malformed_token"),
    "no token": ("one~.two~", "malformed_token"),
    "letters of elsewhere": ("ä.ö.ü", "malformed_token"),
    "too long": ("a" * 5000, "malformed_token"),
    "nested without end": (f"{encoded(b'[' * 2500)}.e30.e30", "malformed_token"),
    "head that is no object": (f"{encoded([1])}.{encoded(claims())}.", "malformed_token"),
    "claims that are no object": (
        jwt.PyJWS().encode(b"[1]", SECRET, "HS256", headers={"kid": SHARED_KID}),
        "malformed_token",
    ),
} | {
    f"without {name}": (token("C-1", kid=OWN_KID, **without(name)), "missing_token_claim")
    for name in ("iss", "aud", "sub", "market", "iat", "exp")
}


@pytest.mark.parametrize("why", WRONG)
def test_a_wrong_token_opens_nothing_and_says_why(
    why: str, caplog: pytest.LogCaptureFixture
) -> None:
    text, code = WRONG[why]
    caplog.set_level(logging.DEBUG)

    with pytest.raises(ProblemError) as caught:
        tokens_at(ManualClock()).verify(text)

    assert (caught.value.problem.status, caught.value.problem.code) == (401, code)
    assert caught.value.headers["WWW-Authenticate"].startswith("Bearer")
    assert caplog.records == []
    assert all(part not in str(caught.value.document()) for part in text.split(".") if part)


@pytest.mark.parametrize("kid", [SHARED_KID, OWN_KID])
def test_a_token_opens_the_prices_of_its_customer(kid: str) -> None:
    shopper = tokens_at(ManualClock()).verify(token("C-1", kid=kid, nbf=NOW))

    assert shopper == Shopper(market=MARKET, account="C-1", shop_id=None, expires_at=NOW + 900)


def test_a_token_may_name_the_shop_s_own_id() -> None:
    shopper = tokens_at(ManualClock()).verify(token("magento_id:42"))

    assert (shopper.account, shopper.shop_id) == (None, 42)


def test_a_token_that_was_verified_ends_with_its_time() -> None:
    """What is kept for speed must not outlive the token."""
    clock = ManualClock()
    tokens, text = tokens_at(clock), token(exp=NOW + 60)
    tokens.verify(text)
    clock.advance(timedelta(seconds=59))
    tokens.verify(text)

    clock.advance(timedelta(seconds=1))
    for _ in range(2):
        with pytest.raises(ProblemError, match="token_expired"):
            tokens.verify(text)


def test_what_is_kept_of_tokens_holds_no_token_and_nothing_of_a_wrong_one() -> None:
    tokens = tokens_at(ManualClock())
    text = token(kid=SHARED_KID)
    for wrong in (f"{text[:-4]}AAAA", text + "x" * 4000, "x" * 8000):
        with pytest.raises(ProblemError):
            tokens.verify(wrong)
    assert len(tokens._kept) == 0

    tokens.verify(text)
    tokens.verify(text)

    [digest] = tokens._kept._kept
    assert len(digest) == 16
    assert tokens._kept.used_bytes < 1000


def test_without_keys_no_token_is_known() -> None:
    with pytest.raises(ProblemError, match="unknown_token_key"):
        StorefrontTokens(None, markets={MARKET}, clock=ManualClock()).verify(token())


def test_tokens_of_a_key_that_was_taken_away_open_nothing_at_once() -> None:
    tokens = tokens_at(ManualClock())
    own, shared = token(), token(kid=SHARED_KID)
    tokens.verify(own)
    tokens.verify(shared)

    left = {SHARED_KID: STOREFRONT.keys[SHARED_KID]}
    tokens.replace(STOREFRONT.model_copy(update={"keys": left}))

    tokens.verify(shared)
    with pytest.raises(ProblemError, match="unknown_token_key"):
        tokens.verify(own)


RIGHT = token(kid=SHARED_KID)


@given(
    place=st.integers(0, len(RIGHT) - 1),
    letter=st.sampled_from("ABCDwxyz0189-_."),
)
def test_a_token_with_another_letter_is_another_token(place: int, letter: str) -> None:
    changed = RIGHT[:place] + letter + RIGHT[place + 1 :]
    last = changed.rpartition(".")[2]
    is_same = changed == RIGHT or (
        changed.rpartition(".")[0] == RIGHT.rpartition(".")[0]
        and base64.urlsafe_b64decode(last + "=") == _signature_of(RIGHT)
    )
    if is_same:
        return

    with pytest.raises(ProblemError):
        tokens_at(ManualClock()).verify(changed)


def _signature_of(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.rpartition(".")[2] + "=")


@given(st.text(max_size=200))
def test_whatever_is_sent_as_a_token_is_a_401(text: str) -> None:
    with pytest.raises(ProblemError) as caught:
        tokens_at(ManualClock()).verify(text)

    assert caught.value.problem.status == 401


def test_where_customers_write_their_account_only_the_shops_own_id_opens_prices() -> None:
    """Magento lets a customer write the attribute that holds the account; its id it does not."""
    clock = ManualClock()
    storefront = STOREFRONT.model_copy(update={"takes_accounts": False})
    tokens = StorefrontTokens(storefront, markets={MARKET}, clock=clock)

    with pytest.raises(ProblemError) as caught:
        tokens.verify(token("C-1001"))

    assert (caught.value.problem.status, caught.value.problem.code) == (401, "wrong_token_claim")
    assert tokens.verify(token("magento_id:42")).shop_id == 42
