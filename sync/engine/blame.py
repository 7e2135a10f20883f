"""Whose fault it is that an attempt failed: the one table.

    raised                                              its cause is
    our own breaker, gate or queue refused the call     the system's: nothing was asked
    throttled                                           the system's
    denied: our credentials or rights                   the system's
    redirect, or a page where JSON was agreed           the system's: something before it answers
    404 or 405 without a word of the application        the system's: the same
    no answer, a broken connection, 5xx without words   unclear
    another refusal without a word of the application   unclear
    too large, or of a kind that is not taken           the document's, whoever says so
    all else                                            the document's, or ours

What is the system's is cured once for all documents, and uses up no attempt of any. What is
unclear is the document's only while others of its line are carried.
"""

from enum import Enum
from http import HTTPStatus

from pricing_proxy.resilience.errors import (
    CallRefusedError,
    UpstreamContractError,
    UpstreamDeniedError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)

_NOT_HERE = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)
# Said by web servers in front as well: the same document is refused again.
_OF_THE_REQUEST = (
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.REQUEST_URI_TOO_LONG,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
)


class Blame(Enum):
    """Whose fault a failure is."""

    SYSTEM = "system"
    UNCLEAR = "unclear"
    DOCUMENT = "document"


def blame_of(error: Exception) -> Blame:
    """Return whose fault an error is."""
    match error:
        case CallRefusedError() | UpstreamThrottledError() | UpstreamDeniedError():
            return Blame.SYSTEM
        case UpstreamTimeoutError() | UpstreamUnavailableError():
            return Blame.UNCLEAR
        case UpstreamContractError():
            # With a status it is the answer as a whole, and not a member of it.
            return Blame.DOCUMENT if error.status is None else Blame.SYSTEM
        case UpstreamRejectedError():
            return _of_refusal(error)
        case _:
            return Blame.DOCUMENT


def _of_refusal(error: UpstreamRejectedError) -> Blame:
    if error.concerns_all or (error.status in _NOT_HERE and not error.reasons):
        return Blame.SYSTEM
    if error.reasons or error.status in _OF_THE_REQUEST:
        return Blame.DOCUMENT
    return Blame.UNCLEAR


def next_step(error: UpstreamError) -> str:
    """Return what an operator does about a system that fails like this."""
    system = error.system
    match error:
        case CallRefusedError() | UpstreamThrottledError():
            return f"nothing to do: {system} is asked again by itself"
        case UpstreamDeniedError():
            return f"give this program's user of {system} the rights, or renew its credentials"
        case UpstreamContractError(status=None) | UpstreamRejectedError(reasons=(_, *_)):
            return f"compare what {system} answers with what this program expects"
        case UpstreamContractError() | UpstreamRejectedError():
            return (
                f"something before {system} answers, such as a gateway, a login or a maintenance "
                "page: check its url and what stands in front of it"
            )
        case _:
            return f"nothing to do: it is tried again; see whether {system} is up"
