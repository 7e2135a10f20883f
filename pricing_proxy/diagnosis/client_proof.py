"""The row of `check` that says by what an app proves who it is, and until when that is good.

What ends within a month, or others can read, is a warning; what has ended or cannot be read is
red: then Entra ID is not asked, as it could only say the same.
"""

from datetime import datetime, timedelta

from pricing_proxy.configuration.entra_apps import (
    ClientCertificate,
    ClientSecret,
    EntraApp,
    FederatedToken,
)
from pricing_proxy.d365.client_proof import (
    ENDS_SOON,
    UnusableProofError,
    read_certificate,
    read_token,
)
from pricing_proxy.diagnosis.board import Finding, failed, ok, warned
from pricing_proxy.diagnosis.exposure import is_open_to_all

PROOF = "app proves who it is"
_AUDIENCE = "api://AzureADTokenExchange"


def proof_finding(app: EntraApp, *, here: str, now: datetime) -> Finding:
    """Return what the row shows.

    Args:
        app: Whose proof.
        here: The environment's path in the configuration.
        now: The time (UTC).
    """
    try:
        match app.proof:
            case ClientSecret():
                return ok("by a secret; when it ends, only Entra ID knows")
            case ClientCertificate() as named:
                return _certificate(named, app, here, now)
            case FederatedToken() as named:
                return _token(named, app, now)
    except UnusableProofError as error:
        return failed(str(error), f"Correct {here}.{error.key}, or the file")


def _certificate(named: ClientCertificate, app: EntraApp, here: str, now: datetime) -> Finding:
    read = read_certificate(named, app=app)
    found = f"by a certificate ({read.subject}, SHA-256 {read.thumbprint[:16]}…)"
    register = (
        f"Make another certificate, register it with client {app.client_id} beside the old one "
        f"(Entra ID > App registrations > Certificates & secrets), then replace {named.file}; it "
        "is taken up with the next token, without a restart"
    )
    if now < read.begins_at:
        begins = f"{found} that is good from {_shown(read.begins_at)} on"
        return failed(
            begins, f"Look at this machine's clock, and at {here}.{app.kind}_certificate_file"
        )
    if now >= read.ends_at:
        return failed(f"{found} that ended {_shown(read.ends_at)}", register)
    key_file = named.key_file or named.file
    if is_open_to_all(key_file):
        readable = f"{found}; every user of this machine can read the key in {key_file}"
        return warned(
            readable, f"chmod o= {key_file}; in Kubernetes give the volume defaultMode 0440"
        )
    left = read.ends_at - now
    ends = f"{found}, good for {_left(left)} more, until {_shown(read.ends_at)}"
    return warned(ends, register) if left <= ENDS_SOON else ok(ends)


def _token(named: FederatedToken, app: EntraApp, now: datetime) -> Finding:
    read = read_token(named, app=app)
    found = f"by a federated token of {read.issuer} for {read.subject}"
    if read.ends_at is not None and now >= read.ends_at:
        return failed(
            f"{found} that ended {_shown(read.ends_at)}",
            f"Look why the platform puts no new one into {named.file}, and at this machine's clock",
        )
    if not read.audience.startswith(_AUDIENCE):
        return warned(
            f"{found} whose audience is {read.audience}",
            f"Have the platform make it for {_AUDIENCE}, or compare with the federated credential "
            f"of client {app.client_id}",
        )
    left = "" if read.ends_at is None else f", good for {_left(read.ends_at - now)} more"
    return ok(f"{found}{left}")


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _left(span: timedelta) -> str:
    days, minutes = span.days, span.seconds // 60
    return f"{days} days" if days else f"{minutes} min"
