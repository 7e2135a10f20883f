"""Check OAuth signatures as Magento's server does, step by step as it does.

Written from the description of the server's code and shared with nothing: the client's
signing is another text, so that a mistake in one is not agreed with by the other.
The order of the checks is the server's too: a nonce is burnt before the signature is
looked at.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cmp_to_key, lru_cache
from urllib.parse import unquote, unquote_to_bytes

from pricing_proxy.sandbox.shop.wire import RefusedError, required

_KEY_LENGTH = 32
_MOST_AHEAD_SECONDS = 600
_ALL = "Magento_Backend::all"
_FIELD = re.compile(r'\s*([^=\s]+)\s*=\s*"([^"]*)"\s*')
_NEEDED = (
    "oauth_consumer_key",
    "oauth_signature",
    "oauth_signature_method",
    "oauth_nonce",
    "oauth_timestamp",
    "oauth_token",
)
_KEPT_RAW = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~:@&=+$,/;%"
_URL_ENCODED_RAW = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
_HEX = b"0123456789ABCDEFabcdef"


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """An active integration: its four texts, and what it may do (prefixes of resources)."""

    consumer_id: int
    consumer_key: str
    consumer_secret: str
    token: str
    token_secret: str
    resources: tuple[str, ...] = (_ALL,)

    def may(self, resource: str) -> bool:
        """Say whether it may use a route of this access resource."""
        return any(one == _ALL or resource.startswith(one) for one in self.resources)


INTEGRATIONS = (
    Integration(
        consumer_id=1,
        consumer_key="demoshopconsumerkey0000000000000",
        consumer_secret="demoshopconsumersecret0000000000",  # noqa: S106 - opens the sandbox only
        token="demoshopaccesstoken0000000000000",  # noqa: S106 - as above
        token_secret="demoshoptokensecret0000000000000",  # noqa: S106 - as above
    ),
    # May read and write sales only, as an integration that somebody forgot to extend.
    Integration(
        consumer_id=2,
        consumer_key="salesonlyconsumerkey000000000000",
        consumer_secret="salesonlyconsumersecret000000000",  # noqa: S106 - as above
        token="salesonlyaccesstoken000000000000",  # noqa: S106 - as above
        token_secret="salesonlytokensecret000000000000",  # noqa: S106 - as above
        resources=("Magento_Sales::",),
    ),
)


class Doorman:
    """Knows the integrations and every nonce that was ever used."""

    def __init__(
        self, *, now: Callable[[], int], integrations: tuple[Integration, ...] = INTEGRATIONS
    ) -> None:
        """Begin with no nonce used; `now` is the server's clock in seconds since 1970."""
        self._now = now
        self._by_key = {one.consumer_key: one for one in integrations}
        self._nonces: set[tuple[int, str]] = set()

    def admit(self, header: str, *, method: str, url: str, is_revoked: bool) -> Integration | None:
        """Return who asks, None for an anonymous request.

        Args:
            header: The `Authorization` header.
            method: Of the request.
            url: As the web server saw it, undecoded.
            is_revoked: Whether every token has been taken back.

        Raises:
            RefusedError: As the recordings say.
        """
        if not header.lower().startswith("oauth "):
            return None
        given = dict(_fields(header[6:]))
        for name in _NEEDED:
            if not given.get(name):
                raise required(name)
        integration = self._by_key.get(given["oauth_consumer_key"])
        if integration is None:
            raise RefusedError(401, "A consumer having the specified key does not exist")
        self._burn(integration, given)
        _check_token(integration, given["oauth_token"], is_revoked=is_revoked)
        self._check_signature(integration, given, method, url)
        return integration

    def _burn(self, integration: Integration, given: Mapping[str, str]) -> None:
        stamp = given["oauth_timestamp"]
        if not stamp.isdigit() or int(stamp) > self._now() + _MOST_AHEAD_SECONDS:
            raise RefusedError(401, "An error occurred validating the nonce")
        # The column holds 32 characters and knows no case.
        nonce = (integration.consumer_id, given["oauth_nonce"][:_KEY_LENGTH].lower())
        if nonce in self._nonces:
            text = "The nonce is already being used by the consumer with ID %1"
            raise RefusedError(401, text, [str(integration.consumer_id)])
        self._nonces.add(nonce)

    def _check_signature(
        self, integration: Integration, given: Mapping[str, str], method: str, url: str
    ) -> None:
        if given["oauth_signature_method"] != "HMAC-SHA256":
            text = "Signature method %1 is not supported"
            raise RefusedError(400, text, [given["oauth_signature_method"]])
        expected = sign(integration, given, method=method, url=url)
        if not hmac.compare_digest(expected.encode(), given["oauth_signature"].encode()):
            raise RefusedError(401, "The signature is invalid. Verify and try again.")


def sign(integration: Integration, given: Mapping[str, str], *, method: str, url: str) -> str:
    """Return the signature that a request with these OAuth fields must carry."""
    address, _, query = url.partition("?")
    parameters: dict[str, bytes] = {}
    for pair in query.split("&"):
        pieces = pair.split("=")
        if len(pieces) == len(("name", "value")):
            parameters[_url_encode(unquote_to_bytes(pieces[0]))] = unquote_to_bytes(pieces[1])
    for name, value in given.items():
        if name not in ("oauth_signature", "realm"):
            parameters[_url_encode(name.encode())] = value.encode()
    ordered = _in_order(tuple(parameters))
    joined = "&".join(f"{name}={_url_encode(parameters[name])}" for name in ordered)
    text = "&".join((method, _url_encode(_normal_address(address)), _url_encode(joined.encode())))
    secrets = (integration.consumer_secret.encode(), integration.token_secret.encode())
    key = "&".join(map(_url_encode, secrets))
    digest = hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def _fields(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split(","):
        found = _FIELD.fullmatch(part)
        if found is not None:
            yield found[1], unquote(found[2])


def _check_token(integration: Integration, token: str, *, is_revoked: bool) -> None:
    if len(token) != _KEY_LENGTH:
        raise RefusedError(400, "The token length is invalid. Check the length and try again.")
    if token != integration.token:
        raise RefusedError(401, "Specified token does not exist")
    if is_revoked:
        raise RefusedError(401, "Access token has been revoked")


def _normal_address(address: str) -> bytes:
    """Decode once what need not be escaped in a path, then escape what must be."""
    start = address.find("/", address.find("//") + 2)
    head, path = (address, "") if start < 0 else (address[:start], address[start:])
    return head.encode() + b"".join(_escape_again(list(_unescape(path.encode()))))


def _unescape(path: bytes) -> Iterator[bytes]:
    """Yield single bytes, or escapes of three that stay as they are."""
    at = 0
    while at < len(path):
        pair = path[at + 1 : at + 3]
        is_escape = path[at] == ord("%") and len(pair) == len("XX") and not pair.strip(_HEX)
        if not is_escape:
            yield path[at : at + 1]
            at += 1
            continue
        byte = bytes([int(pair, 16)])
        yield byte if byte in _KEPT_RAW else b"%" + pair.upper()
        at += 3


def _escape_again(pieces: list[bytes]) -> Iterator[bytes]:
    whole = b"".join(pieces)
    at = 0
    for piece in pieces:
        following = whole[at + 1 : at + 3]
        is_bare = piece == b"%" and (len(following) < len("XX") or bool(following.strip(_HEX)))
        is_plain = len(piece) > 1 or piece in _KEPT_RAW or piece in b"()"
        yield b"%%%02X" % piece[0] if is_bare or not is_plain else piece
        at += len(piece)


@lru_cache(maxsize=4096)
def _url_encode(raw: bytes) -> str:
    return "".join(chr(byte) if byte in _URL_ENCODED_RAW else f"%{byte:02X}" for byte in raw)


@lru_cache(maxsize=1024)
def _in_order(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(names, key=cmp_to_key(_php_natural)))


def _php_natural(one: str, other: str) -> int:
    """Walk through both texts as strnatcmp does."""
    i, j = _skip_zeros(one), _skip_zeros(other)
    while i < len(one) and j < len(other):
        if one[i].isdigit() and other[j].isdigit():
            compare = _as_fraction if "0" in (one[i], other[j]) else _as_number
            verdict, i, j = compare(one, i, other, j)
        else:
            verdict = (one[i] > other[j]) - (one[i] < other[j])
            i, j = i + 1, j + 1
        if verdict:
            return verdict
    return (i < len(one)) - (j < len(other))


def _skip_zeros(text: str) -> int:
    at = 0
    while text[at : at + 1] == "0" and text[at + 1 : at + 2].isdigit():
        at += 1
    return at


def _as_number(one: str, i: int, other: str, j: int) -> tuple[int, int, int]:
    """The longer run is the greater number; of equally long ones the first difference counts."""
    bias = 0
    while True:
        left, right = one[i : i + 1].isdigit(), other[j : j + 1].isdigit()
        if not left or not right:
            return (left - right) or bias, i, j
        bias = bias or (one[i] > other[j]) - (one[i] < other[j])
        i, j = i + 1, j + 1


def _as_fraction(one: str, i: int, other: str, j: int) -> tuple[int, int, int]:
    """As digits behind a decimal point: the first difference counts."""
    while True:
        left, right = one[i : i + 1].isdigit(), other[j : j + 1].isdigit()
        if not left or not right:
            return left - right, i, j
        if one[i] != other[j]:
            return (1 if one[i] > other[j] else -1), i, j
        i, j = i + 1, j + 1
