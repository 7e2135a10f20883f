"""Run the sandbox: the simulated systems on ports of their own, under one control port.

`async with Sandbox(settings) as sandbox` serves until the block ends. Everything that
a system knows lives here, outside its web application, so that a system can die by
its dial and come back with what it knew. All ports are loopback.
"""

import asyncio
import ssl
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from aiohttp import web
from aiohttp.typedefs import Middleware

from pricing_proxy.clock import Clock, SystemClock
from pricing_proxy.sandbox.app_proofs import AppProofs
from pricing_proxy.sandbox.business_events import BusinessEvents
from pricing_proxy.sandbox.catalog import CatalogSize, build_book
from pricing_proxy.sandbox.certificates import tls_context
from pricing_proxy.sandbox.control import System, control_app
from pricing_proxy.sandbox.dials import Dials
from pricing_proxy.sandbox.documents.store import Documents
from pricing_proxy.sandbox.entra import TENANT, count_entra_call, entra_app
from pricing_proxy.sandbox.erp_events import announce
from pricing_proxy.sandbox.faults import Counter, faults
from pricing_proxy.sandbox.finance_operations import count_fo_call, fo_app
from pricing_proxy.sandbox.listener import Listener
from pricing_proxy.sandbox.odata import PAGE_SIZE, Tables
from pricing_proxy.sandbox.price_service import ErpPriceService
from pricing_proxy.sandbox.shop.app import count_shop_call, shop_app
from pricing_proxy.sandbox.shop.dials import ShopDials
from pricing_proxy.sandbox.shop.placing import Counter as OrderCounter
from pricing_proxy.sandbox.shop.push import Push
from pricing_proxy.sandbox.shop.signatures import Doorman
from pricing_proxy.sandbox.shop.tables import Shop
from pricing_proxy.sandbox.tokens import Tokens

# Long enough to feel like an ERP, short enough to try things out.
DEFAULT_LATENCY_MS = 60
# Identity providers are quicker than ERPs.
ENTRA_LATENCY_MS = 20
CA_FILE_NAME = "entra-ca.pem"


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """What a sandbox can be told; port 0 takes any free one.

    Attributes:
        latency_ms: Of F&O and Magento at start; the dials change it.
        account_attribute: Whether the shop's customers have the attribute of the ERP's account at
            start; a stock shop has not, and the dial makes it.
        ca_file: Where the CA's certificate goes; by default into `state_dir`.
        page_size: Rows of an OData page; F&O's own limit by default.
        intake_url: Where the shop tells of new orders; by default nowhere.
        intake_secret: What it signs that with.
        events_url: Where F&O's business events go; by default nowhere.
    """

    state_dir: Path
    size: CatalogSize = field(default_factory=CatalogSize)
    latency_ms: int = DEFAULT_LATENCY_MS
    entra_latency_ms: int = ENTRA_LATENCY_MS
    account_attribute: bool = False
    control_port: int = 0
    fo_port: int = 0
    entra_port: int = 0
    magento_port: int = 0
    ca_file: Path | None = None
    page_size: int = PAGE_SIZE
    intake_url: str | None = None
    intake_secret: str = ""
    events_url: str | None = None


class Sandbox:
    """The running sandbox.

    Attributes:
        book: What F&O knows; posting through the control port changes it.
        documents: Sales orders, customers and returns of F&O.
        shop: What Magento knows.
        proofs: By what Entra ID's apps may prove who they are.
        systems: Dials and call counts by system name, as the control port shows them.
        ca_file: The certificate that clients must trust for Entra ID.
    """

    def __init__(self, settings: SandboxSettings, *, clock: Clock | None = None) -> None:
        clock = clock or SystemClock()
        self.book = build_book(settings.size, clock.utc().date())
        self._shop_dials = ShopDials(
            latency_ms=settings.latency_ms, account_attribute=settings.account_attribute
        )
        self.systems = {
            "entra": System(Dials(latency_ms=settings.entra_latency_ms)),
            "fo": System(Dials(latency_ms=settings.latency_ms)),
            "magento": System(self._shop_dials),
        }
        self.shop = Shop(self.book, self._shop_dials, clock=clock)
        self.ca_file = settings.ca_file or settings.state_dir / CA_FILE_NAME
        self._settings = settings
        self._clock = clock
        self._tokens = Tokens(clock)
        self.proofs = AppProofs(settings.state_dir, clock=clock)
        self.documents = Documents(
            self.book, self.systems["fo"].dials, clock=clock, page_size=settings.page_size
        )
        self._tables = Tables(
            self.book,
            self.documents.stock,
            self.systems["fo"].dials,
            page_size=settings.page_size,
        )
        self._doorman = Doorman(now=self.shop.seconds)
        self._orders = OrderCounter(self.shop, seed=f"{settings.size.seed}:orders")
        self._listeners: dict[str, Listener] = {}
        self._turning = asyncio.Lock()
        self._exit = AsyncExitStack()

    @property
    def control_url(self) -> str:
        """Where dials are turned."""
        return self._listeners["control"].url

    @property
    def fo_url(self) -> str:
        """The environment URL of F&O; tokens must be for exactly this audience."""
        return self._listeners["fo"].url

    @property
    def magento_url(self) -> str:
        """The shop's root."""
        return self._listeners["magento"].url

    @property
    def authority(self) -> str:
        """The authority for msal."""
        return f"{self._listeners['entra'].url}/{TENANT}"

    async def __aenter__(self) -> Self:
        """Open all ports, or none.

        Raises:
            PortTakenError: Another program has one of them.
        """
        state_dir = self._settings.state_dir
        state_dir.mkdir(parents=True, exist_ok=True)
        self._listeners = self._all_listeners(tls_context(self.ca_file, state_dir))
        async with AsyncExitStack() as stack:
            for listener in self._listeners.values():
                await listener.open()
                stack.push_async_callback(listener.close)
            await stack.enter_async_context(self.shop.write_log)
            await stack.enter_async_context(self.shop.consumer)
            if self._settings.intake_url is not None:
                await stack.enter_async_context(self._push(self._settings.intake_url))
            if self._settings.events_url is not None:
                await stack.enter_async_context(self._events(self._settings.events_url))
            self._exit = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all ports."""
        await self._exit.aclose()

    async def apply_dead(self, name: str) -> None:
        """Close or open a system's port as its `dead` dial says."""
        listener = self._listeners.get(name)
        if listener is None:
            return
        # Two patches at once must not both open the port.
        async with self._turning:
            if self.systems[name].dials.dead:
                await listener.close()
            else:
                await listener.open()

    def _all_listeners(self, tls: ssl.SSLContext) -> dict[str, Listener]:
        settings = self._settings
        return {
            "control": Listener(
                lambda: control_app(
                    self.systems,
                    self.book,
                    self.documents,
                    self.shop,
                    self._orders,
                    self.proofs,
                    apply_dead=self.apply_dead,
                ),
                port=settings.control_port,
                option="--control-port",
            ),
            "fo": Listener(self._fo, port=settings.fo_port, option="--fo-port"),
            "entra": Listener(
                self._entra, port=settings.entra_port, option="--entra-port", tls=tls
            ),
            "magento": Listener(self._magento, port=settings.magento_port, option="--magento-port"),
        }

    def _fo(self) -> web.Application:
        system = self.systems["fo"]
        return fo_app(
            dials=system.dials,
            tokens=self._tokens,
            tables=self._tables,
            documents=self.documents,
            prices=ErpPriceService(
                self.book, system.dials, seed=f"{self._settings.size.seed}:prices"
            ),
            environment_url=lambda: self.fo_url,
            middleware=self._faults("fo", count_fo_call),
        )

    def _entra(self) -> web.Application:
        return entra_app(
            dials=self.systems["entra"].dials,
            tokens=self._tokens,
            proofs=self.proofs,
            clock=self._clock,
            environment_url=lambda: self.fo_url,
            middleware=self._faults("entra", count_entra_call),
        )

    def _magento(self) -> web.Application:
        return shop_app(
            dials=self._shop_dials,
            shop=self.shop,
            doorman=self._doorman,
            middleware=self._faults("magento", count_shop_call),
        )

    def _push(self, url: str) -> Push:
        push = Push(url, self._settings.intake_secret, seconds=self.shop.seconds)
        self.shop.on_placed = push.placed
        return push

    def _events(self, url: str) -> BusinessEvents:
        events = BusinessEvents(
            url,
            self.book.company,
            self.systems["fo"].dials,
            milliseconds=lambda: int(self._clock.utc().timestamp() * 1000),
            seed=f"{self._settings.size.seed}:events",
        )
        announce(events, self.book, self.documents)
        return events

    def _faults(self, name: str, count: Counter) -> Middleware:
        system = self.systems[name]
        seed = f"{self._settings.size.seed}:{name}"
        return faults(system.dials, system.calls, count, seed=seed)
