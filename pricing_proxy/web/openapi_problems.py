"""Every problem that a caller can meet, with what to do about it, for the OpenAPI document.

The codes are raised all over `web`; the tests find them there and hold this list to them.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pricing_proxy.problem_details import CONTENT_TYPE, Flaw, ProblemError


class KnownProblem(NamedTuple):
    """One kind of problem.

    Attributes:
        status: HTTP status.
        code: The end of `type`.
        detail: What happened and what to do.
        pointer: Where in the request, as an example.
    """

    status: int
    code: str
    detail: str
    pointer: str = ""


_INVALID = "Correct the members named in errors."

ACCESS = (
    KnownProblem(401, "missing_key", "Send your key as X-API-Key."),
    KnownProblem(401, "unknown_key", "This key is not known."),
    KnownProblem(401, "revoked_key", "This key was revoked."),
    KnownProblem(403, "missing_scope", "This key lacks the scope that the route asks for."),
)
# With `Authorization: Bearer` in place of a key.
TOKEN = (
    KnownProblem(401, "malformed_token", "This is no token."),
    KnownProblem(401, "unknown_token_key", "No key of this id is configured."),
    KnownProblem(401, "wrong_token_algorithm", "This key id is bound to another algorithm."),
    KnownProblem(401, "bad_token_signature", "The signature does not fit the key."),
    KnownProblem(401, "missing_token_claim", "A token has iss, aud, sub, market, iat and exp."),
    KnownProblem(401, "wrong_token_audience", "This token is meant for another service."),
    KnownProblem(401, "wrong_token_issuer", "This token comes from somebody else."),
    KnownProblem(401, "wrong_token_claim", "A claim is not of the form that is agreed."),
    KnownProblem(401, "unknown_token_market", "This token names a market that is not here."),
    KnownProblem(401, "token_too_long", "A token lives 15 minutes at most."),
    KnownProblem(401, "token_not_yet_valid", "This token begins in the future."),
    KnownProblem(401, "token_expired", "This token has ended; fetch another."),
)
SHOPPER = (
    *TOKEN,
    KnownProblem(403, "mode_not_allowed", "A token opens browse and cart only.", "/mode"),
    KnownProblem(403, "other_market", "The token is for another market.", "/market"),
    KnownProblem(403, "other_customer", "The token is for another customer.", "/customer"),
)
TOKEN_NOT_ENOUGH = KnownProblem(
    403, "token_not_enough", "A storefront token opens nothing but /v1/prices."
)
ORIGIN_NOT_ALLOWED = KnownProblem(
    403, "origin_not_allowed", "No market lists this origin under storefront_origins."
)
VALUES = (
    KnownProblem(400, "unknown_member", _INVALID, "/foo"),
    KnownProblem(400, "invalid_request", _INVALID, "/foo"),
    KnownProblem(422, "missing_member", _INVALID, "/market"),
    KnownProblem(422, "invalid_value", _INVALID, "/lines/0/quantity"),
    KnownProblem(422, "invalid_request", _INVALID, "/lines/0/quantity"),
)
BODY = (
    KnownProblem(400, "invalid_json", "The body is not JSON."),
    KnownProblem(400, "unreadable_body", "The body broke off or is garbled; send it again."),
    KnownProblem(408, "body_too_slow", "The body did not arrive in time; send it again."),
    KnownProblem(413, "body_too_large", "Send fewer bytes; the answer names the limit."),
    KnownProblem(415, "unsupported_media_type", "Send the body as Content-Type: application/json."),
    KnownProblem(415, "unsupported_encoding", "Send the body uncompressed."),
    *VALUES,
)
MARKET = (
    KnownProblem(400, "unknown_market", "There is no such market; use a listed one.", "/market"),
)
CUSTOMER = (
    KnownProblem(
        404, "unknown_customer", "The ERP has no such customer in this company.", "/customer"
    ),
)
ASKING = (
    KnownProblem(400, "unknown_mode", "Use browse, cart or checkout.", "/mode"),
    KnownProblem(
        400, "unknown_currency", "The market does not sell in this currency.", "/currency"
    ),
    KnownProblem(
        404,
        "customer_not_mapped",
        "No ERP account is mapped to this shop customer yet.",
        "/customer/magento_id",
    ),
    KnownProblem(422, "not_positive", "A quantity is above zero.", "/lines/0/quantity"),
    KnownProblem(
        503,
        "customer_map_unavailable",
        "The map of shop customers cannot be read; send the ERP account, or ask again.",
    ),
)
PRICES = (
    *ASKING,
    KnownProblem(
        422,
        "no_price",
        "Checkout only: remove the lines named in errors; repeating is pointless.",
        "/lines/0/sku",
    ),
)
PRICE_NOT_CURRENT = KnownProblem(
    503,
    "price_not_current",
    "Checkout only: the ERP cannot confirm every price; try again after Retry-After.",
    "/lines/0",
)
TOO_OFTEN = KnownProblem(
    429, "too_often", "Everything may be invalidated hard once a minute at most."
)
LEDGER_UNAVAILABLE = KnownProblem(
    503,
    "ledger_unavailable",
    "Redis did not confirm the invalidation; the process that was asked obeys it. Send it again.",
)
UNKNOWN_BREAKER = KnownProblem(404, "unknown_breaker", "There is no such breaker; see /status.")
UNKNOWN_GATE = KnownProblem(404, "unknown_gate", "There is no such gate; see /status.")
GATE_NOT_SHARED = KnownProblem(
    503,
    "gate_not_shared",
    "The process that was asked has opened the gate; the others hear of it from Redis.",
)
NO_SUCH_FILE = KnownProblem(404, "no_such_file", "The documentation has no such file.")
BROKEN = KnownProblem(500, "internal_error", "The service broke; this is logged.")
ELSEWHERE = (
    KnownProblem(404, "no_such_route", "There is nothing here; /openapi.json lists the routes."),
    KnownProblem(405, "method_not_allowed", "Use a method that Allow names."),
    KnownProblem(400, "http_error", "The request is not HTTP as this server reads it."),
)

KNOWN = (
    *ACCESS,
    *SHOPPER,
    TOKEN_NOT_ENOUGH,
    ORIGIN_NOT_ALLOWED,
    *BODY,
    *MARKET,
    *CUSTOMER,
    *PRICES,
    PRICE_NOT_CURRENT,
    TOO_OFTEN,
    LEDGER_UNAVAILABLE,
    UNKNOWN_BREAKER,
    UNKNOWN_GATE,
    GATE_NOT_SHARED,
    NO_SUCH_FILE,
    BROKEN,
    *ELSEWHERE,
)

_HEADERS: Mapping[int, Mapping[str, Any]] = {
    401: {"WWW-Authenticate": {"$ref": "#/components/headers/WWW-Authenticate"}},
    429: {"Retry-After": {"$ref": "#/components/headers/Retry-After"}},
    503: {"Retry-After": {"$ref": "#/components/headers/Retry-After"}},
}
_PROBLEM = {"$ref": "#/components/schemas/Problem"}


def problem_responses(problems: Iterable[KnownProblem]) -> dict[str, Any]:
    """Return the document's responses by status, each code as an example."""
    responses: dict[str, Any] = {}
    for problem in sorted(problems):
        response = responses.setdefault(str(problem.status), _response(problem.status))
        response["description"] += f"{' or ' * bool(response['description'])}`{problem.code}`"
        content = response["content"][CONTENT_TYPE]
        content["examples"][problem.code] = {"value": problem_example(problem)}
    return responses


def problem_example(problem: KnownProblem, **members: Any) -> dict[str, Any]:
    """Return the problem as it is answered, with further members."""
    flaw = Flaw(problem.pointer, problem.code, problem.detail)
    error = ProblemError(problem.status, problem.code, problem.detail, [flaw], members=members)
    return error.document()


def catalogue() -> list[dict[str, Any]]:
    """Return every problem once, for the documentation page."""
    return [
        {"status": problem.status, "code": problem.code, "detail": problem.detail}
        for problem in sorted(KNOWN)
    ]


def _response(status: int) -> dict[str, Any]:
    headers = {"headers": dict(_HEADERS[status])} if status in _HEADERS else {}
    return {
        "description": "",
        **headers,
        "content": {CONTENT_TYPE: {"schema": _PROBLEM, "examples": {}}},
    }
