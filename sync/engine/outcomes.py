"""How carrying an event ends: `Done` is returned, everything else raised.

OutcomeError
├── HeldError         a person must look; says at which field, and what to do
├── RetryLaterError   nothing is wrong with it; try again, after a time if one is known
├── InDoubtError      a write may have happened; look up before the next one
├── WaitForError      another event must be done first; it is entered if it is not there
├── IdentifiedError   its document was known by number only; carried again under that one's lock
└── SkippedError      there is nothing to carry, for a reason that is kept

Errors of the other systems (`pricing_proxy.resilience.errors`) may be raised as well; the
runner says what each means for the event.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

Difference = tuple[str, str, str]
"""A field, what was sent or expected, and what was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caution:
    """What somebody should hear of a document that is carried over all the same.

    Attributes:
        field: The field that differs, in the document it went to.
        text: How; no customer data.
        advice: What to do.
        diff: Field by field.
    """

    field: str
    text: str
    advice: str
    diff: Sequence[Difference] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """It is carried over.

    Attributes:
        note: What came of it, for its story.
        caution: What an alert tells.
    """

    note: str = ""
    caution: Caution | None = None


class OutcomeError(Exception):
    """It is not carried over, this time or for good."""


class HeldError(OutcomeError):
    """A person must look.

    Attributes:
        field: The field at fault, in the document it came from or goes to.
        text: What is wrong with it; no customer data.
        advice: What to do, the configuration's entry named where one is missing.
        diff: Field by field, where two documents differ.
    """

    def __init__(
        self, *, field: str, text: str, advice: str, diff: Sequence[Difference] = ()
    ) -> None:
        super().__init__(f"{field}: {text}")
        self.field = field
        self.text = text
        self.advice = advice
        self.diff = tuple(diff)


class RetryLaterError(OutcomeError):
    """Try again, not before `after` has passed where it is known.

    Attributes:
        is_charged: Whether it counts among the attempts after which a person must look; what waits
            for a person already does not.
    """

    def __init__(
        self, reason: str, after: timedelta | None = None, *, is_charged: bool = True
    ) -> None:
        super().__init__(reason)
        self.after = after
        self.is_charged = is_charged


class InDoubtError(OutcomeError):
    """A write may have happened: the next attempt looks before it writes."""


class WaitForError(OutcomeError):
    """Another event must be done first.

    Attributes:
        flow: Whose event.
        document_id: The shop's id of the document to wait for.
        business_key: What people call that.
        payload: Of the event, where one must be entered.
    """

    def __init__(
        self, *, flow: str, document_id: str, business_key: str, payload: Mapping[str, Any]
    ) -> None:
        super().__init__(f"waits for {flow} {business_key}")
        self.flow = flow
        self.document_id = document_id
        self.business_key = business_key
        self.payload = payload


class IdentifiedError(OutcomeError):
    """The event is of this document; nothing was done yet, since it had not that one's lock."""

    def __init__(self, document_id: str) -> None:
        super().__init__(f"is of document {document_id}")
        self.document_id = document_id


class SkippedError(OutcomeError):
    """There is nothing to carry; the reason is kept."""
