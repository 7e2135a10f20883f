"""Sign requests to Magento by the server's own rules, which are not RFC 5849's.

Magento computes the signature over a URL that it has decoded and encoded again, over
the query pairs it understands, and in PHP's natural order. A stock OAuth client gets a
401 for a SKU with a slash, a plus for a space, or a tenth filter. The recorded vectors
in tests/data/magento prove these rules. Bodies are not signed. Pure; raises nothing.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cmp_to_key, lru_cache
from itertools import takewhile
from urllib.parse import quote, unquote_to_bytes

SIGNATURE_METHOD = "HMAC-SHA256"

_UNRESERVED = "-_.~"
# What the server decodes when it stands as %XX in a path, and leaves alone when it stands raw.
_PATH_DECODED = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~:@&=+$,/;%"
)
_PATH_SAFE = _PATH_DECODED | frozenset(b"()")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_UNSAFE = re.compile(
    b"%(?![0-9A-Fa-f]{2})|["
    + b"".join(re.escape(bytes([code])) for code in range(256) if code not in _PATH_SAFE)
    + b"]"
)
_DIGITS = frozenset("0123456789")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The four texts of an active integration; they do not expire."""

    consumer_key: str
    consumer_secret: str = field(repr=False)
    token: str
    token_secret: str = field(repr=False)


def authorization(
    credentials: Credentials, *, method: str, url: str, nonce: str, timestamp: int
) -> str:
    """Return the `Authorization` header of one attempt.

    Args:
        credentials: Who asks.
        method: The HTTP method in capitals.
        url: Scheme, host, port unless it is the scheme's own, path and query, exactly as the
            web server passes them on; percent-encoded as sent.
        nonce: Never used before, at most 32 characters, case ignored. The server keeps it even
            when the signature is wrong, so each attempt needs a new one.
        timestamp: Seconds since 1970, at most 600 ahead of the server's clock.
    """
    fields = _oauth_fields(credentials, nonce=nonce, timestamp=timestamp)
    base = signature_base(method=method, url=url, fields=fields)
    key = f"{_encode(credentials.consumer_secret)}&{_encode(credentials.token_secret)}"
    digest = hmac.digest(key.encode(), base.encode(), hashlib.sha256)
    signed = {**fields, "oauth_signature": base64.b64encode(digest).decode()}
    return "OAuth " + ", ".join(f'{name}="{_encode(value)}"' for name, value in signed.items())


def signature_base(*, method: str, url: str, fields: Mapping[str, str]) -> str:
    """Return the text that is signed; `fields` are the OAuth fields without the signature."""
    address, _, query = url.partition("?")
    scheme, _, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    seen = f"{scheme}://{host}{_path_as_signed(slash + path)}"
    pairs = _query_pairs(query) | {_name(name): _encode(text) for name, text in fields.items()}
    parameters = "&".join(f"{name}={pairs[name]}" for name in _in_order(tuple(pairs)))
    return f"{method}&{_encode(seen)}&{_encode(parameters)}"


@lru_cache(maxsize=1024)
def _in_order(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names in the order of signing; calls of one kind have the same ones again."""
    return tuple(sorted(names, key=cmp_to_key(natural_order)))


def natural_order(left: str, right: str) -> int:
    """Compare as PHP's `strnatcmp`: runs of digits by their number, so that [2] comes before [10].

    Runs are numbers unless one of them begins with 0; then they are compared digit by digit,
    as after a decimal point. Zeros before the first number of a text do not count.
    """
    left, right = _without_leading_zeros(left), _without_leading_zeros(right)
    at = 0
    while at < len(left) and at < len(right):
        order, step = _order_at(left, right, at)
        if order:
            return order
        at += step
    return _sign(len(left) - len(right))


def _oauth_fields(credentials: Credentials, *, nonce: str, timestamp: int) -> dict[str, str]:
    return {
        "oauth_consumer_key": credentials.consumer_key,
        "oauth_nonce": nonce,
        "oauth_signature_method": SIGNATURE_METHOD,
        "oauth_timestamp": str(timestamp),
        "oauth_token": credentials.token,
        "oauth_version": "1.0",
    }


def _encode(text: str | bytes) -> str:
    return quote(text, safe=_UNRESERVED)


@lru_cache(maxsize=1024)
def _name(encoded: str) -> str:
    return _encode(unquote_to_bytes(encoded))


def _path_as_signed(path: str) -> str:
    decoded = _ESCAPE.sub(_decoded, path.encode())
    return _UNSAFE.sub(lambda found: _escaped(found[0]), decoded).decode()


def _decoded(found: re.Match[bytes]) -> bytes:
    code = int(found[1], 16)
    return bytes([code]) if code in _PATH_DECODED else found[0].upper()


def _escaped(unsafe: bytes) -> bytes:
    return b"%%%02X" % unsafe[0]


def _query_pairs(query: str) -> dict[str, str]:
    """Return encoded names and values; a pair without exactly one "=" is not signed at all."""
    halves = (pair.split("=") for pair in query.split("&"))
    return {
        _name(pair[0]): _encode(unquote_to_bytes(pair[1]))
        for pair in halves
        if len(pair) == 2  # noqa: PLR2004 - a name and a value
    }


def _without_leading_zeros(text: str) -> str:
    zeros = len(text) - len(text.lstrip("0"))
    # A zero that no digit follows is the number itself.
    if zeros and text[zeros : zeros + 1] not in _DIGITS:
        zeros -= 1
    return text[zeros:]


def _order_at(left: str, right: str, at: int) -> tuple[int, int]:
    """Return the order at a position that both have, and how far to go on when it is 0."""
    if left[at] not in _DIGITS or right[at] not in _DIGITS:
        return _sign(ord(left[at]) - ord(right[at])), 1
    left_run, right_run = _run(left, at), _run(right, at)
    if "0" not in (left[at], right[at]) and len(left_run) != len(right_run):
        return _sign(len(left_run) - len(right_run)), 1
    return (left_run > right_run) - (left_run < right_run), len(left_run)


def _run(text: str, at: int) -> str:
    return "".join(takewhile(_DIGITS.__contains__, text[at:]))


def _sign(difference: int) -> int:
    return (difference > 0) - (difference < 0)
