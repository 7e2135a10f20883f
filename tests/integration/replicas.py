"""Real `serve` processes over one sandbox, and a client that goes round among them.

The client does what a load balancer does: it asks each replica every half second whether
it is ready, sends each request once, to the next ready one, and never repeats any.
"""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import ClientConnectionError, ClientSession, ClientTimeout

from pricing_proxy.children import tied
from pricing_proxy.configuration.api_keys import hash_of
from pricing_proxy.demo.plan import SECRET, SECRET_NAME, free_ports, is_free
from pricing_proxy.sandbox.server import Sandbox, SandboxSettings
from pricing_proxy.serve.worker_place import own_port
from tests.patience import PATIENCE_SECONDS

KEY = "the key of the rolling restart"
_POLL_SECONDS = 0.5
_CONFIGURATION = """\
[environments.sandbox]
url = "{fo}"
tenant = "{tenant}"
authority = "{authority}"
ca_file = "{ca_file}"
time_zone = "Europe/Berlin"
pricing_client_id = "demo-pricing"
[markets.b2b_de]
environment = "sandbox"
legal_entity = "demf"
currency = "EUR"
[redis]
url = "{redis}"
[service]
shutdown_seconds = 2
public = {{ host = "127.0.0.1", port = {port} }}
admin = {{ host = "127.0.0.1", port = {admin} }}
[[api_keys]]
name = "shop"
sha256 = "{key_hash}"
scopes = ["prices"]
"""


@dataclass
class Replica:
    """One `serve` process, which may be ended and started again on its port."""

    file: Path
    url: str
    admin_port: int
    workers: int = 1
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it; it is ready some time later."""
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pricing_proxy", "serve", "--config", str(self.file)),
            f"--workers={self.workers}",
            env={**os.environ, SECRET_NAME: SECRET},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            **tied(),
        )

    async def terminate(self) -> int:
        """Ask it to end, and return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.process.wait()

    async def kill(self) -> None:
        """End it at once if it still runs."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


@dataclass
class RoundRobin:
    """Sends requests round the replicas that said they were ready.

    Attributes:
        outcomes: How requests ended: an HTTP status, or the name of an error.
    """

    session: ClientSession
    replicas: Sequence[Replica]
    outcomes: Counter[str] = field(default_factory=Counter)
    ready: list[Replica] = field(default_factory=list)
    _turn: int = 0

    async def poll(self) -> None:
        """Ask everybody, twice a second, for ever."""
        while True:
            states = await asyncio.gather(*map(self._is_ready, self.replicas))
            self.ready = [r for r, state in zip(self.replicas, states, strict=True) if state]
            await asyncio.sleep(_POLL_SECONDS)

    async def send(self) -> None:
        """Send one request."""
        self._turn += 1
        replica = self.ready[self._turn % len(self.ready)]
        body = {
            "market": "b2b_de",
            "customer": f"C-100{1 + self._turn % 3}",
            "lines": [{"sku": f"LAMP-{1 + self._turn % 24:02}", "quantity": "1"}],
        }
        try:
            async with self.session.post(
                f"{replica.url}/v1/prices", json=body, headers={"X-API-Key": KEY}
            ) as answer:
                await answer.read()
                self.outcomes[str(answer.status)] += 1
        except (ClientConnectionError, TimeoutError) as error:
            self.outcomes[type(error).__name__] += 1

    async def send_for_ever(self, *, pause_seconds: float) -> None:
        """Send one request after the other, for one of several shoppers."""
        while True:
            await self.send()
            await asyncio.sleep(pause_seconds)

    async def until_ready(self, count: int) -> None:
        """Return when so many are ready."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.ready) < count:  # noqa: ASYNC110 -- other processes tell nobody
                await asyncio.sleep(0.1)

    async def _is_ready(self, replica: Replica) -> bool:
        try:
            async with self.session.get(f"{replica.url}/health/ready") as answer:
                return answer.status == 200
        except (ClientConnectionError, TimeoutError):
            return False


@asynccontextmanager
async def replicas(
    folder: Path, redis_url: str, *, count: int, workers: int = 1
) -> AsyncIterator[RoundRobin]:
    """Start so many replicas over one sandbox, each of so many workers; end all on exit."""
    async with AsyncExitStack() as stack:
        settings = SandboxSettings(state_dir=folder, latency_ms=5, entra_latency_ms=0)
        sandbox = await stack.enter_async_context(Sandbox(settings))
        session = await stack.enter_async_context(
            ClientSession(timeout=ClientTimeout(total=PATIENCE_SECONDS))
        )
        started = [_replica(folder, sandbox, redis_url, number, workers) for number in range(count)]
        for replica in started:
            stack.push_async_callback(replica.kill)
            await replica.start()
        client = RoundRobin(session, started)
        polling = asyncio.create_task(client.poll())
        try:
            yield client
        finally:
            polling.cancel()
            await asyncio.gather(polling, return_exceptions=True)


def _replica(folder: Path, sandbox: Sandbox, redis_url: str, number: int, workers: int) -> Replica:
    authority, _, tenant = sandbox.authority.rpartition("/")
    port, admin = free_ports(1)[0], _free_for_each(workers)
    file = folder / f"replica-{number}.toml"
    text = _CONFIGURATION.format(
        fo=sandbox.fo_url,
        tenant=tenant,
        authority=authority,
        ca_file=sandbox.ca_file,
        redis=redis_url,
        port=port,
        admin=admin,
        key_hash=hash_of(KEY),
    )
    file.write_text(text, encoding="utf-8")
    return Replica(file, f"http://127.0.0.1:{port}", admin, workers)


def _free_for_each(workers: int) -> int:
    """Return a port that is free for every worker's own listener."""
    while True:
        [first] = free_ports(1)
        if all(is_free(own_port(first, number)) for number in range(2, workers + 1)):
            return first
