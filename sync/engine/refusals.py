"""What the ERP refuses, said with the field at fault, what was sent in it, and what to do.

A renamed or newly mandatory field shows as a refusal that names it, or as a row without
it. Both hold the order with a diff; every later order meets the same and is held too,
instead of being written wrongly.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus

from pydantic import ValidationError

from pricing_proxy.resilience.errors import UpstreamContractError, UpstreamRejectedError
from sync.engine.blame import Blame, blame_of
from sync.engine.outcomes import HeldError, RetryLaterError

_ADVICE = "compare the field with the ERP's setup, or correct the mapping; then replay"


@contextmanager
def named(what: str, sent: Mapping[str, object]) -> Iterator[None]:
    """Turn refusals within into held orders.

    Args:
        what: What was done, such as "create the order's header".
        sent: The members sent or read, for the diff.

    Raises:
        HeldError: The ERP refused, or answered with other fields than agreed.
        RetryLaterError: It refused with a server error of its application, such as an update
            conflict, which may be over next time.
        UpstreamError: Something before it answered, or nobody: no document is at fault.
    """
    try:
        yield
    except UpstreamRejectedError as error:
        if blame_of(error) is not Blame.DOCUMENT:
            raise
        reasons = "; ".join(error.reasons) or str(error)
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise RetryLaterError(f"{what}: {reasons}") from error
        field = _own_name(error.field, error.reasons, sent)
        raise HeldError(
            field=field or what,
            text=f"{what}: {reasons}",
            advice=_ADVICE,
            diff=((field or what, str(sent.get(field, "")), f"refused: {reasons}"),),
        ) from error
    except UpstreamContractError as error:
        if blame_of(error) is not Blame.DOCUMENT:
            raise
        raise HeldError(
            field=next(_absent(error), what),
            text=f"{what}: {error}",
            advice=_ADVICE,
            diff=tuple((field, "expected", "(none)") for field in _absent(error)),
        ) from error


def _own_name(told: str, reasons: tuple[str, ...], sent: Mapping[str, object]) -> str:
    """Return our name of the field the ERP told, which may be a label."""
    if told in sent:
        return told
    squeezed = "".join(told.split()).casefold()
    by_name = {name.casefold(): name for name in sent}
    if squeezed in by_name:
        return by_name[squeezed]
    mentioned = (name for name in sent if any(name in reason for reason in reasons))
    return next(mentioned, told)


def _absent(error: UpstreamContractError) -> Iterator[str]:
    if isinstance(error.__cause__, ValidationError):
        for details in error.__cause__.errors(include_url=False, include_input=False):
            yield ".".join(str(part) for part in details["loc"])
