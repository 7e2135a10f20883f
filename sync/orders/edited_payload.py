"""What a person may write into the payload of an order's event, checked before it is kept.

A member that nobody reads, or that is not what it should be, would be passed over in silence
when the order goes: a misspelled account books it on another. Pure.
"""

from collections.abc import Mapping
from typing import Any

from sync.orders.account import NAMED, BadAccountError, named_account
from sync.orders.late_doubles import TIDY
from sync.orders.named_items import MEMBER, BadItemsError, named_items

_DOCUMENT = "entity_id"
_TASK = "task"
_READ = (_DOCUMENT, _TASK, "is_forced", NAMED, MEMBER)


class BadPayloadError(ValueError):
    """It would not do what is written in it; the text says why."""


def check_payload(
    payload: Mapping[str, Any], *, before: Mapping[str, Any], document_id: str | None
) -> None:
    """Return where an order's event can be carried with a payload as it says.

    Args:
        payload: The new one.
        before: The one that it replaces.
        document_id: The event's order in the shop; None where only its number is known.

    Raises:
        BadPayloadError: It cannot.
    """
    for name in payload:
        if name not in _READ and name not in before:
            raise BadPayloadError(f'"{name}" is read by nobody; what is: {", ".join(_READ)}')
    try:
        named_account(payload)
        named_items(payload)
    except (BadAccountError, BadItemsError) as error:
        raise BadPayloadError(str(error)) from error
    _check_document(payload, document_id)
    if payload.get(_TASK) == TIDY != before.get(_TASK):
        raise BadPayloadError(f'"{_TASK}": "{TIDY}" would end the event without sending its order')


def _check_document(payload: Mapping[str, Any], document_id: str | None) -> None:
    told = payload.get(_DOCUMENT)
    if told is None:
        return
    text = str(told)
    if isinstance(told, bool) or not (text.isascii() and text.isdecimal()):
        raise BadPayloadError(f'"{_DOCUMENT}" is the shop\'s id of the order, such as 7')
    if document_id is not None and int(text) != int(document_id):
        raise BadPayloadError(
            f"the event is of order #{document_id} and stays so: another has events of its own, "
            "see d365-sync order NUMBER"
        )
