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
from typing import NamedTuple

from pricing_proxy.problem_details import ProblemError
from sync.intake import problems

TIMESTAMP, EVENT_ID, SIGNATURE = "X-Timestamp", "X-Event-Id", "X-Signature"
# Clocks of shops drift, and a request may wait in a queue for a while.
TOLERANCE = timedelta(seconds=300)

_SECONDS = re.compile(r"[0-9]{1,12}")
_IDENTITY = re.compile(r"[A-Za-z0-9-]{1,64}")
_SCHEME = "sha256="
_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}")


class Claim(NamedTuple):
    """What a request says of itself in its head, before anybody looked at its body."""

    stamp: str
    event_id: str
    signature: str

    def verify(self, body: bytes, *, secrets: Sequence[str]) -> None:
        """Raise a `ProblemError` unless the shop signed exactly this."""
        signed = b".".join((self.stamp.encode(), self.event_id.encode(), body))
        given = self.signature.encode()
        if not any(hmac.compare_digest(given, _sign(secret, signed)) for secret in secrets):
            raise _wrong_signature()


def claim_of(headers: Mapping[str, str], *, now: datetime) -> Claim:
    """Return a claim that a signed body would make good.

    Raises:
        ProblemError: A header is missing or malformed, or too old.
    """
    stamp = _header(headers, TIMESTAMP, _SECONDS, "seconds since 1970")
    event_id = _header(headers, EVENT_ID, _IDENTITY, "1 to 64 letters, digits or hyphens")
    signature = headers.get(SIGNATURE, "")
    if _SIGNATURE.fullmatch(signature) is None:
        raise _wrong_signature()
    if abs(now.timestamp() - int(stamp)) > TOLERANCE.total_seconds():
        raise ProblemError(
            problems.TIMESTAMP_OUT_OF_RANGE,
            f"Expected a time at most {TOLERANCE.total_seconds():.0f} s from now; "
            "compare the shop's clock with this machine's.",
        )
    return Claim(stamp, event_id, signature)


def _wrong_signature() -> ProblemError:
    detail = f"Expected {_SCHEME}<hex HMAC-SHA256 of timestamp.id.body> with the shared secret."
    return ProblemError(problems.WRONG_SIGNATURE, detail)


def _header(headers: Mapping[str, str], name: str, pattern: re.Pattern[str], expected: str) -> str:
    text = headers.get(name)
    if text is None:
        raise ProblemError(problems.MISSING_HEADER, f"Expected {name}: {expected}.", pointer=name)
    if pattern.fullmatch(text) is None:
        raise ProblemError(problems.MALFORMED_HEADER, f"Expected {expected}.", pointer=name)
    return text


def _sign(secret: str, signed: bytes) -> bytes:
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"{_SCHEME}{digest}".encode()
