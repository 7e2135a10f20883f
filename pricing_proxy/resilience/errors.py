"""What can go wrong upstream, sorted by what the caller should do next.

UpstreamError
├── TransientUpstreamError        the same request may succeed later
│   ├── UpstreamTimeoutError        our deadline passed first
│   ├── UpstreamUnavailableError    refused, reset, or 5xx without an explanation
│   │   └── CallRefusedError          not sent: breaker open, queue full, too little time left
│   ├── UpstreamConflictError       read and not done, for a reason that passes: a deadlock
│   └── UpstreamThrottledError      wait `retry_after`, then ask again
└── PermanentUpstreamError        the same request will fail again
    ├── UpstreamRejectedError       4xx, or 5xx with the application's own message: our request
    ├── UpstreamReadOnlyError       what we write is not taken; reading goes on
    ├── UpstreamDeniedError         401 or 403 with a new token: our credentials
    └── UpstreamContractError       2xx, but not the body that was agreed; or a redirect
        └── UpstreamMismatchError     its lines cannot be told apart

`system` names the other side in logs and metrics ("fo", "entra", "redis"); it is
never an address. Messages hold no bodies, tokens or customer data.
"""

from datetime import timedelta

from pricing_proxy.resilience.retry_after import obeyed


class UpstreamError(Exception):
    """Another system did not give what was asked of it.

    Attributes:
        system: Which one.
        path: What was asked of it, where that names no document; empty otherwise.
    """

    path: str = ""

    def __init__(self, message: str, *, system: str) -> None:
        super().__init__(message)
        self.system = system


class TransientUpstreamError(UpstreamError):
    """The same request may succeed later."""


class UpstreamTimeoutError(TransientUpstreamError):
    """Our deadline passed before the answer came."""


class UpstreamUnavailableError(TransientUpstreamError):
    """Refused, reset, or a server error without an application's own message.

    Attributes:
        is_connection_failure: No HTTP answer came: connecting failed or the connection
            broke.
    """

    def __init__(self, message: str, *, system: str, is_connection_failure: bool = False) -> None:
        super().__init__(message, system=system)
        self.is_connection_failure = is_connection_failure


class CallRefusedError(UpstreamUnavailableError):
    """We did not send the call; `retry_after` says when trying again makes sense."""

    def __init__(self, message: str, *, system: str, retry_after: timedelta) -> None:
        super().__init__(message, system=system)
        self.retry_after = retry_after


class UpstreamConflictError(TransientUpstreamError):
    """The upstream read the request and did not do it: something was in its way, and passes.

    Attributes:
        status: The HTTP status.
    """

    def __init__(self, message: str, *, system: str, status: int) -> None:
        super().__init__(message, system=system)
        self.status = status


class UpstreamThrottledError(TransientUpstreamError):
    """The upstream asked us to slow down, for `retry_after` if it named a time.

    Attributes:
        asked_for: The wait it named, however absurd; None when it named none.
        retry_after: What is obeyed of that.
    """

    def __init__(self, message: str, *, system: str, retry_after: timedelta | None) -> None:
        super().__init__(message, system=system)
        self.asked_for = retry_after
        self.retry_after = None if retry_after is None else obeyed(retry_after)


class PermanentUpstreamError(UpstreamError):
    """The same request will fail again."""


class UpstreamRejectedError(PermanentUpstreamError):
    """The upstream read the request and refused it.

    Attributes:
        status: The HTTP status.
        reasons: The application's own messages, for operators; in the language of the
            upstream's user.
        field: The field at fault as the upstream calls it, empty where it did not say.
        concerns_all: Whether any request of its kind is refused, whatever it holds.
    """

    concerns_all: bool = False

    def __init__(
        self,
        message: str,
        *,
        system: str,
        status: int,
        reasons: tuple[str, ...] = (),
        field: str = "",
    ) -> None:
        super().__init__(message, system=system)
        self.status = status
        self.reasons = reasons
        self.field = field


class UpstreamReadOnlyError(PermanentUpstreamError):
    """The upstream is well, and takes nothing that is written for now."""


class UpstreamDeniedError(PermanentUpstreamError):
    """401 or 403, also with a new token: credentials or rights are missing."""

    def __init__(self, message: str, *, system: str, status: int) -> None:
        super().__init__(message, system=system)
        self.status = status


class UpstreamContractError(PermanentUpstreamError):
    """The call succeeded, but the body is not what was agreed; or it leads elsewhere.

    Attributes:
        status: The HTTP status, where the answer as a whole is at fault.
        field: The member at fault, where it is one; empty otherwise.
    """

    def __init__(
        self, message: str, *, system: str, status: int | None = None, field: str = ""
    ) -> None:
        super().__init__(message, system=system)
        self.status = status
        self.field = field


class UpstreamMismatchError(UpstreamContractError):
    """Lines of the answer may be others' than they say; asked for alone, each is whose it is."""


def words_of(error: UpstreamError) -> str:
    """Return what happened, for logs: of an answer that cannot be read, only that it cannot."""
    place = f" at {error.path}" if error.path else ""
    is_of_body = isinstance(error, UpstreamContractError) and error.status is None
    return f"{error.system}: an unexpected answer{place}" if is_of_body else f"{error}{place}"
