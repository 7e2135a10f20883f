"""Check one environment as one of our apps: Entra ID and F&O side by side, then each market.

Whether F&O answers at all is asked without a token, so that a failing Entra ID does not
hide it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

import aiohttp

from pricing_proxy.configuration.entra_apps import AppKind, EntraApp
from pricing_proxy.configuration.environments import Environment
from pricing_proxy.diagnosis.board import Board, Finding, skipped
from pricing_proxy.diagnosis.client_proof import PROOF, proof_finding
from pricing_proxy.diagnosis.clocks import clock_finding
from pricing_proxy.diagnosis.direct_calls import (
    DirectErp,
    Patience,
    unreadable,
)
from pricing_proxy.diagnosis.entra import TokenSamples, entra_vitals, sample_tokens
from pricing_proxy.diagnosis.limits import Limits
from pricing_proxy.diagnosis.report import Progress
from pricing_proxy.diagnosis.sampling import TimedCall, sample, sample_calls
from pricing_proxy.diagnosis.steps import Steps
from pricing_proxy.diagnosis.vitals import Vitals
from pricing_proxy.http_exchange import http_session
from pricing_proxy.resilience.errors import UpstreamError, UpstreamTimeoutError

_CLOCK = "F&O's clock"
# Answered at once, without a token, and never out of a cache.
_A_REFUSED_PATH = "/data/LegalEntities"


class MarketCheck(Protocol):
    """What a program asks about one of its markets."""

    @property
    def rows(self) -> Sequence[str]:
        """The rows of the market's table."""
        ...

    async def check(self, way: DirectErp, steps: Steps) -> None:
        """Write them."""
        ...


class EnvironmentCheck:
    """Fills the tables of one environment and its markets.

    Args:
        name: Its name in the configuration.
        environment: Its settings.
        app: As which of our apps it is asked; raises `ValueError` where there is none.
        markets: What to ask about its markets, by their code.
        limits: How long to wait.
        on_progress: Told what is being done.

    Attributes:
        is_stuck: A thread still waits for Entra ID, and would hold up the end of the process.
    """

    def __init__(
        self,
        name: str,
        environment: Environment,
        app: AppKind,
        markets: Mapping[str, MarketCheck],
        *,
        limits: Limits,
        on_progress: Progress,
    ) -> None:
        self._name = name
        self._environment = environment
        self._app = environment.app(app)
        self._markets = markets
        self._limits = limits
        self._say = on_progress
        self._entra = entra_vitals(name, environment, self._app, limits)
        self._erp = _erp_vitals(name, environment, self._app, limits)
        rows = (PROOF, *self._entra.names, *self._erp.names, _CLOCK)
        self._board = Board(f"Environment {name}", rows)
        self._market_boards = {
            code: Board(f"Market {code}", market.rows) for code, market in markets.items()
        }
        self._version = ""
        self.is_stuck = False

    @property
    def boards(self) -> Sequence[Board]:
        """The environment's table, then its markets'."""
        return (self._board, *self._market_boards.values())

    async def run(self, patience: Patience) -> None:
        """Fill the tables."""
        try:
            proxy = self._environment.proxy_to(self._environment.url)
            session = http_session(self._environment.ca_file, proxy=proxy)
        except OSError as error:
            key = f"environments.{self._name}.ca_file"
            cause = unreadable(self._environment.ca_file, error, key=key)
            self._board.put(self._entra.reachable, cause)
            for board in self.boards:
                board.fill_rest(skipped(self._entra.reachable))
            return
        async with session:
            way = await self._check_systems(session, patience)
            async with asyncio.TaskGroup() as group:
                for code, market in self._markets.items():
                    steps = Steps(
                        self._market_boards[code],
                        system=self._board,
                        vitals=self._erp,
                        is_over=patience.is_over,
                    )
                    group.create_task(market.check(way, steps))

    async def _check_systems(self, session: aiohttp.ClientSession, patience: Patience) -> DirectErp:
        """Fill the environment's table; return the way to F&O, without a token where none came."""
        self._say(f"{self._name}: Entra ID")
        anonymous = self._way(session, "", patience)
        async with asyncio.TaskGroup() as group:
            reach = group.create_task(sample(anonymous.version, clock=patience.clock))
            dated = group.create_task(self._compare_clocks(session, patience))
            tokens = await self._ask_entra(patience)
            self._say(f"{self._name}: F&O")
            token = tokens.token.text if tokens.token is not None else ""
            way = self._way(session, token, patience)
            samples = await self._sample_erp(way, patience) if token else []
        self._judge_erp([reach.result()], samples, dated.result())
        return way

    async def _compare_clocks(
        self, session: aiohttp.ClientSession, patience: Patience
    ) -> Finding | None:
        """Return what its clock is like; None where other rows say why nobody can tell."""
        try:
            return await clock_finding(
                session, self._environment.url, _A_REFUSED_PATH, whose="F&O", patience=patience
            )
        except UpstreamError:
            return None

    def _way(self, session: aiohttp.ClientSession, token: str, patience: Patience) -> DirectErp:
        return DirectErp(session, self._environment, token=token, patience=patience)

    async def _ask_entra(self, patience: Patience) -> TokenSamples:
        """Fill Entra ID's rows; nothing is asked where the app cannot prove who it is."""
        here = f"environments.{self._name}"
        proof = proof_finding(self._app, here=here, now=patience.clock.utc())
        self._board.put(PROOF, proof)
        if self._board.is_failed(PROOF):
            for name in self._entra.names:
                self._board.put(name, skipped(PROOF))
            return TokenSamples([], None, is_stuck=False)
        tokens = await sample_tokens(
            self._environment, self._app, limits=self._limits, patience=patience
        )
        self._judge_entra(tokens)
        return tokens

    def _judge_entra(self, tokens: TokenSamples) -> None:
        self.is_stuck = tokens.is_stuck
        seconds = tokens.token.lifetime.total_seconds() if tokens.token is not None else 0
        admitted = f"for {self._app.client_id}, lives {seconds:.0f} s"
        self._entra.judge(self._board, tokens.samples, admitted=admitted)

    async def _sample_erp(self, way: DirectErp, patience: Patience) -> list[TimedCall]:
        async def ask() -> None:
            self._version = await way.version()

        return await sample_calls(ask, enough=self._limits.sampling, clock=patience.clock)

    def _judge_erp(
        self, contacts: Sequence[TimedCall], samples: Sequence[TimedCall], dated: Finding | None
    ) -> None:
        is_there = self._erp.judge_reach(self._board, [*contacts, *samples])
        fair = [each for each in samples if self._is_fair(each)]
        if is_there and fair:
            self._erp.judge(self._board, fair, admitted=f"F&O {self._version}")
        if dated is not None:
            self._board.put(_CLOCK, dated)
        missing = self._board.blocker((self._erp.reachable, *self._entra.required))
        # With a token and no samples, a slow Entra ID has used up the time.
        cause = missing or self._board.first_failed() or self._erp.reachable
        for name in (*self._erp.names, _CLOCK):
            self._board.fill(name, skipped(cause))

    def _is_fair(self, each: TimedCall) -> bool:
        """Return whether a time-out is more than our own haste at the end of the check."""
        return not isinstance(each.error, UpstreamTimeoutError) or each.took >= self._limits.wait


def _erp_vitals(name: str, environment: Environment, app: EntraApp, limits: Limits) -> Vitals:
    here = f"environments.{name}"
    return Vitals(
        label="F&O",
        admitted="F&O accepts the token",
        slow=limits.erp_slow,
        unsteady=limits.unsteady,
        when_lost=f"Open {environment.url} from this machine; look at {here}.url and proxy, DNS, "
        "firewall, and whether the environment runs (Lifecycle Services)",
        when_throttling=f"Wait as long as it asks; give the app priority {app.priority} "
        "(Throttling priority mapping in F&O), and look what else loads the environment",
        when_failing="Look at the environment's health in Lifecycle Services, with the request id "
        "from here; a gateway that fails looks the same",
        when_refusing=lambda _: (
            f"Register client {app.client_id} in F&O (System administration > Setup > Microsoft "
            f"Entra ID applications) with an enabled user, and compare {here}.url with the "
            "environment's address"
        ),
        when_slow="Look at the environment's load (batch jobs, sizing, SQL insights in Lifecycle "
        "Services), then at the line from this machine",
        proxy=environment.proxy_to(environment.url),
    )
