"""Have a real Prometheus watch a drill: both programs scraped, and the rules of `deploy/` asked.

The sync runs as well then, with an order every second, so that its alerts can be judged.
"""

import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from pricing_proxy.configuration.mistakes import SECRETS_VARIABLE
from pricing_proxy.demo.alerts import hearing_alerts
from pricing_proxy.demo.loopback import loopback_session
from pricing_proxy.demo.plan import Plan, free_ports
from pricing_proxy.demo.sync_plan import end_database
from tests.bench.programs import BenchError, process, program, wait_for
from tests.deploy.files import DEPLOY
from tests.drill.judge import ERP_DEAD
from tests.drill.pace import faster_rules, prometheus_configuration
from tests.drill.records import Phase

PACE = 30
"""By default five minutes of a rule are ten seconds of a drill, a third of a phase."""

EXPECTED: Mapping[str, tuple[str, ...]] = {
    # Checkouts read anew: of a brown-out they are refused, in time.
    "PricingProxyCheckoutBudgetBurn": ("brown-out",),
    "PricingProxyCheckoutBudgetLow": ("brown-out",),
    # Five of six attempts at an order fail when one call of five does.
    "D365SyncSystemLost": ("brown-out", ERP_DEAD),
    "PricingProxyBreakerOpen": (ERP_DEAD,),
    "PricingProxyRedisLost": ("Redis dead",),
    "PricingProxyUnverified": ("Redis dead",),
    # Nobody approves what the first look at the catalog found: two minutes are an hour.
    "D365SyncPlanWaits": ("Redis dead", "recovery"),
}
"""In which phases an alert begins to fire, at `PACE` and with phases of the usual length."""
MAY_FIRE = {
    # An order is looked up as soon as its system is back, in a program's own time; here half an
    # hour is a minute.
    "D365SyncInDoubt",
    # One failure within ten seconds, where it is thirty within five minutes: a busy machine has it.
    "PricingProxyRedisFailing",
}
"""What a shortened time may bring, and need not."""

_ORDER_EVERY_MS = 1_000
_ORDERS = 100_000
_STEP_SECONDS = 0.5
# What fired that soon has gone on from the phase before.
_AT_ONCE_SECONDS = 1.5
_QUIET_SECONDS = 120.0
_JOBS = ("pricing-proxy", "d365-sync")


@dataclass(frozen=True, slots=True)
class Fired:
    """An alert that fired.

    Attributes:
        severity: Whom it is for.
        after: In which phase it fired, and how many seconds after the phase had begun; an
            alert that fired on from the phase before has 0.
    """

    severity: str
    after: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Watch:
    """A Prometheus that watches.

    Attributes:
        address: Its own.
        pace: By which its rules were shortened.
    """

    address: str
    pace: int

    def fired(self, phases: Sequence[Phase]) -> dict[str, Fired]:
        """Return what fired since the first phase began."""
        offset = time.time() - time.monotonic()
        asked = {
            "query": 'ALERTS{alertstate="firing"}',
            "start": phases[0].began + offset,
            "end": phases[-1].ended + offset,
            "step": _STEP_SECONDS,
        }
        severities: dict[str, str] = {}
        seen: defaultdict[str, set[float]] = defaultdict(set)
        for series in self._ask("query_range", asked)["result"]:
            name = series["metric"]["alertname"]
            severities[name] = series["metric"]["severity"]
            seen[name] |= {float(at) - offset for at, _ in series["values"]}
        return {
            name: Fired(severities[name], _after(instants, phases))
            for name, instants in sorted(seen.items())
        }

    def until_quiet(self) -> None:
        """Wait until both programs were scraped and nothing is wrong; raises `BenchError`."""
        end = time.monotonic() + _QUIET_SECONDS
        while (up := len(self._now("up == 1"))) < len(_JOBS) or self._now("ALERTS"):
            if time.monotonic() > end:
                raise BenchError(
                    f"before anything was broken alerts: {self._now('ALERTS')}, {up} up"
                )
            time.sleep(_STEP_SECONDS)

    def _now(self, query: str) -> list[str]:
        found = self._ask("query", {"query": query})["result"]
        return [str(series["metric"]) for series in found]

    def failed_rules(self) -> list[str]:
        """Return the rules that could not be evaluated."""
        groups = self._ask("rules", {})["groups"]
        found = [rule for group in groups for rule in group["rules"]]
        return [rule["name"] for rule in found if rule["health"] != "ok"]

    def _ask(self, what: str, query: Mapping[str, Any]) -> Any:
        with loopback_session() as session:
            answer = session.get(f"{self.address}/api/v1/{what}", params=dict(query), timeout=30)
            answer.raise_for_status()
            return answer.json()["data"]


@contextmanager
def watched(plan: Plan, pace: int) -> Iterator[Watch]:
    """Start the sync, a stream of orders and Prometheus; the price service must run already.

    Args:
        plan: What runs.
        pace: By which the rules are shortened.
    """
    folder = plan.folder
    with ExitStack() as stack:
        stack.callback(end_database, plan.database)
        stack.enter_context(hearing_alerts(plan.ports.alerts, lambda _: None))
        secrets = {SECRETS_VARIABLE: str(plan.secrets_folder)}
        sync = [sys.executable, "-m", "sync", "run", "--yes", f"--config={plan.configuration_file}"]
        stack.enter_context(process(sync, folder / "sync.log", secrets))
        wait_for(f"{plan.intake_url}/health/live")
        orders = [*program("sandbox", "order"), f"--count={_ORDERS}"]
        orders += [f"--every-ms={_ORDER_EVERY_MS}", f"--control-port={plan.ports.control}"]
        stack.enter_context(process(orders, folder / "orders.log"))
        [port] = free_ports(1)
        stack.enter_context(process(_prometheus(plan, port, pace), folder / "prometheus.log"))
        watch = Watch(f"http://127.0.0.1:{port}", pace)
        wait_for(f"{watch.address}/-/ready")
        watch.until_quiet()
        yield watch


def table(fired: Mapping[str, Fired], phases: Sequence[Phase]) -> Table:
    """Return which alert fired in which phase, and after how many of its seconds."""
    found = Table(title="Alerts", title_justify="left")
    for column in ("alert", "severity", *(phase.name for phase in phases)):
        found.add_column(column)
    for name, one in fired.items():
        times = (one.after.get(phase.name) for phase in phases)
        shown = (
            "" if each is None else "goes on" if each == 0 else f"{each:.1f} s" for each in times
        )
        found.add_row(name, one.severity, *shown)
    return found


def unexpected(fired: Mapping[str, Fired]) -> list[str]:
    """Return what is otherwise than `EXPECTED`, in words."""
    wrong = [f"{name} did not fire" for name in sorted(EXPECTED.keys() - fired.keys())]
    for name in sorted(fired.keys() - MAY_FIRE):
        began = next((phase for phase, after in fired[name].after.items() if after > 0), "before")
        if began not in EXPECTED.get(name, ()):
            wrong.append(f"{name} fired from {began} on")
    return wrong


def _after(instants: Iterable[float], phases: Sequence[Phase]) -> dict[str, float]:
    """Return how long after a phase's begin it was first seen in it, in the order of phases."""
    firsts = {
        phase.name: min(
            (at - phase.began for at in instants if phase.began <= at < phase.ended), default=None
        )
        for phase in phases
    }
    return {
        name: 0.0 if first < _AT_ONCE_SECONDS else round(first, 1)
        for name, first in firsts.items()
        if first is not None
    }


def _prometheus(plan: Plan, port: int, pace: int) -> list[str]:
    """Write what Prometheus reads; return how it is started."""
    server = shutil.which("prometheus")
    if server is None:
        raise BenchError("install prometheus (Debian: apt-get install prometheus): it watches")
    folder = plan.folder / "prometheus"
    folder.mkdir()
    files = []
    for file in sorted((DEPLOY / "prometheus" / "rules").glob("*.yml")):
        copy = folder / file.name
        copy.write_text(faster_rules(file.read_text(encoding="utf-8"), pace), encoding="utf-8")
        files.append(str(copy))
    addresses = (f"127.0.0.1:{port}" for port in (plan.ports.admin, plan.ports.operators))
    targets = dict(zip(_JOBS, addresses, strict=True))
    text = prometheus_configuration(files, targets, pace)
    (folder / "prometheus.yml").write_text(text, encoding="utf-8")
    command = [server, f"--config.file={folder}/prometheus.yml"]
    command += [f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"]
    return command
