"""What tells one market's documents from others', in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sync.engine.flow import Links
from sync.orders.own_headers import LINK, OwnHeaders
from sync.orders.ports import ErpOrders
from sync.orders.rules import OrderRules
from sync.sales.owners import DocumentOwners
from sync.sales.references import Numbered, References
from tests.fakes.order_shop import FakeLinks, FakeShop

MARKET, COMPANY = "b2b_de", "demf"


@dataclass
class FakeForms:
    """Every prefix that a market's references had, all store views alike."""

    prefixes: set[str] = field(default_factory=lambda: {""})

    async def of(self, market: str, store: int) -> Collection[str]:
        del market, store
        return sorted(self.prefixes)


async def nothing(_: Collection[str]) -> Sequence[Numbered]:
    """Find no documents of any number."""
    return []


def own_headers(
    erp: ErpOrders,
    shop: FakeShop,
    rules: OrderRules,
    *,
    links: Mapping[str, Links] | None = None,
    stores: Collection[int] = (1,),
    forms: FakeForms | None = None,
    market: str = MARKET,
    rules_of_others: Mapping[int, OrderRules] | None = None,
) -> OwnHeaders:
    """Return what finds the headers of one market's orders.

    Args:
        erp: The ERP.
        shop: The shop.
        rules: The market's.
        links: The entity maps of the company's markets; empty by default.
        stores: The market's store views.
        forms: What references ever began with.
        market: Its code.
        rules_of_others: Of other store views of the company.
    """
    of_store = {**dict.fromkeys(stores, rules), **(rules_of_others or {})}
    return OwnHeaders(
        erp,
        company=COMPANY,
        market=market,
        field=rules.reference_field,
        references=References(
            market,
            prefixes={store: each.prefix_of(store) for store, each in of_store.items()},
            forms=forms or FakeForms(),
            find=shop.orders_numbered,
        ),
        owners=DocumentOwners(LINK, links or {market: FakeLinks()}),
    )
