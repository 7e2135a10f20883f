"""Problems that any listener of ours may answer, whatever is behind it."""

from pricing_proxy.problem_details import Problem

_CLOSE = {"Connection": "close"}

UNREADABLE_REQUEST = Problem(
    400,
    "unreadable_request",
    "The request is no HTTP/1.1, or one of its lines is too long.",
    headers=_CLOSE,
)
UNREADABLE_BODY = Problem(
    400,
    "unreadable_body",
    "The body broke off or is garbled; send it again.",
    headers=_CLOSE,
)
INVALID_JSON = Problem(400, "invalid_json", "The body is not JSON.")
NO_SUCH_ROUTE = Problem(
    404, "no_such_route", "There is nothing here; /openapi.json lists the routes."
)
BODY_TOO_SLOW = Problem(
    408,
    "body_too_slow",
    "The body did not arrive in time; send it again.",
    headers=_CLOSE,
)
HEAD_TOO_SLOW = Problem(408, "head_too_slow", "The request did not arrive in time.", headers=_CLOSE)
BODY_TOO_LARGE = Problem(413, "body_too_large", "Send fewer bytes; the answer names the limit.")
UNSUPPORTED_MEDIA_TYPE = Problem(
    415, "unsupported_media_type", "Send the body as Content-Type: application/json."
)
UNKNOWN_EXPECTATION = Problem(417, "unknown_expectation", "Expect nothing, or 100-continue.")
UNKNOWN_HOST = Problem(
    421,
    "unknown_host",
    "Call this listener as localhost, by its IP address, or by a configured name.",
)
INVALID_VALUE = Problem(
    422, "invalid_value", "Correct the members named in errors.", "/lines/0/quantity"
)
HEAD_TOO_LONG = Problem(431, "head_too_long", "The head has too many bytes.", headers=_CLOSE)

UNREAD = (UNREADABLE_REQUEST, HEAD_TOO_SLOW, UNKNOWN_EXPECTATION, HEAD_TOO_LONG)
"""Answers to what never becomes a request."""
