"""What a person may write into the payload of an order's event, checked before it is kept.

A member that nobody reads, or that is not what it should be, would be passed over in silence
when the order goes: a misspelled account books it on another. Pure.
"""

from collections.abc import Mapping
from typing import Any

from sync.orders.account import NAMED, BadAccountError, named_account
from sync.orders.late_doubles import TIDY
from sync.orders.named_items import MEMBER, BadItemsError, named_items
from sync.orders.source import CHANGE
from sync.store.records import EventRecord

_DOCUMENT = "entity_id"
_TASK = "task"
_READ = (_DOCUMENT, _TASK, "is_forced", NAMED, MEMBER)


def bad_edit(event: EventRecord, payload: Mapping[str, Any]) -> str:
    """Return why an order's event would not do what a payload says, empty where it would.

    Args:
        event: With the payload that it replaces.
        payload: The new one.
    """
    for name in payload:
        if name not in _READ and name not in event.payload:
            return f'"{name}" is read by nobody; what is: {", ".join(_READ)}'
    try:
        named_account(payload)
        named_items(payload)
    except (BadAccountError, BadItemsError) as error:
        return str(error)
    task = payload.get(_TASK)
    if task in (TIDY, CHANGE) and task != event.payload.get(_TASK):
        return f'"{_TASK}": "{task}" would end the event without sending its order'
    return _bad_document(payload, event.document_id)


def _bad_document(payload: Mapping[str, Any], document_id: str | None) -> str:
    told = payload.get(_DOCUMENT)
    if told is None:
        return ""
    text = str(told)
    if isinstance(told, bool) or not (text.isascii() and text.isdecimal()):
        return f'"{_DOCUMENT}" is the shop\'s id of the order, such as 7'
    if document_id is not None and int(text) != int(document_id):
        return (
            f"the event is of order #{document_id} and stays so: another has events of its own, "
            "see d365-sync order NUMBER"
        )
    return ""
