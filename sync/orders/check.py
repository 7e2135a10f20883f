"""The rows that orders have in `d365-sync check`, beside their sets and resources."""

from collections.abc import Iterator, Mapping, Sequence

from pricing_proxy.d365 import paging
from pricing_proxy.d365.fo.customer_models import CustomerAccountRow
from pricing_proxy.d365.fo.documents import DocumentCalls
from pricing_proxy.d365.odata import Query, equals
from pricing_proxy.diagnosis.board import Finding, failed, ok, warned
from pricing_proxy.diagnosis.direct_calls import SYSTEM
from sync.description import CheckRow, erp_advice
from sync.given import ConfiguredMarket, companies
from sync.magento.resources import ORDERS
from sync.magento.shop import Shop
from sync.orders.number_ranges import Ranges, look_at_ranges
from sync.orders.rules import OrderRules
from sync.orders.starts import Starts

_GUESTS, NUMBERS, START = "guest account", "order numbers", "start of orders"
_ACCOUNTS = CustomerAccountRow.entity_set


def guest_row(market: ConfiguredMarket) -> Iterator[CheckRow[DocumentCalls]]:
    """Yield whether the account of guests is there, and spelled so; nothing where guests have none.

    Args:
        market: The market.
    """
    account = market.own.rules(OrderRules).guest_account
    if account is None:
        return

    async def find(calls: DocumentCalls) -> Finding:
        where = equals("dataAreaId", market.company) & equals("CustomerAccount", account)
        query = Query(entity_set=_ACCOUNTS, select=("CustomerAccount",), where=where, top=1)
        page = await calls.get(query.target(), name=_GUESTS)
        rows, _ = paging.read_page(page, system=SYSTEM)
        here = f"sync.markets.{market.code}.orders.guest_account"
        if not rows:
            return failed(
                f"{market.company} has no account {account}",
                f"Correct {here}: orders of guests would be held",
            )
        # F&O finds it by any spelling; documents get its own.
        if (known := str(rows[0].get("CustomerAccount"))) != account:
            return failed(f"the account is spelled {known}", f"Write {known} in {here}")
        return ok(account)

    yield CheckRow(name=_GUESTS, look=find, advice=erp_advice(_ACCOUNTS))


def shop_rows(markets: Mapping[str, ConfiguredMarket]) -> Iterator[CheckRow[Shop]]:
    """Yield what is asked of the shop's orders, given the markets that have them."""
    yield from number_row(markets)
    yield from start_row(markets)


def start_row(markets: Mapping[str, ConfiguredMarket]) -> Iterator[CheckRow[Shop]]:
    """Yield whether each order can be told from history where a market starts at a number.

    While the shop has no order of that number or a later one, those whose numbers have marks or
    letters are not sent, as nobody can say on which side of the start they are.
    """
    rules = {code: each.own.rules(OrderRules) for code, each in markets.items()}
    numbered = [code for code, each in rules.items() if isinstance(each.start_at, str)]
    if not numbered:
        return

    async def look(shop: Shop) -> Finding:
        stores = {code: each.own.store_ids for code, each in markets.items()}
        starts = Starts(shop.orders, rules=rules, stores=stores)
        undecided = [code for code in numbered if await starts.made_at(code) is None]
        if undecided:
            return warned(
                f"no order of {', '.join(undecided)} has the number of start_at or a later one yet",
                "Where numbers have letters, make sync.markets.*.orders.start_at an instant: until "
                "then such orders are not sent",
            )
        return ok("every order can be told from history")

    yield CheckRow(name=START, look=look, advice=ORDERS.advice(START, route="orders"))


def number_row(markets: Mapping[str, ConfiguredMarket]) -> Iterator[CheckRow[Shop]]:
    """Yield whether orders can be told apart where several store views send to one company.

    It is red when two orders have one reference; it says where numbers only begin alike, and of
    which store view nothing is known.
    """
    shared = [prefixes for prefixes in companies(markets).values() if len(prefixes) > 1]
    if not shared:
        return

    async def look(shop: Shop) -> Finding:
        return _judged([await look_at_ranges(shop.orders, prefixes) for prefixes in shared])

    yield CheckRow(name=NUMBERS, look=look, advice=ORDERS.advice(NUMBERS, route="orders"))


def _judged(ranges: Sequence[Ranges]) -> Finding:
    collisions = [text for each in ranges for text in each.collisions]
    if collisions:
        return failed(
            "; ".join(collisions),
            "Give one of them a prefix of its own: sync.markets.*.orders.reference_prefix; "
            "until then the second order of a number is held",
        )
    open_ends = [
        f"{text}: fine where they share one sequence, else give one a prefix"
        for each in ranges
        for text in each.alike
    ]
    open_ends += [
        f"store view {store} has no order yet" for each in ranges for store in each.unknown
    ]
    if open_ends:
        return ok(f"no reference twice so far; not known for sure: {'; '.join(open_ends)}")
    return ok("the store views of each company number apart")
