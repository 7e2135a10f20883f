"""Tell a signed webhook from any other request.

    X-Timestamp: 1795417018                seconds since 1970, at most 300 s from now
    X-Event-Id: 4b4f…                      1 to 64 letters, digits or hyphens; used once
    X-Signature: sha256=<hex HMAC-SHA256 of "timestamp.id.body" with the shared secret>

Several secrets may be valid at once, so that one can be replaced without losing a hint.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

TIMESTAMP, EVENT_ID, SIGNATURE = "X-Timestamp", "X-Event-Id", "X-Signature"
# Clocks of shops drift, and a request may wait in a queue for a while.
TOLERANCE = timedelta(seconds=300)

_SECONDS = re.compile(r"[0-9]{1,12}")
_IDENTITY = re.compile(r"[A-Za-z0-9-]{1,64}")
_SCHEME = "sha256="


class SignatureError(Exception):
    """The request is not from the shop, or was recorded and sent again.

    Attributes:
        header: The header at fault.
        code: Stable name of the mistake.
        detail: What is expected there.
    """

    def __init__(self, header: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.header = header
        self.code = code
        self.detail = detail


def verified_event_id(
    headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], now: datetime
) -> str:
    """Return the event id of a request that the shop signed just now.

    Raises:
        SignatureError: A header is missing or malformed, too old, or does not fit the body.
    """
    stamp = _header(headers, TIMESTAMP, _SECONDS, "seconds since 1970")
    event_id = _header(headers, EVENT_ID, _IDENTITY, "1 to 64 letters, digits or hyphens")
    given = headers.get(SIGNATURE, "")
    signed = b".".join((stamp.encode(), event_id.encode(), body))
    if not any(hmac.compare_digest(given.encode(), _sign(secret, signed)) for secret in secrets):
        raise SignatureError(
            SIGNATURE,
            "wrong_signature",
            f"Expected {_SCHEME}<hex HMAC-SHA256 of timestamp.id.body> with the shared secret.",
        )
    if abs(now.timestamp() - int(stamp)) > TOLERANCE.total_seconds():
        raise SignatureError(
            TIMESTAMP,
            "timestamp_out_of_range",
            f"Expected a time at most {TOLERANCE.total_seconds():.0f} s from now; "
            "compare the shop's clock with this machine's.",
        )
    return event_id


def _header(headers: Mapping[str, str], name: str, pattern: re.Pattern[str], expected: str) -> str:
    text = headers.get(name)
    if text is None:
        raise SignatureError(name, "missing_header", f"Expected {name}: {expected}.")
    if pattern.fullmatch(text) is None:
        raise SignatureError(name, "malformed_header", f"Expected {expected}.")
    return text


def _sign(secret: str, signed: bytes) -> bytes:
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"{_SCHEME}{digest}".encode()
