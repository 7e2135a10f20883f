"""How the simulated Entra ID judges by what an app proves who it is.

| by what | what must be right | else AADSTS |
|---|---|---|
| a secret | the text; it has not expired | 7000215; 7000222 |
| a certificate: an assertion with `x5t#S256` or `x5t` | registered, not over, signed | 700027 |
| | issuer and subject are the client id | 700021 |
| | the audience is the token endpoint | 700023 |
| a federated token: any other assertion | issuer | 700211 |
| | subject; in capitals as well | 700213; 7002138 |
| | audience | 700212 |
| | a key of the issuer; its signature | 5000811; 50013 |
| every assertion | the time | 700024 |
| nothing | | 7000218 |

Numbers and texts are those of public reports of Entra ID's answers. In which order it looks, and
what it says of a federated token with a wrong signature, is assumed.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from pricing_proxy.clock import Clock
from pricing_proxy.sandbox.app_proofs import (
    AUDIENCE,
    ISSUER,
    AppProofs,
    Registration,
    in_base64,
    thumbprint,
)

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# Clocks may differ by as much.
_SLACK_SECONDS = 300
_DOCUMENTATION = "https://learn.microsoft.com/entra/identity-platform/certificate-credentials"
_FEDERATION = "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
# What the library would look at besides the signature; each has a number of its own here.
_SIGNATURE_ALONE: Any = dict.fromkeys(
    [f"verify_{name}" for name in ("aud", "exp", "nbf", "iat", "iss", "sub", "jti")], False
)


@dataclass(frozen=True, slots=True)
class RefusedApp:
    """Why an app may not sign in.

    Attributes:
        number: Of AADSTS.
        text: What is said of it.
        error: The OAuth code.
        status: Of the answer.
    """

    number: int
    text: str
    error: str = "invalid_client"
    status: int = HTTPStatus.UNAUTHORIZED


class AppJudge:
    """Judges requests for tokens.

    Args:
        proofs: What is registered.
        clock: The tenant's time.
    """

    def __init__(self, proofs: AppProofs, *, clock: Clock) -> None:
        self._proofs = proofs
        self._clock = clock

    def refusal(
        self, client: str, form: Mapping[str, str], *, endpoint: str, faults: Mapping[str, str]
    ) -> RefusedApp | None:
        """Return why an app is refused; None for an app that has proved who it is.

        Args:
            client: Its id; one of the tenant's.
            form: The request.
            endpoint: The address it was sent to.
            faults: What is "expired" or "unknown" whatever is sent: "secret", "certificate",
                "token".
        """
        app = self._proofs.apps[client]
        assertion = form.get("client_assertion")
        if assertion is not None and form.get("client_assertion_type") == ASSERTION_TYPE:
            return self._assertion(client, app, assertion, endpoint, faults)
        if "client_secret" not in form:
            text = (
                "The request body must contain the following parameter: 'client_assertion' or "
                "'client_secret'."
            )
            return RefusedApp(7000218, text)
        if faults.get("secret") == "expired":
            text = (
                f"The provided client secret keys for app '{client}' are expired. Visit the Azure "
                "portal to create new keys for your app: https://aka.ms/NewClientSecret, or "
                "consider using certificate credentials for added security: "
                "https://aka.ms/certCreds."
            )
            return RefusedApp(7000222, text)
        known = "" if faults.get("secret") == "unknown" else app.secret
        if not hmac.compare_digest(form["client_secret"].encode(), known.encode()):
            text = (
                "Invalid client secret provided. Ensure the secret being sent in the request is "
                "the client secret value, not the client secret ID, for a secret added to app "
                f"'{client}'."
            )
            return RefusedApp(7000215, text)
        return None

    def _assertion(
        self,
        client: str,
        app: Registration,
        text: str,
        endpoint: str,
        faults: Mapping[str, str],
    ) -> RefusedApp | None:
        try:
            head = jwt.get_unverified_header(text)
            claims = jwt.decode(text, options={"verify_signature": False})
        except jwt.PyJWTError:
            malformed = "JWT token is invalid or malformed."
            return RefusedApp(50027, malformed, "invalid_request", HTTPStatus.BAD_REQUEST)
        if "x5t#S256" in head or "x5t" in head:
            fault = faults.get("certificate", "")
            refused = self._certificate(client, app, text, head, fault)
            return refused or _wrong_claims(client, claims, endpoint) or self._time(claims)
        fault = faults.get("token", "")
        refused = _wrong_federation(app, claims, fault) or self._platform(text, head)
        return refused or self._time(claims, is_over=fault == "expired")

    def _certificate(
        self, client: str, app: Registration, text: str, head: Mapping[str, Any], fault: str
    ) -> RefusedApp | None:
        # msal pads it, which RFC 7515 does not; it works with Entra ID.
        used = str(head.get("x5t#S256", head.get("x5t"))).rstrip("=")
        registered = [] if fault == "unknown" else app.certificates
        found = next((each for each in registered if used in _thumbprints(each)), None)
        if found is None:
            return _unregistered(client, "The key was not found.", used)
        begins, ends = found.not_valid_before_utc, found.not_valid_after_utc
        found_key = f", Found key 'Start={_us(begins)}, End={_us(ends)}'"
        if fault == "expired" or not begins <= self._clock.utc() < ends:
            return _unregistered(client, "The key used is expired.", thumbprint(found), found_key)
        if not _is_signed(text, found.public_key()):
            reason = "The provided signature value did not match the expected signature value."
            return _unregistered(client, reason, thumbprint(found), found_key)
        return None

    def _platform(self, text: str, head: Mapping[str, Any]) -> RefusedApp | None:
        key = self._proofs.platform_key(str(head.get("kid")))
        if key is None:
            unknown = (
                "Unable to verify token signature. The signing key identifier does not match any "
                "valid registered keys."
            )
            return RefusedApp(5000811, unknown)
        if not _is_signed(text, key):
            return RefusedApp(50013, "Assertion failed signature validation.")
        return None

    def _time(self, claims: Mapping[str, Any], *, is_over: bool = False) -> RefusedApp | None:
        now = self._clock.utc()
        begins, ends = (_instant(claims.get(name)) for name in ("nbf", "exp"))
        seconds = now.timestamp()
        if (
            not is_over
            and begins.timestamp() - _SLACK_SECONDS <= seconds < ends.timestamp() + _SLACK_SECONDS
        ):
            return None
        text = (
            f"Client assertion is not within its valid time range. Current time: {_iso(now)}, "
            f"assertion valid from {_iso(begins)}, expiry time of assertion {_iso(ends)}. Review "
            f"the documentation at {_DOCUMENTATION} ."
        )
        return RefusedApp(700024, text)


def _wrong_claims(client: str, claims: Mapping[str, Any], endpoint: str) -> RefusedApp | None:
    if claims.get("iss") != client or claims.get("sub") != client:
        text = (
            "Client assertion application identifier doesn't match 'client_id' parameter. Review "
            f"the documentation at {_DOCUMENTATION} ."
        )
        return RefusedApp(700021, text)
    if claims.get("aud") != endpoint:
        text = (
            "Client assertion audience claim does not match Realm issuer. Review the "
            f"documentation at {_DOCUMENTATION} ."
        )
        return RefusedApp(700023, text)
    return None


def _wrong_federation(
    app: Registration, claims: Mapping[str, Any], fault: str
) -> RefusedApp | None:
    issuer, subject, audience = (claims.get(name) for name in ("iss", "sub", "aud"))
    if issuer != ISSUER or not app.subject:
        return _no_federation(700211, "issuer", issuer)
    if fault == "unknown" or subject != app.subject:
        is_alike = fault != "unknown" and str(subject).lower() == app.subject.lower()
        return _no_federation(7002138 if is_alike else 700213, "subject", subject)
    if audience not in (AUDIENCE, [AUDIENCE]):
        return _no_federation(700212, "audience", audience)
    return None


def _no_federation(number: int, what: str, presented: object) -> RefusedApp:
    text = (
        f"No matching federated identity record found for presented assertion {what} "
        f"'{str(presented)[:200]}'. Check your federated identity credential Subject, Audience "
        f"and Issuer against the presented assertion. {_FEDERATION}"
    )
    return RefusedApp(number, text)


def _unregistered(client: str, reason: str, used: str, found: str = "") -> RefusedApp:
    text = (
        "The certificate with identifier used to sign the client assertion is not registered on "
        f"application. [Reason - {reason}, Thumbprint of key used by client: '{used}'{found}, "
        "Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured "
        f"keys for app Id '{client}'.]"
    )
    return RefusedApp(700027, text)


def _thumbprints(certificate: x509.Certificate) -> list[str]:
    # SHA-1 is how `x5t` is defined; nothing rests on it but which certificate is meant.
    digests: list[hashes.HashAlgorithm] = [hashes.SHA256(), hashes.SHA1()]  # noqa: S303
    return [in_base64(certificate.fingerprint(each)) for each in digests]


def _is_signed(text: str, key: Any) -> bool:
    try:
        jwt.decode(text, key, algorithms=["PS256", "RS256"], options=_SIGNATURE_ALONE)
    except jwt.PyJWTError:
        return False
    return True


def _instant(seconds: object) -> datetime:
    """Return when; the beginning of time where nothing is said, as Entra ID shows it."""
    try:
        return datetime.fromtimestamp(seconds if isinstance(seconds, int | float) else 0, UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)


def _iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.0000000Z"


def _us(at: datetime) -> str:
    return f"{at:%m/%d/%Y %H:%M:%S}"
