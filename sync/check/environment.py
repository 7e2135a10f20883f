"""Check one environment as the sync's app: Entra ID and F&O, then each of its markets."""

import asyncio
from collections.abc import Sequence

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
from sync.check.sets import MarketSets
from sync.settings import SyncSettings


class EnvironmentCheck:
    """Fills the tables of one environment and its markets.

    Args:
        name: The environment's name in the configuration.
        settings: The configuration.
        limits: How long to wait.
        on_progress: Told what is being done.
    """

    def __init__(
        self, name: str, settings: SyncSettings, *, limits: Limits, on_progress: Progress
    ) -> None:
        self._environment = settings.environments[name]
        self._say = on_progress
        app = EntraApp(
            kind="sync",
            client_id=self._environment.sync_client_id,
            client_secret=self._environment.sync_client_secret,
            priority="Low",
        )
        self._vitals = EnvironmentVitals(
            name, self._environment, app, limits=limits, on_progress=on_progress
        )
        self._markets = {
            code: MarketSets(code, settings.markets[code].legal_entity, own)
            for code, own in settings.sync.markets.items()
            if settings.markets[code].environment == name
        }
        self._market_boards = {
            code: Board(f"Market {code}", sets.rows) for code, sets in self._markets.items()
        }

    @property
    def boards(self) -> Sequence[Board]:
        """The environment's table, then its markets'."""
        return (self._vitals.board, *self._market_boards.values())

    @property
    def is_stuck(self) -> bool:
        """Whether a thread still waits for Entra ID, and would hold up the process's end."""
        return self._vitals.is_stuck

    async def run(self, patience: Patience) -> None:
        """Fill the tables."""
        try:
            trusted = trusted_certificates(self._environment.ca_file)
        except OSError as error:
            cause = self._vitals.fail_on_ca_file(error)
            for board in self._market_boards.values():
                board.fill_rest(skipped(cause))
            return
        async with direct_session(trusted) as session:
            way = await self._vitals.run(session, patience)
            async with asyncio.TaskGroup() as group:
                for code in self._markets:
                    group.create_task(self._run_market(code, way))

    async def _run_market(self, code: str, way: DirectErp) -> None:
        self._say(f"{code}: what its flows use in F&O")
        steps = Steps(
            self._market_boards[code],
            system=self._vitals.board,
            vitals=self._vitals.erp,
            is_over=way.patience.is_over,
        )
        await self._markets[code].check(way, steps)
