"""The simulated shop, the flows and the simulated ERP in one process, on a clock that stands.

Both systems are the sandbox's own applications, called without sockets; the flows are put
together as the program does. Only the engine is the one of `memory_engine`. What happens is
chosen by the caller, one step at a time:

    world = UnkindWorld()
    order = world.place(store="b2b_de")
    await world.look("poll")
    await world.engine.carry_due()
"""

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from pricing_proxy.d365.fo.documents import DocumentCalls
from pricing_proxy.d365.transport import Transport
from pricing_proxy.demo.sync_plan import ORDER_RULES
from pricing_proxy.sandbox.calls import Calls as CallCounts
from pricing_proxy.sandbox.catalog import CatalogSize, build_book
from pricing_proxy.sandbox.dials import Dials
from pricing_proxy.sandbox.documents.store import Documents
from pricing_proxy.sandbox.faults import faults
from pricing_proxy.sandbox.finance_operations import count_fo_call, fo_app
from pricing_proxy.sandbox.odata import Tables
from pricing_proxy.sandbox.price_service import ErpPriceService
from pricing_proxy.sandbox.shop.app import count_shop_call, shop_app
from pricing_proxy.sandbox.shop.back_office import ACTIONS
from pricing_proxy.sandbox.shop.dials import ShopDials
from pricing_proxy.sandbox.shop.odd_rows import odd_row
from pricing_proxy.sandbox.shop.placing import Counter
from pricing_proxy.sandbox.shop.registering import register
from pricing_proxy.sandbox.shop.signatures import INTEGRATIONS, Doorman
from pricing_proxy.sandbox.shop.tables import Shop as SimulatedShop
from pricing_proxy.sandbox.tokens import Tokens
from sync.flows import FLOWS
from sync.magento.way import shop_over
from sync.settings import SyncSettings
from tests.d365.loopback import DirectPolicy
from tests.fakes import given
from tests.fakes.customer_links import FakeCompany
from tests.fakes.entering import FakeOddRows, FakeWatermarks
from tests.fakes.in_process import InProcessSession
from tests.fakes.memory_engine import MemoryEngine
from tests.virtual_time import ManualClock

# Nothing listens there, and nobody asks.
SHOP_URL, ERP_URL = "http://127.0.0.1:8103", "http://127.0.0.1:8101"
MARKET, STORES, ELSEWHERE = "b2b_de", {"b2b_de": 3, "b2b_de_en": 4}, {"b2b_en": 2}
GUEST_ACCOUNT = "C-1003"
ABROAD: Mapping[str, Any] = {
    "firstname": "Nora",
    "lastname": "Neu",
    "street": ["Gasse 1"],
    "city": "Wien",
    "postcode": "1010",
    "country_id": "AT",
    "telephone": "+43 1 1",
}
CALL_TIME = timedelta(milliseconds=50)
_RULES = tomllib.loads(f"[sync.markets.b2b_de.orders]\n{ORDER_RULES}")["sync"]["markets"][MARKET]


class UnkindWorld:
    """Both systems and the flows between them.

    Attributes:
        clock: Of everybody but the shop, which is wrong by its dial.
        dials: By system, "shop" and "erp".
    """

    def __init__(self, *, start_at: str = "2026-01-01T00:00:00Z") -> None:
        """Begin with an empty ERP and an empty shop; orders count from `start_at`."""
        self.clock = ManualClock()
        self._shop_dials = ShopDials(account_attribute=True)
        self.dials: dict[str, Dials] = {"shop": self._shop_dials, "erp": Dials()}
        book = build_book(CatalogSize(skus=24, customers=3), self.clock.utc().date())
        self.documents = Documents(book, self.dials["erp"], clock=self.clock, page_size=50)
        self.shop = SimulatedShop(book, self._shop_dials, clock=self.clock)
        self._orders = Counter(self.shop, seed="unkind")
        self._settings = _settings(start_at)
        self.links = FakeCompany()
        self.odd_rows = FakeOddRows()
        self._open(book)

    def _open(self, book: Any) -> None:
        tokens = Tokens(self.clock)
        sections = self._settings.sync
        shop = shop_over(
            cast("Any", InProcessSession(self._shop_app(), self._pass)),
            sections.magento,
            policy=DirectPolicy(),
            clock=self.clock,
            call_time=timedelta(seconds=30),
        )
        prices = ErpPriceService(book, self.dials["erp"], seed="prices")
        erp = fo_app(
            dials=self.dials["erp"],
            tokens=tokens,
            tables=Tables(book, page_size=50),
            documents=self.documents,
            prices=prices,
            environment_url=lambda: ERP_URL,
            middleware=faults(self.dials["erp"], CallCounts(), count_fo_call, seed="erp"),
        )
        transport = Transport(
            cast("Any", InProcessSession(erp, self._pass)),
            base_url=ERP_URL,
            tokens=_Issued(tokens),
            clock=self.clock,
            system="fo",
        )
        calls = DocumentCalls(
            transport,
            policy=DirectPolicy(),
            clock=self.clock,
            request_time=timedelta(seconds=30),
        )
        self.engine = MemoryEngine(self.clock, self.links, sections.delivery.longest)
        built_of = given.given(
            self._settings,
            shop=shop,
            erps={"sandbox": calls},
            kept=self.links,
            events=self.engine,
            watermarks=FakeWatermarks(),
            clock=self.clock,
            odd_rows=self.odd_rows,
        )
        built = [description.build(built_of) for description in FLOWS]
        self.engine.flows = {each.flow.name: each.flow for each in built}
        self._looks = {one.name: one.run for each in built for one in each.schedules}

    def _shop_app(self) -> Any:
        doorman = Doorman(now=self.shop.seconds)
        dials = self._shop_dials
        middleware = faults(dials, CallCounts(), count_shop_call, seed="shop")
        return shop_app(dials=dials, shop=self.shop, doorman=doorman, middleware=middleware)

    def _pass(self) -> None:
        self.clock.advance(CALL_TIME)

    async def look(self, verb: str) -> None:
        """Let every source "poll", or every one "sweep"; one that fails looks again next time.

        With the sweeps go those that look at odd rows again.
        """
        verbs = (verb, "look at odd") if verb == "sweep" else (verb,)
        for name, run in self._looks.items():
            if name.startswith(verbs):
                await self.engine.looked(name, run)

    def place(self, **members: Any) -> int:
        """Place an order and return its id."""
        [placed] = self._orders.place({"kind": "simple", **members})
        return int(placed["entity_id"])

    def register_abroad(self) -> int:
        """Let somebody register who has a second address in a country that nobody configured."""
        made = register(self.shop, {"store": "b2b_de"})
        own = [*made["addresses"], ABROAD]
        return int(self.shop.customers.change(made["id"], {"addresses": own})["id"])

    def edit(self, order: int, **members: Any) -> int:
        """Edit an order in the back office, and return the id of the one that replaces it."""
        return int(self._orders.edit(order, members)["entity_id"])

    def act(self, order: int, action: str, **members: Any) -> Any:
        """Let the back office do something to an order."""
        return ACTIONS[action](self.shop, order, members)

    def make_odd(self, table: str, number: int, **odd: Any) -> None:
        """Write into a table of the shop."""
        self.shop.write_row(table, number, odd_row(odd))

    def documents_of(self, order: int) -> list[Mapping[str, Any]]:
        """Return the ERP's orders whose lines name rows of one order of the shop."""
        rows = {str(item["item_id"]) for item in self.shop.orders[order]["items"]}
        return [
            told
            for told in self.documents.orders.told()
            if rows & {line["OrderLineReference"].rpartition("-")[2] for line in told["lines"]}
        ]

    def returns_of(self, order: int) -> list[Mapping[str, Any]]:
        """Return the ERP's returns that take back lines of one order of the shop."""
        lots = {
            line["InventoryLotId"] for told in self.documents_of(order) for line in told["lines"]
        }
        return [
            told
            for told in self.documents.returns.told()
            if lots & {line["ReturningInventoryLotId"] for line in told["lines"]}
        ]

    def is_told_odd(self, flow: str, number: int) -> bool:
        """Return whether somebody was told of a row that cannot be read."""
        return (flow, number) in self.odd_rows.kept


class _Issued:
    """A token that is issued anew whenever it is asked for."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def token(self) -> str:
        return self._tokens.issue(ERP_URL)

    def invalidate(self, token: str) -> None:
        raise AssertionError(f"the ERP refused {token!r}")


def _settings(start_at: str) -> SyncSettings:
    shop = INTEGRATIONS[0]
    orders = {
        **_RULES["orders"],
        "start_at": start_at,
        "guest_account": GUEST_ACCOUNT,
        "reference_prefix": {"3": "D-", "4": "E-"},
        "payment": {**_RULES["orders"]["payment"], "free": {"method": "FREE"}},
        "free_lines": "send",
    }
    return SyncSettings.model_validate(
        {
            "environments": {
                "sandbox": {
                    "url": ERP_URL,
                    "tenant": "demo-tenant",
                    "authority": "https://entra.test/demo-tenant",
                    "time_zone": "Europe/Berlin",
                    "sync_client_id": "demo-sync",
                    "sync_client_secret": "demo-sync-secret",
                }
            },
            "markets": {
                MARKET: {
                    "environment": "sandbox",
                    "legal_entity": "demf",
                    "currency": "EUR",
                    "magento_customers": {1: "C-1001", 2: "C-1002", 3: "C-1003"},
                }
            },
            "sync": {
                "magento": {
                    "url": SHOP_URL,
                    "consumer_key": shop.consumer_key,
                    "consumer_secret": shop.consumer_secret,
                    "token": shop.token,
                    "token_secret": shop.token_secret,
                },
                "postgres": {"url": "embedded"},
                "markets": {
                    MARKET: {
                        "website_id": 3,
                        "store_ids": sorted(STORES.values()),
                        "orders": orders,
                        "customers": {"group": {"*": "10"}},
                        "returns": {"undelivered": "send", "disposition": "Credit"},
                    }
                },
            },
        }
    )
