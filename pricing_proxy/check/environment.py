"""Check one environment: Entra ID and F&O side by side, then each of its markets.

Whether F&O answers at all is asked without a token, so that a failing Entra ID does not
hide it. Everything ends within `Limits.total`.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import aiohttp

from pricing_proxy.check.board import Board, failed, skipped
from pricing_proxy.check.entra import TokenSamples, entra_vitals, sample_tokens
from pricing_proxy.check.erp_calls import ErpCalls, erp_calls, erp_session, trusted_certificates
from pricing_proxy.check.limits import Limits
from pricing_proxy.check.market import MASTER_DATA_ROWS, CheckedMarket, MasterData
from pricing_proxy.check.prices import PRICE_ROWS, Prices
from pricing_proxy.check.sampling import Sample, sample, sample_many
from pricing_proxy.check.side_by_side import side_by_side
from pricing_proxy.check.steps import Steps
from pricing_proxy.check.vitals import Vitals
from pricing_proxy.clock import Clock
from pricing_proxy.configuration.environments import Environment
from pricing_proxy.configuration.markets import Market
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.resilience.errors import UpstreamTimeoutError

Progress = Callable[[str], None]

# 12 x 2 calls: one failure in five is then missed once in two hundred checks, and the calls
# of the markets come on top.
_CALLERS = 12
_CALLS_EACH = 2


class EnvironmentCheck:
    """Fills the tables of one environment and its markets.

    Args:
        name: The environment's name in the configuration.
        environment: Its settings.
        markets: Its markets, by code.
        limits: How long to wait.
        clock: Time.
        on_progress: Told what is being done.

    Attributes:
        is_stuck: A thread still waits for Entra ID, and would hold up the end of the process.
    """

    def __init__(
        self,
        name: str,
        environment: Environment,
        markets: Mapping[str, Market],
        *,
        limits: Limits,
        clock: Clock,
        on_progress: Progress,
    ) -> None:
        self._name = name
        self._environment = environment
        self._markets = markets
        self._limits = limits
        self._clock = clock
        self._say = on_progress
        self._entra = entra_vitals(name, environment, limits)
        self._erp = _erp_vitals(name, environment, limits)
        self._board = Board(f"Environment {name}", (*self._entra.names, *self._erp.names))
        self._market_boards = {
            code: Board(f"Market {code}", (*MASTER_DATA_ROWS, *PRICE_ROWS)) for code in markets
        }
        self._version = ""
        self.is_stuck = False

    @property
    def boards(self) -> Sequence[Board]:
        """The environment's table, then its markets'."""
        return (self._board, *self._market_boards.values())

    async def run(self) -> None:
        """Fill the tables."""
        total_us = self._limits.total // timedelta(microseconds=1)
        until = Deadline.after(total_us, now_us=self._clock.monotonic_us())
        try:
            trusted = trusted_certificates(self._environment)
        except OSError as error:
            self._fail_on_ca_file(error)
            return
        async with erp_session(trusted) as session:
            await self._run(session, until)

    async def _run(self, session: aiohttp.ClientSession, until: Deadline) -> None:
        self._say(f"{self._name}: Entra ID")
        anonymous = self._calls(session, "", until)
        async with asyncio.TaskGroup() as group:
            reach = group.create_task(sample(anonymous.version, clock=self._clock))
            tokens = await sample_tokens(
                self._environment, limits=self._limits, until=until, clock=self._clock
            )
            self._judge_entra(tokens)
            self._say(f"{self._name}: F&O")
            token = tokens.token.text if tokens.token is not None else ""
            erp = self._calls(session, token, until)
            samples = await self._sample_erp(erp) if token else []
        self._judge_erp([reach.result()], samples)
        await side_by_side(self._run_market(code, erp) for code in self._markets)

    def _judge_entra(self, tokens: TokenSamples) -> None:
        self.is_stuck = tokens.is_stuck
        life = tokens.token.lifetime if tokens.token is not None else timedelta()
        admitted = f"for {self._environment.pricing_client_id}, lives {life.total_seconds():.0f} s"
        self._entra.judge(self._board, tokens.samples, admitted=admitted)

    async def _sample_erp(self, erp: ErpCalls) -> list[Sample]:
        async def ask() -> None:
            self._version = await erp.version()

        return await sample_many(
            [ask] * _CALLERS,
            times=_CALLS_EACH,
            enough=self._limits.sampling,
            clock=self._clock,
        )

    def _judge_erp(self, contacts: Sequence[Sample], samples: Sequence[Sample]) -> None:
        is_there = self._erp.judge_reach(self._board, [*contacts, *samples])
        fair = [each for each in samples if self._is_fair(each)]
        if is_there and fair:
            self._erp.judge(self._board, fair, admitted=f"F&O {self._version}")
        missing = self._board.blocker((self._erp.reachable, *self._entra.required))
        # With a token and no samples, a slow Entra ID has used up the time.
        cause = missing or self._board.first_failed() or self._erp.reachable
        for name in self._erp.names:
            self._board.fill(name, skipped(cause))

    def _is_fair(self, each: Sample) -> bool:
        """Return whether a time-out is more than our own haste at the end of the check."""
        return not isinstance(each.error, UpstreamTimeoutError) or each.took >= self._limits.wait

    async def _run_market(self, code: str, erp: ErpCalls) -> None:
        board = self._market_boards[code]
        steps = Steps(board, erp=self._board, vitals=self._erp, is_over=erp.is_over)
        checked = CheckedMarket(
            code=code,
            market=self._markets[code],
            environment=self._environment,
            erp=erp,
            clock=self._clock,
        )
        master = MasterData(checked, steps=steps)
        self._say(f"{code}: company and catalog")
        await master.run()
        self._say(f"{code}: prices")
        await Prices(checked, master, steps=steps).run()

    def _calls(self, session: aiohttp.ClientSession, token: str, until: Deadline) -> ErpCalls:
        return erp_calls(
            session,
            self._environment,
            token=token,
            limits=self._limits,
            until=until,
            clock=self._clock,
        )

    def _fail_on_ca_file(self, error: OSError) -> None:
        file = self._environment.ca_file
        self._board.put(
            self._entra.reachable,
            failed(
                f"{file} cannot be read: {error.strerror or type(error).__name__}",
                f"Correct environments.{self._name}.ca_file: a PEM file with the authority's "
                "certificate",
            ),
        )
        for board in self.boards:
            board.fill_rest(skipped(self._entra.reachable))


def _erp_vitals(name: str, environment: Environment, limits: Limits) -> Vitals:
    here = f"environments.{name}"
    client = environment.pricing_client_id
    return Vitals(
        label="F&O",
        admitted="F&O accepts the token",
        slow=limits.erp_slow,
        unsteady=limits.unsteady,
        when_lost=f"Open {environment.url} from this machine; look at {here}.url, DNS, firewall, "
        "and whether the environment runs (Lifecycle Services)",
        when_throttling="Wait as long as it asks; give the app priority High (Throttling priority "
        "mapping in F&O), and look what else loads the environment",
        when_failing="Look at the environment's health in Lifecycle Services, with the request id "
        "from here; a gateway that fails looks the same",
        when_refusing=lambda _: (
            f"Register client {client} in F&O (System administration > Setup > Microsoft Entra "
            f"ID applications) with an enabled user, and compare {here}.url with the "
            "environment's address"
        ),
        when_slow="Look at the environment's load (batch jobs, sizing, SQL insights in Lifecycle "
        "Services), then at the line from this machine",
    )
