"""What the ERP is told of a customer's names, contact and addresses, where they follow the shop.

Only what differs is written, and nothing that the ERP does not keep (`sync.engine.wishes`): a
name that it spells in its own way would be written at each login, for ever. Addresses are
added and changed, none is removed; one that did not change in the shop since both had it is the
ERP's to change. What cannot be sent is told, and holds no order up.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from pricing_proxy.d365.fo.customer_models import AddressBody, AddressRow, CustomerAccountRow
from pricing_proxy.names import same_name_key
from sync.customers.mapping import (
    ORGANIZATION,
    Buying,
    address_mark,
    address_of,
    changed_address,
    changed_fields,
    owned_fields,
)
from sync.customers.ports import ErpCustomers
from sync.customers.rules import CustomerRules
from sync.engine.erp_texts import Texts
from sync.engine.flow import Work
from sync.engine.outcomes import HeldError
from sync.engine.refusals import named
from sync.engine.wishes import Wish, digest, fulfil, untaken
from sync.engine.writes import Doubts
from sync.magento.customer_models import ShopCustomer
from sync.store.wish_record import Place

_UPDATE = "customer update"
_ADD_ADDRESS = "customer address create"
_CHANGE_ADDRESS = "customer address update"
_ERP = "fo"
# In the entity map: an address as both sides had it.
_KEPT = "customer address"


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
        try:
            owned = owned_fields(customer, rules=self.rules)
        except HeldError as error:
            return await _told(work, customer, place, error)
        notes = await self._party(work, customer, owned, row)
        body = changed_fields(owned, row)
        if body is None:
            await work.wishes.settle(place)
            return notes
        wanted = body.members()
        wish = Wish(
            place=place,
            value=_text(wanted),
            seen=_text({name: getattr(row, name, "") for name in wanted}),
            advice=_advice(wanted),
            is_vital=False,
        )
        company = self.market.company
        sent = {**wanted, "CustomerAccount": row.CustomerAccount}
        send = partial(self.erp.update, company, row.CustomerAccount, body)
        with named("change the account", sent):
            notes += await fulfil(work, wish, operation=_UPDATE, request=sent, send=send)
        return [*notes, *owned.cut]

    async def addresses(self, work: Work, customer: ShopCustomer, account: str) -> list[str]:
        """Add the addresses that are missing and change those that differ.

        Each is a record of its own: one that cannot be sent holds up neither the others nor
        the orders that wait for the account.
        """
        doubts = await Doubts.of(work)
        rows = await self.erp.addresses(self.market.company, account)
        # Of several versions of one address the last one counts.
        found = {
            same_name_key(row.AddressDescription): row
            for row in sorted(rows, key=lambda r: r.Effective)
        }
        notes, settled = [], []
        for address in customer.addresses:
            mark = address_mark(address.id)
            place = Place(_ERP, f"account {account}, {mark}", "address")
            row = found.get(same_name_key(mark))
            try:
                sent = address_of(customer, address, rules=self.rules, market=self.market)
            except HeldError as error:
                notes += await _told(work, customer, place, error)
                continue
            kept = f"{account} {digest(_text(sent.body.members()))}"
            was_there = await work.links.erp_key(_KEPT, str(address.id)) == kept
            changed = {} if row is None else changed_address(sent.body, row)
            if row is not None and not changed:
                settled.append(place)
                if not was_there:
                    await work.links.remember(_KEPT, str(address.id), kept)
            elif was_there:
                # The shop's is as it was when both had it: whoever changed it did so in the ERP.
                continue
            elif row is None:
                doubts.wait_out(_ADD_ADDRESS, {"AddressDescription": mark})
                notes += [*await self._add(work, account, sent.body, place), *sent.cut]
            else:
                notes += [*await self._change(work, row, sent.body, place, changed), *sent.cut]
        await work.wishes.settle(*settled)
        return notes

    async def _party(
        self, work: Work, customer: ShopCustomer, owned: Texts, row: CustomerAccountRow
    ) -> list[str]:
        """Tell of a person who became an organization, or the other way round."""
        place = Place(_ERP, f"account {row.CustomerAccount}", "kind of party")
        wanted = owned.fields["PartyType"]
        # People of a company have its account, where one was found for them.
        is_told = wanted == ORGANIZATION or self.rules.update == "created"
        if not row.PartyType or wanted == row.PartyType or not is_told:
            await work.wishes.settle(place)
            return []
        error = HeldError(
            field="PartyType",
            text=f"the shop's customer is one of kind {wanted} now, and the account of kind "
            f"{row.PartyType}: F&O makes neither of the other, so its name stays",
            advice="make an account of the new kind in the ERP, then d365-sync link "
            f"{self.market.code} {customer.id} ACCOUNT; or leave it so",
        )
        return await _told(work, customer, place, error)

    async def _add(self, work: Work, account: str, body: AddressBody, place: Place) -> list[str]:
        sent = {**body.members(), "CustomerAccountNumber": account}
        # Its description is how it is found again: one that the ERP changes would be added anew.
        wish = Wish(
            place=place,
            value=_text(body.members()),
            seen="",
            advice="compare the address's AddressDescription in the ERP with the one in the "
            "journal: the ERP must keep it",
            is_vital=False,
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
            is_vital=False,
        )
        send = partial(self.erp.change_address, row, body)
        with named("change an address", sent):
            return await fulfil(work, wish, operation=_CHANGE_ADDRESS, request=sent, send=send)


async def _told(work: Work, customer: ShopCustomer, place: Place, error: HeldError) -> list[str]:
    """Keep what cannot be sent, in `status` and in an alert; return what is new of it.

    It holds nothing: orders wait for the account alone, and that is known.
    """
    text, last = f"{error.field}: {error.text}", await work.wishes.last(place)
    if last is not None and last.text == text:
        return []
    again = f"d365-sync map-customers {work.event.market} --customer {customer.id}"
    advice = error.advice.replace("replay", again)
    await work.wishes.keep(untaken(place, text, advice, now=work.clock.utc()))
    return [f"{text}: {advice}"]


def _text(fields: Mapping[str, object]) -> str:
    return json.dumps(fields, sort_keys=True, default=str)


def _advice(fields: Iterable[str]) -> str:
    return (
        f"compare {', '.join(sorted(fields))} in the ERP with the shop's customer; either stays as "
        "it is until one of them changes"
    )
