"""What the shop is told of a customer's account: its number, and the group its prices mean.

Nothing is written that is so already.
"""

from pricing_proxy.d365.fo.customer_models import CustomerAccountRow
from pricing_proxy.http_exchange import Guard
from pricing_proxy.resilience.errors import UpstreamContractError
from sync.customers.ports import ShopCustomers
from sync.customers.rules import CustomerRules
from sync.engine.flow import Work
from sync.engine.writes import written
from sync.magento.master_models import Customer

_ACCOUNT = "customer account"
_GROUP = "customer group"
_SHOP = "magento"
# What the ERP blocks nothing with.
_NOT_ON_HOLD = ("", "No", "Never")


async def write_back(
    work: Work,
    shop: ShopCustomers,
    customer: Customer,
    row: CustomerAccountRow,
    rules: CustomerRules,
) -> list[str]:
    """Write group and account of one customer; return what a person should know."""
    notes = []
    if row.OnHoldStatus not in _NOT_ON_HOLD:
        notes.append(f"the account is on hold in the ERP: {row.OnHoldStatus}")
    group = rules.shop_group.get(row.DiscountPriceGroupId)
    if group is not None and group != customer.group_id:
        await _write_group(work, shop, customer, group)
    code = rules.account_attribute
    if rules.is_written_back and customer.attribute(code) != row.CustomerAccount:
        notes += await _write_account(work, shop, customer, code, row.CustomerAccount)
    return notes


async def _write_group(work: Work, shop: ShopCustomers, customer: Customer, group: int) -> None:
    changes = {"group_id": group}

    async def save(*, guard: Guard) -> None:
        await shop.save_customer(customer, changes, guard=guard)

    await written(work, _SHOP, _GROUP, {"id": customer.id, **changes}, save)


async def _write_account(
    work: Work, shop: ShopCustomers, customer: Customer, code: str, account: str
) -> list[str]:
    async def write(*, guard: Guard) -> None:
        await shop.set_customer_attribute(customer, code, account, guard=guard)

    try:
        await written(work, _SHOP, _ACCOUNT, {"id": customer.id, code: account}, write)
    except UpstreamContractError as error:
        return [f"not written back: {error}"]
    return []
