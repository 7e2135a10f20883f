"""Every problem that a caller can meet, by name: status, code, and what to do about it.

Raised by these names all over `web`, and nowhere by number. `routes` says which route answers
which, and the OpenAPI document is made of both.
"""

from pricing_proxy.listening.problems import (
    BODY_TOO_LARGE,
    BODY_TOO_SLOW,
    INVALID_JSON,
    INVALID_VALUE,
    NO_SUCH_ROUTE,
    UNKNOWN_HOST,
    UNREAD,
    UNREADABLE_BODY,
    UNSUPPORTED_MEDIA_TYPE,
)
from pricing_proxy.problem_details import Problem

# These are answers, not mistakes: the shop has to know each line that it cannot sell. A request
# has 200 lines at most.
_EVERY_LINE = 200
_CORRECT = "Correct the members named in errors."
_KEY_CHALLENGE = {"WWW-Authenticate": "X-API-Key"}
_TOKEN_CHALLENGE = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
# Redis' own breaker tries again each second at first.
_SOON = {"Retry-After": "2"}

MISSING_KEY = Problem(401, "missing_key", "Send your key as X-API-Key.", headers=_KEY_CHALLENGE)
UNKNOWN_KEY = Problem(401, "unknown_key", "This key is not known.", headers=_KEY_CHALLENGE)
REVOKED_KEY = Problem(401, "revoked_key", "This key was revoked.", headers=_KEY_CHALLENGE)
MISSING_SCOPE = Problem(403, "missing_scope", "This key lacks the scope that the route asks for.")
ACCESS = (MISSING_KEY, UNKNOWN_KEY, REVOKED_KEY, MISSING_SCOPE)


def _token(code: str, detail: str) -> Problem:
    return Problem(401, code, detail, headers=_TOKEN_CHALLENGE)


MALFORMED_TOKEN = _token("malformed_token", "This is no token.")
UNKNOWN_TOKEN_KEY = _token("unknown_token_key", "No key of this id is configured.")
WRONG_TOKEN_ALGORITHM = _token(
    "wrong_token_algorithm", "This key id is bound to another algorithm."
)
BAD_TOKEN_SIGNATURE = _token("bad_token_signature", "The signature does not fit the key.")
MISSING_TOKEN_CLAIM = _token(
    "missing_token_claim", "A token has the claims iss, aud, sub, market, iat and exp."
)
WRONG_TOKEN_AUDIENCE = _token("wrong_token_audience", "This token is meant for another service.")
WRONG_TOKEN_ISSUER = _token("wrong_token_issuer", "This token comes from somebody else.")
WRONG_TOKEN_CLAIM = _token("wrong_token_claim", "A claim is not of the form that is agreed.")
UNKNOWN_TOKEN_MARKET = _token("unknown_token_market", "This token names a market that is not here.")
TOKEN_TOO_LONG = _token("token_too_long", "A token lives 15 minutes at most.")
TOKEN_NOT_YET_VALID = _token(
    "token_not_yet_valid", "This token begins in the future; compare the clocks."
)
TOKEN_EXPIRED = _token("token_expired", "This token has ended; fetch another.")
# Where no token is taken one may be sent all the same, and is verified first.
TOKEN = (
    MALFORMED_TOKEN,
    UNKNOWN_TOKEN_KEY,
    WRONG_TOKEN_ALGORITHM,
    BAD_TOKEN_SIGNATURE,
    MISSING_TOKEN_CLAIM,
    WRONG_TOKEN_AUDIENCE,
    WRONG_TOKEN_ISSUER,
    WRONG_TOKEN_CLAIM,
    UNKNOWN_TOKEN_MARKET,
    TOKEN_TOO_LONG,
    TOKEN_NOT_YET_VALID,
    TOKEN_EXPIRED,
)
TOKEN_NOT_ENOUGH = Problem(
    403, "token_not_enough", "A storefront token opens nothing but /v1/prices."
)

MODE_NOT_ALLOWED = Problem(403, "mode_not_allowed", "A token opens browse and cart only.", "/mode")
OTHER_MARKET = Problem(403, "other_market", "The token is for another market.", "/market")
OTHER_CUSTOMER = Problem(
    403,
    "other_customer",
    "The token is for another customer; name none, or the one in its sub.",
    "/customer",
)
SHOPPER = (MODE_NOT_ALLOWED, OTHER_MARKET, OTHER_CUSTOMER)
ORIGIN_NOT_ALLOWED = Problem(
    403,
    "origin_not_allowed",
    "No market lists this origin under storefront_origins.",
    headers={"Vary": "Origin"},
)

UNKNOWN_MEMBER = Problem(400, "unknown_member", _CORRECT, "/foo")
MISSING_MEMBER = Problem(422, "missing_member", _CORRECT, "/market")
INVALID_REQUEST = Problem(400, "invalid_request", _CORRECT, "/foo")
UNFIT_REQUEST = Problem(422, "invalid_request", _CORRECT, "/lines/0/quantity")
VALUES = (UNKNOWN_MEMBER, MISSING_MEMBER, INVALID_VALUE, INVALID_REQUEST, UNFIT_REQUEST)
UNSUPPORTED_ENCODING = Problem(
    415,
    "unsupported_encoding",
    "Send the body uncompressed.",
    headers={"Accept-Encoding": "identity"},
)
BODY = (
    INVALID_JSON,
    UNREADABLE_BODY,
    BODY_TOO_SLOW,
    BODY_TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    UNSUPPORTED_ENCODING,
    *VALUES,
)

UNKNOWN_MARKET = Problem(
    400, "unknown_market", "There is no such market; use a listed one.", "/market"
)
UNKNOWN_CUSTOMER = Problem(
    404, "unknown_customer", "The ERP has no such customer in this market's company.", "/customer"
)
# Not every route has every mode: which ones it takes is in the error's own detail.
UNKNOWN_MODE = Problem(400, "unknown_mode", "Use a mode that this route takes.", "/mode")
UNKNOWN_CURRENCY = Problem(
    400, "unknown_currency", "The market does not sell in this currency.", "/currency"
)
CUSTOMER_NOT_MAPPED = Problem(
    404,
    "customer_not_mapped",
    "No ERP account is mapped to this shop customer yet.",
    "/customer/magento_id",
)
CUSTOMER_MAP_UNAVAILABLE = Problem(
    503,
    "customer_map_unavailable",
    "The map of shop customers cannot be read; send the ERP account, or ask again.",
    headers=_SOON,
)
NOT_POSITIVE = Problem(422, "not_positive", "A quantity is above zero.", "/lines/0/quantity")
ASKING = (
    UNKNOWN_MARKET,
    UNKNOWN_CUSTOMER,
    UNKNOWN_MODE,
    UNKNOWN_CURRENCY,
    CUSTOMER_NOT_MAPPED,
    CUSTOMER_MAP_UNAVAILABLE,
    NOT_POSITIVE,
)
NO_PRICE = Problem(
    422,
    "no_price",
    "Remove the lines named in errors; repeating is pointless.",
    "/lines/0/sku",
    most_flaws=_EVERY_LINE,
)
PRICE_NOT_CURRENT = Problem(
    503,
    "price_not_current",
    "The ERP cannot confirm every price right now; try again after Retry-After.",
    "/lines/0",
    headers=_SOON,
    shape="CheckoutRefusal",
    most_flaws=_EVERY_LINE,
)
PRICES = (*ASKING, NO_PRICE, PRICE_NOT_CURRENT)

UNKNOWN_NAME = Problem(
    404,
    "unknown_name",
    "The ERP, asked again, has no such name in this market's company: nothing was invalidated.",
    "/scope/sku",
)
TOO_OFTEN = Problem(
    429,
    "too_often",
    "Everything may be invalidated hard once a minute at most.",
    headers=_SOON,
)
LEDGER_UNAVAILABLE = Problem(
    503,
    "ledger_unavailable",
    "Redis did not confirm the invalidation: this process obeys it, others may not. Send it again.",
    headers=_SOON,
)
UNKNOWN_BREAKER = Problem(404, "unknown_breaker", "There is no such breaker; see /status.")
UNKNOWN_GATE = Problem(404, "unknown_gate", "There is no such gate; see /status.")
GATE_NOT_SHARED = Problem(
    503,
    "gate_not_shared",
    "This process has opened the gate; the others hear of it when Redis is back.",
    headers=_SOON,
)
NO_SUCH_FILE = Problem(404, "no_such_file", "The documentation has no such file.")
INTERNAL_ERROR = Problem(500, "internal_error", "The service broke; this is logged.")
METHOD_NOT_ALLOWED = Problem(405, "method_not_allowed", "Use a method that Allow names.")
HTTP_ERROR = Problem(400, "http_error", "The request is not HTTP as this server reads it.")
ELSEWHERE = (NO_SUCH_ROUTE, METHOD_NOT_ALLOWED, HTTP_ERROR, UNKNOWN_HOST, *UNREAD)
"""What is answered whatever the route, or without one."""
