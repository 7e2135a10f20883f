"""What the ERP is told of a customer's names, contact and addresses, where they follow the shop.

Only what differs is written, and nothing that the ERP does not keep (`sync.engine.wishes`): a
name that it spells in its own way would be written at each login, for ever. Addresses are
added and changed, none is removed.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from pricing_proxy.d365.fo.customer_models import AddressBody, AddressRow, CustomerAccountRow
from pricing_proxy.names import same_name_key
from sync.customers.mapping import (
    Buying,
    address_body,
    address_mark,
    changed_address,
    changed_fields,
)
from sync.customers.ports import ErpCustomers
from sync.customers.rules import CustomerRules
from sync.engine.flow import Work
from sync.engine.refusals import named
from sync.engine.wishes import Wish, fulfil
from sync.engine.writes import Doubts
from sync.magento.customer_models import ShopCustomer
from sync.store.wish_record import Place

_UPDATE = "customer update"
_ADD_ADDRESS = "customer address create"
_CHANGE_ADDRESS = "customer address update"
_ERP = "fo"


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterData:
    """Writes the master data of one market's accounts.

    Attributes:
        erp: The ERP's customers.
        market: The market.
        rules: Its rules.
    """

    erp: ErpCustomers
    market: Buying
    rules: CustomerRules

    async def update(
        self, work: Work, customer: ShopCustomer, row: CustomerAccountRow
    ) -> list[str]:
        """Change names and contact where they differ; return what a person should hear."""
        place = Place(_ERP, f"account {row.CustomerAccount}", "names and contact")
        body = changed_fields(customer, row, rules=self.rules)
        if body is None:
            await work.wishes.settle(place)
            return []
        wanted = body.members()
        wish = Wish(
            place=place,
            value=_text(wanted),
            seen=_text({name: getattr(row, name, "") for name in wanted}),
            advice=_advice(wanted),
        )
        company = self.market.company
        sent = {**wanted, "CustomerAccount": row.CustomerAccount}
        send = partial(self.erp.update, company, row.CustomerAccount, body)
        with named("change the account", sent):
            return await fulfil(work, wish, operation=_UPDATE, request=sent, send=send)

    async def addresses(self, work: Work, customer: ShopCustomer, account: str) -> list[str]:
        """Add the addresses that are missing and change those that differ."""
        doubts = await Doubts.of(work)
        rows = await self.erp.addresses(self.market.company, account)
        # Of several versions of one address the last one counts.
        found = {
            same_name_key(row.AddressDescription): row
            for row in sorted(rows, key=lambda r: r.Effective)
        }
        notes, settled = [], []
        for address in customer.addresses:
            body = address_body(customer, address, rules=self.rules, market=self.market)
            mark = address_mark(address.id)
            row = found.get(same_name_key(mark))
            place = Place(_ERP, f"account {account}, {mark}", "address")
            if row is None:
                doubts.wait_out(_ADD_ADDRESS, {"AddressDescription": mark})
                notes += await self._add(work, account, body, place)
            elif changed := changed_address(body, row):
                notes += await self._change(work, row, body, place, changed)
            else:
                settled.append(place)
        await work.wishes.settle(*settled)
        return notes

    async def _add(self, work: Work, account: str, body: AddressBody, place: Place) -> list[str]:
        sent = {**body.members(), "CustomerAccountNumber": account}
        # Its description is how it is found again: one that the ERP changes would be added anew.
        wish = Wish(
            place=place,
            value=_text(body.members()),
            seen="",
            advice="compare the address's AddressDescription in the ERP with the one in the "
            "journal: the ERP must keep it",
        )
        send = partial(self.erp.add_address, self.market.company, account, body)
        with named("add an address", sent):
            return await fulfil(
                work, wish, operation=_ADD_ADDRESS, request=sent, send=send, tells=False
            )

    async def _change(
        self,
        work: Work,
        row: AddressRow,
        body: AddressBody,
        place: Place,
        changed: Mapping[str, object],
    ) -> list[str]:
        sent = {**body.members(), "CustomerAccountNumber": row.CustomerAccountNumber}
        wish = Wish(
            place=place,
            value=_text(changed),
            seen=_text({name: getattr(row, name) for name in changed}),
            advice=_advice(changed),
        )
        send = partial(self.erp.change_address, row, body)
        with named("change an address", sent):
            return await fulfil(work, wish, operation=_CHANGE_ADDRESS, request=sent, send=send)


def _text(fields: Mapping[str, object]) -> str:
    return json.dumps(fields, sort_keys=True, default=str)


def _advice(fields: Iterable[str]) -> str:
    return (
        f"compare {', '.join(sorted(fields))} in the ERP with the shop's customer; either stays as "
        "it is until one of them changes"
    )
