"""Whose account an order is booked on: its customer's stored link, or the guests'.

A customer whom the shop deleted leaves orders without a customer that are no guest's: what
those cost was agreed with somebody, so they are not booked on the guests' account. The e-mail
address and tax number on an order are texts that anybody may type, and choose nothing.
"""

from collections.abc import Mapping
from typing import Any

from sync.engine.flow import Work
from sync.engine.outcomes import HeldError, WaitForError
from sync.magento.order_models import Order
from sync.orders.rules import OrderRules

NAMED = "account"
"""The member of an event's payload by which a person names the account of one order."""


class BadAccountError(ValueError):
    """The member is not what it should be; the text says what it should be."""


async def account_of(work: Work, order: Order, rules: OrderRules) -> str:
    """Return the account.

    Raises:
        HeldError: An order of nobody, or of a guest where guests have no account.
        WaitForError: Its customer has no account yet.
    """
    named = _named(work)
    if named is not None:
        return named
    if order.customer_id is not None:
        return await _of_customer(work, order, order.customer_id)
    if not order.customer_is_guest:
        raise HeldError(
            field="customer_id",
            text="an order of a customer whom the shop deleted; it is no guest's",
            advice=f'name the ERP\'s account as "{NAMED}" in the payload (d365-sync edit '
            f"{work.event.id}), then replay; or enter it by hand and skip the event",
        )
    if rules.guest_account is None:
        raise HeldError(
            field="customer_is_guest",
            text="an order of a guest, and no account for guests is named",
            advice=f"set sync.markets.{work.event.market}.orders.guest_account, then replay",
        )
    return rules.guest_account


def named_account(payload: Mapping[str, Any]) -> str | None:
    """Return the account that a person named in an event's payload, None without one.

    Raises:
        BadAccountError: It is no account's number.
    """
    named = payload.get(NAMED)
    if named is None:
        return None
    if not isinstance(named, str) or not named.strip() or "*" in named:
        raise BadAccountError(f'{NAMED} is the ERP\'s account as a text: "{NAMED}": "C-1001"')
    return named.strip()


def _named(work: Work) -> str | None:
    try:
        return named_account(work.event.payload)
    except BadAccountError as error:
        raise HeldError(
            field=NAMED, text=str(error), advice="correct it with d365-sync edit, then replay"
        ) from error


async def _of_customer(work: Work, order: Order, customer_id: int) -> str:
    account = await work.links.erp_key("customer", str(customer_id))
    if account is None:
        raise WaitForError(
            flow="customers",
            document_id=str(customer_id),
            business_key=str(customer_id),
            payload={"customer_id": customer_id, "order": order.increment_id},
        )
    return account
