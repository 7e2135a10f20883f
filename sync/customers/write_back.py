"""What the shop is told of a customer's account: its number, and the group its prices mean.

Nothing is written that is so already, or that the shop does not keep (`sync.engine.wishes`):
each write moves the customer's time of change, and so comes back as an event. A shop without
the attribute is told of once for all customers, and asked again after a while. What the shop
refuses is told of as well, and keeps no order waiting: the account is linked.
"""

from dataclasses import dataclass
from datetime import timedelta

from pricing_proxy.d365.fo.customer_models import CustomerAccountRow
from pricing_proxy.http_exchange import Guard
from pricing_proxy.names import is_same_name
from sync.customers.ports import ShopCustomers
from sync.customers.rules import CustomerRules
from sync.customers.versions import remember_carried, remember_own
from sync.engine.flow import Work
from sync.engine.wishes import Wish, fulfil, untaken
from sync.magento.customer_models import ShopCustomer
from sync.store.wish_record import Place

_ACCOUNT = "customer account"
_GROUP = "customer group"
_SHOP = "magento"
# What the ERP blocks nothing with.
_NOT_ON_HOLD = ("", "No", "Never")
# How long the shop's word on whether it has an attribute is believed.
_HAS, _LACKS = timedelta(minutes=10), timedelta(minutes=1)
# An attribute that is there, and yet drops what is written, is tried once a day.
_TRIED_AGAIN = timedelta(days=1)
_MICROSECOND = timedelta(microseconds=1)
EVERYBODY = "all customers"
MISSING = "is not an attribute of the shop's customers"
DROPPED = "is dropped by the shop whenever it is written"


@dataclass(slots=True)
class _Copy:
    """A customer as it was read, and as our writes left it.

    Attributes:
        read: What is carried.
        saved: What the shop answered to the last write; None while there was none.
        group_id: The group that it had, or was given.
    """

    read: ShopCustomer
    saved: ShopCustomer | None = None
    group_id: int | None = None

    def __post_init__(self) -> None:
        self.group_id = self.read.group_id


class WriteBack:
    """Writes group and account into the shop's customers.

    Args:
        shop: The shop's customers.
    """

    def __init__(self, shop: ShopCustomers) -> None:
        self._shop = shop
        # By attribute: whether the shop has it, and until when that is believed.
        self._known: dict[str, tuple[bool, int]] = {}

    async def write(
        self, work: Work, customer: ShopCustomer, row: CustomerAccountRow, rules: CustomerRules
    ) -> list[str]:
        """Write what differs; return what a person should know."""
        notes = []
        if row.OnHoldStatus not in _NOT_ON_HOLD:
            notes.append(f"the account is on hold in the ERP: {row.OnHoldStatus}")
        copy = _Copy(customer)
        group = rules.shop_group.get(row.DiscountPriceGroupId)
        if rules.shop_group:
            notes += await self._group(work, copy, group)
        if rules.is_written_back:
            notes += await self._account(work, copy, row.CustomerAccount, rules)
        if copy.saved is None:
            await remember_carried(work.links, customer)
        else:
            await remember_own(work.links, customer, copy.saved, group_id=copy.group_id)
        return notes

    async def _group(self, work: Work, copy: _Copy, group: int | None) -> list[str]:
        customer = copy.read
        place = Place(_SHOP, f"customer {customer.id}", "group_id")
        if group is None or group == customer.group_id:
            await work.wishes.settle(place)
            return []
        changes = {"group_id": group}

        async def save(*, guard: Guard) -> str:
            copy.saved = await self._shop.save_customer(customer, changes, guard=guard)
            copy.group_id = group
            return str(copy.saved.group_id)

        wish = Wish(
            place=place,
            value=str(group),
            seen=str(customer.group_id),
            advice=_GROUP_ADVICE,
            is_vital=False,
        )
        sent = {"id": customer.id, **changes}
        return await fulfil(work, wish, operation=_GROUP, request=sent, send=save)

    async def _account(
        self, work: Work, copy: _Copy, account: str, rules: CustomerRules
    ) -> list[str]:
        customer, code = copy.read, rules.account_attribute
        place = Place(_SHOP, f"customer {customer.id}", code)
        there = str(customer.attribute(code) or "")
        if is_same_name(there, account):
            await work.wishes.settle(place)
            return []
        vain = await self._in_vain(work, code)
        if vain is not None:
            return vain
        is_dropped = False

        async def write(*, guard: Guard) -> str:
            nonlocal is_dropped
            saved = await self._shop.set_customer_attribute(customer, code, account, guard=guard)
            copy.saved, is_dropped = saved, saved.attribute(code) is None
            return str(saved.attribute(code) or "")

        wish = Wish(
            place=place,
            value=account,
            seen=there,
            advice=advice_on(code, work.event.market),
            is_vital=False,
        )
        sent = {"id": customer.id, code: account}
        notes = await fulfil(work, wish, operation=_ACCOUNT, request=sent, send=write)
        if not is_dropped:
            return notes
        # Not this customer's own trouble: what is written of the next one would be dropped too.
        await work.wishes.forget(place)
        return await self._tell(work, code, DROPPED)

    async def _in_vain(self, work: Work, code: str) -> list[str] | None:
        """Return what to say where the attribute cannot be written, None where it can."""
        everybody = Place(_SHOP, EVERYBODY, code)
        last = await work.wishes.last(everybody)
        is_told = last is not None and bool(last.text)
        if not await self._has(work, code):
            if last is not None and is_told and last.text == MISSING:
                return []
            return await self._tell(work, code, MISSING)
        if last is None or not is_told:
            return None
        if last.text == DROPPED and work.clock.utc() - last.written_at < _TRIED_AGAIN:
            return []
        await work.wishes.settle(everybody)
        return None

    async def _tell(self, work: Work, code: str, text: str) -> list[str]:
        place, advice = Place(_SHOP, EVERYBODY, code), advice_on(code, work.event.market)
        await work.wishes.keep(untaken(place, text, advice, now=work.clock.utc()))
        return [f"{code} {text}: {advice}"]

    async def _has(self, work: Work, code: str) -> bool:
        """Return whether the shop has the attribute, as it said a moment ago."""
        now_us = work.clock.monotonic_us()
        has, until_us = self._known.get(code, (False, now_us))
        if now_us >= until_us:
            has = await self._shop.has_customer_attribute(code)
            self._known[code] = has, now_us + (_HAS if has else _LACKS) // _MICROSECOND
        return has


def advice_on(code: str, market: str) -> str:
    """Return what to do about an attribute that the shop does not have or does not keep."""
    return (
        f"create the customer attribute {code} in the shop (a text, in no form of the storefront; "
        "Adobe Commerce: Stores > Attributes > Customer; Open Source: by a module's data patch), "
        f"or set sync.markets.{market}.customers.is_written_back = false"
    )


_GROUP_ADVICE = (
    "see that the shop has the group of customers.shop_group, and what else chooses it, such as "
    "the automatic assignment by VAT number; or take the price group out of customers.shop_group"
)
