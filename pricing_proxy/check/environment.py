"""Check one environment: Entra ID and F&O, then each of its markets.

Everything ends within `Limits.total`.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from pricing_proxy.check.erp_calls import ErpCalls
from pricing_proxy.check.market import MASTER_DATA_ROWS, CheckedMarket, MasterDataChecks
from pricing_proxy.check.prices import PRICE_ROWS, Prices
from pricing_proxy.check.side_by_side import side_by_side
from pricing_proxy.clock import Clock
from pricing_proxy.configuration.environments import Environment
from pricing_proxy.configuration.markets import MarketSection
from pricing_proxy.diagnosis.board import Board, skipped
from pricing_proxy.diagnosis.direct_calls import (
    DirectErp,
    Patience,
    direct_session,
    trusted_certificates,
)
from pricing_proxy.diagnosis.entra import EntraApp
from pricing_proxy.diagnosis.environment import EnvironmentVitals
from pricing_proxy.diagnosis.limits import Limits
from pricing_proxy.diagnosis.report import Progress
from pricing_proxy.diagnosis.steps import Steps
from pricing_proxy.resilience.deadline import Deadline


class EnvironmentCheck:
    """Fills the tables of one environment and its markets.

    Args:
        name: The environment's name in the configuration.
        environment: Its settings.
        markets: Its markets, by code.
        limits: How long to wait.
        clock: Time.
        on_progress: Told what is being done.
    """

    def __init__(
        self,
        name: str,
        environment: Environment,
        markets: Mapping[str, MarketSection],
        *,
        limits: Limits,
        clock: Clock,
        on_progress: Progress,
    ) -> None:
        self._environment = environment
        self._markets = markets
        self._limits = limits
        self._clock = clock
        self._say = on_progress
        app = EntraApp(
            kind="pricing",
            client_id=environment.pricing_client_id,
            client_secret=environment.pricing_client_secret,
            priority="High",
        )
        self._vitals = EnvironmentVitals(
            name, environment, app, limits=limits, on_progress=on_progress
        )
        self._market_boards = {
            code: Board(f"Market {code}", (*MASTER_DATA_ROWS, *PRICE_ROWS)) for code in markets
        }

    @property
    def boards(self) -> Sequence[Board]:
        """The environment's table, then its markets'."""
        return (self._vitals.board, *self._market_boards.values())

    @property
    def is_stuck(self) -> bool:
        """Whether a thread still waits for Entra ID, and would hold up the process's end."""
        return self._vitals.is_stuck

    async def run(self) -> None:
        """Fill the tables."""
        total_us = self._limits.total // timedelta(microseconds=1)
        until = Deadline.after(total_us, now_us=self._clock.monotonic_us())
        patience = Patience(wait=self._limits.wait, until=until, clock=self._clock)
        try:
            trusted = trusted_certificates(self._environment.ca_file)
        except OSError as error:
            cause = self._vitals.fail_on_ca_file(error)
            for board in self._market_boards.values():
                board.fill_rest(skipped(cause))
            return
        async with direct_session(trusted) as session:
            way = await self._vitals.run(session, patience)
            await side_by_side(self._run_market(code, way) for code in self._markets)

    async def _run_market(self, code: str, way: DirectErp) -> None:
        steps = Steps(
            self._market_boards[code],
            system=self._vitals.board,
            vitals=self._vitals.erp,
            is_over=way.patience.is_over,
        )
        checked = CheckedMarket(
            code=code,
            market=self._markets[code],
            environment=self._environment,
            erp=ErpCalls(way),
            clock=self._clock,
        )
        master = MasterDataChecks(checked, steps=steps)
        self._say(f"{code}: company and catalog")
        await master.run()
        self._say(f"{code}: prices")
        await Prices(checked, master, steps=steps).run()
