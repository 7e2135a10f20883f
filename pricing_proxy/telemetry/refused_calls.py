"""Notice that a system answers nothing but refusals, which no breaker counts.

A right that was taken away, a wrong address or a login page refuses every call while the system
is up. Ten such answers in a row to one class of calls, without one of substance in between, are
said once, in one warning with status, what was asked and what to do, and shown until something
is answered again:

<program>_calls_refused{guard}      1 while so

Prices have a closer look of their own, by market: `prices.source_health`.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric

from pricing_proxy.resilience.errors import (
    UpstreamContractError,
    UpstreamDeniedError,
    UpstreamRejectedError,
)
from pricing_proxy.resilience.operation import CallReport, OperationClass

_log = logging.getLogger(__name__)

# One document, or one set that was renamed, makes some; ten in a row with nothing else do not
# come from what was asked.
_TOO_MANY = 10
_ELSEWHERE = (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED)

_RIGHTS = "give this program's user there the rights, or renew its credentials"
_ADDRESS = "check the url, and that what is asked for is deployed there"
_PAGE = "a login or maintenance page answers: check the url"


@dataclass(slots=True)
class Refusing:
    """A class of calls to one system of which all are refused.

    Attributes:
        guard: The class, by the name of its breaker.
        operation: What was asked last.
        answered: How that was refused.
        next_step: What an operator does.
        answers: How many refusals there were in a row.
    """

    guard: str
    operation: str = ""
    answered: str = ""
    next_step: str = ""
    answers: int = 0

    @property
    def is_seen(self) -> bool:
        """Whether there were too many to be about what was asked."""
        return self.answers >= _TOO_MANY

    def __str__(self) -> str:
        return f"{self.answers} refusals in a row, {self.operation}: {self.answered}"


class RefusedCalls:
    """The refusals of one process' calls.

    Args:
        registry: Where they are shown.
        prefix: Of the instrument's name.
    """

    def __init__(self, registry: CollectorRegistry, *, prefix: str) -> None:
        self._name = f"{prefix}calls_refused"
        self._rows: dict[str, Refusing] = {}
        registry.register(self)

    def note(self, report: CallReport) -> None:
        """Take note of how a call ended."""
        if report.guard.endswith(OperationClass.PRICE_READ):
            return
        row = self._rows.setdefault(report.guard, Refusing(report.guard))
        next_step = _next_step(report.error)
        if next_step is not None:
            row.operation, row.answered, row.next_step = report.operation, _told(report), next_step
            row.answers += 1
            if row.answers == _TOO_MANY:
                # As text: the row goes on counting.
                _log.warning("%s: nothing is answered: %s; %s", row.guard, str(row), row.next_step)
        elif report.error is None or isinstance(report.error, UpstreamRejectedError):
            # Who is told what is wrong with a document is let in.
            if row.is_seen:
                _log.info("%s: answers again", row.guard)
            row.answers = 0

    def view(self) -> Sequence[Refusing]:
        """Return the classes of calls of which all are refused."""
        return [row for row in self._rows.values() if row.is_seen]

    def collect(self) -> Iterable[Metric]:
        """Yield the instrument."""
        family = GaugeMetricFamily(
            self._name, "1 while a class of calls gets nothing but refusals.", labels=("guard",)
        )
        for row in self._rows.values():
            family.add_metric((row.guard,), row.is_seen)
        yield family


def _next_step(error: BaseException | None) -> str | None:
    """Return what to do about a refusal of any call; None for what is none."""
    match error:
        case UpstreamDeniedError():
            return _RIGHTS
        case UpstreamRejectedError(status=status) if status in _ELSEWHERE:
            return _ADDRESS
        case UpstreamContractError():
            return _PAGE
        case _:
            return None


def _told(report: CallReport) -> str:
    status = getattr(report.error, "status", None)
    return "an unreadable answer" if status is None else f"answered {status}"
