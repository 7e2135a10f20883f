"""Check one environment as one of its apps: Entra ID and F&O side by side.

Whether F&O answers at all is asked without a token, so that a failing Entra ID does not
hide it.
"""

import asyncio
from collections.abc import Sequence

import aiohttp

from pricing_proxy.configuration.environments import Environment
from pricing_proxy.diagnosis.board import Board, failed, skipped
from pricing_proxy.diagnosis.direct_calls import DirectErp, Patience
from pricing_proxy.diagnosis.entra import EntraApp, TokenSamples, entra_vitals, sample_tokens
from pricing_proxy.diagnosis.limits import Limits
from pricing_proxy.diagnosis.report import Progress
from pricing_proxy.diagnosis.sampling import TimedCall, sample, sample_calls
from pricing_proxy.diagnosis.vitals import Vitals
from pricing_proxy.resilience.errors import UpstreamTimeoutError


class EnvironmentVitals:
    """Fills the table of one environment.

    Args:
        name: Its name in the configuration.
        environment: Its settings.
        app: Who asks.
        limits: How long to wait.
        on_progress: Told what is being done.

    Attributes:
        board: The table.
        erp: F&O's rows in it.
        is_stuck: A thread still waits for Entra ID, and would hold up the end of the process.
    """

    def __init__(
        self,
        name: str,
        environment: Environment,
        app: EntraApp,
        *,
        limits: Limits,
        on_progress: Progress,
    ) -> None:
        self._name = name
        self._environment = environment
        self._app = app
        self._limits = limits
        self._say = on_progress
        self._entra = entra_vitals(name, environment, app, limits)
        self.erp = _erp_vitals(name, environment, app, limits)
        self.board = Board(f"Environment {name}", (*self._entra.names, *self.erp.names))
        self._version = ""
        self.is_stuck = False

    async def run(self, session: aiohttp.ClientSession, patience: Patience) -> DirectErp:
        """Fill the table, and return the way to F&O: without a token where none came."""
        self._say(f"{self._name}: Entra ID")
        anonymous = self._way(session, "", patience)
        async with asyncio.TaskGroup() as group:
            reach = group.create_task(sample(anonymous.version, clock=patience.clock))
            tokens = await sample_tokens(
                self._environment, self._app, limits=self._limits, patience=patience
            )
            self._judge_entra(tokens)
            self._say(f"{self._name}: F&O")
            token = tokens.token.text if tokens.token is not None else ""
            way = self._way(session, token, patience)
            samples = await self._sample_erp(way, patience) if token else []
        self._judge_erp([reach.result()], samples)
        return way

    def fail_on_ca_file(self, error: OSError) -> str:
        """Fill the table when the CA file cannot be read; return the red row's name."""
        file = self._environment.ca_file
        self.board.put(
            self._entra.reachable,
            failed(
                f"{file} cannot be read: {error.strerror or type(error).__name__}",
                f"Correct environments.{self._name}.ca_file: a PEM file with the authority's "
                "certificate",
            ),
        )
        self.board.fill_rest(skipped(self._entra.reachable))
        return self._entra.reachable

    def _way(self, session: aiohttp.ClientSession, token: str, patience: Patience) -> DirectErp:
        return DirectErp(session, self._environment, token=token, patience=patience)

    def _judge_entra(self, tokens: TokenSamples) -> None:
        self.is_stuck = tokens.is_stuck
        seconds = tokens.token.lifetime.total_seconds() if tokens.token is not None else 0
        admitted = f"for {self._app.client_id}, lives {seconds:.0f} s"
        self._entra.judge(self.board, tokens.samples, admitted=admitted)

    async def _sample_erp(self, way: DirectErp, patience: Patience) -> list[TimedCall]:
        async def ask() -> None:
            self._version = await way.version()

        return await sample_calls(ask, enough=self._limits.sampling, clock=patience.clock)

    def _judge_erp(self, contacts: Sequence[TimedCall], samples: Sequence[TimedCall]) -> None:
        is_there = self.erp.judge_reach(self.board, [*contacts, *samples])
        fair = [each for each in samples if self._is_fair(each)]
        if is_there and fair:
            self.erp.judge(self.board, fair, admitted=f"F&O {self._version}")
        missing = self.board.blocker((self.erp.reachable, *self._entra.required))
        # With a token and no samples, a slow Entra ID has used up the time.
        cause = missing or self.board.first_failed() or self.erp.reachable
        for name in self.erp.names:
            self.board.fill(name, skipped(cause))

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
        when_lost=f"Open {environment.url} from this machine; look at {here}.url, DNS, firewall, "
        "and whether the environment runs (Lifecycle Services)",
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
    )
