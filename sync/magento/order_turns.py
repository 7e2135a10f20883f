"""One at a time for each order of the shop: whoever of us writes anything of it.

Magento's documents (shipments, invoices, credit memos, cancellations) keep out of each other's
way. Whoever saves an order's number or a comment on it does not: Magento then writes all of the
order's rows and its payment back as it read them, and a document that was saved meanwhile loses its
quantities and amounts there, so that it could be made once more. Nobody keeps the back office or a
gateway out, so these writes are few and short.
"""


def turn_of(order_id: int) -> str:
    """Return what is held while an order is written, beside SKUs and under the same locks."""
    return f"order {order_id}"
