"""The keys under which a document's events meet: its lock, and how its source keys begin.

A document of the shop is its internal id. Its number is unique within one store view only, so
a key made of it would have two documents meet. Such keys were made before the ids were kept;
an event that still has one is given its document before anything is done for it.
"""


def document_key(flow: str, market: str, document_id: str) -> str:
    """Return the lock key of a document; only a number that begins with "#" spells one."""
    return f"{flow}/{market}/#{document_id}"


def number_key(flow: str, market: str, number: str) -> str:
    """Return the lock key of an event whose document is known by its number only."""
    return f"{flow}/{market}/{number}"
