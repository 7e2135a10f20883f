"""Run the demo of compose.yaml out of the built image, and judge what it promises.

    unshare --net --pid --fork --kill-child --mount-proc python -m tests.deploy.container.trial

Prints what was measured; ends with 1 and says what is wrong where a promise is broken.
"""

import errno
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import requests

from pricing_proxy.children import tied
from pricing_proxy.demo.loopback import loopback_session
from pricing_proxy.settings import DEMO_KEY
from tests.deploy.container import composed
from tests.deploy.container.building import ImageError
from tests.deploy.container.composed import Demo, grace_seconds, until_healthy
from tests.deploy.container.running import Container
from tests.deploy.files import read_yaml
from tests.deploy.metric_table import SUFFIXES
from tests.deploy.queries import Query, queries, rules, series

MOST_CPU_SECONDS = 0.3
_ORDERS = 3
_ARRIVED_SECONDS = 60.0
_PRICE = "http://127.0.0.1:8080/v1/prices?market=b2b_de&customer=C-1001&sku=LAMP-01&quantity=10"
_ERP_ORDERS = "http://127.0.0.1:8100/systems/fo/orders"
# Process 1 of the container, as the kernel sees it; and what its root says to a write.
_RIGHTS = """\
import json
told = dict(line.split(":", 1) for line in open("/proc/1/status"))
found = {name: told[name].split() for name in ("Uid", "Gid", "CapEff", "CapBnd", "NoNewPrivs")}
found["command"] = open("/proc/1/cmdline").read().split("\\0")
try:
    open("/opt/pricing-proxy/new", "w")
except OSError as error:
    found["errno"] = error.errno
print(json.dumps(found))
"""
_CPU = """\
import resource, subprocess, sys
least = None
for _ in range(5):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.argv[1], "--version"], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    least = used if least is None else min(least, used)
print(least)
"""


def main() -> int:
    """Run the trial; return 1 when a promise is broken."""
    subprocess.run(("ip", "link", "set", "lo", "up"), check=True, **tied())  # noqa: S607 -- where PATH says
    with tempfile.TemporaryDirectory(prefix="image-", ignore_cleanup_errors=True) as folder:
        try:
            _try(Demo.in_folder(Path(folder)))
        except ImageError as error:
            print(error)
            return 1
    return 0


def _try(demo: Demo) -> None:
    with (
        composed.redis(demo.folder),
        composed.postgres(demo.folder),
        demo.container("sandbox") as sandbox,
    ):
        until_healthy(sandbox, "sandbox")
        _measure_cpu(sandbox)
        with demo.container("demo-serve") as serve, demo.container("demo-sync") as sync:
            for container, program in ((serve, "pricing-proxy"), (sync, "d365-sync")):
                until_healthy(container, container.name)
                _judge_rights(container, program, demo.user)
            print("both programs: ready, process 1, no rights, root read-only")
            _price()
            _orders(sandbox)
            _judge_queries()
            for container in (serve, sync):
                seconds = container.stop(grace_seconds(container.name))
                print(f"{container.name}: SIGTERM, exit code 0 after {seconds:.1f} s")


def _measure_cpu(container: Container) -> None:
    for program in ("pricing-proxy", "d365-sync"):
        used = float(_said(container, "python", "-c", _CPU, program))
        print(f"{program} --version: {used:.2f} s of CPU")
        if used >= MOST_CPU_SECONDS:
            raise ImageError(f"that is more than {MOST_CPU_SECONDS} s")


def _judge_rights(container: Container, program: str, user: int) -> None:
    found = json.loads(_said(container, "python", "-c", _RIGHTS))
    wanted = {"Uid": [str(user)] * 4, "Gid": [str(user)] * 4, "NoNewPrivs": ["1"]}
    wanted |= {kind: ["0" * 16] for kind in ("CapEff", "CapBnd")}
    wrong = {name: found[name] for name, text in wanted.items() if found[name] != text}
    if wrong or user == 0:
        raise ImageError(f"{container.name} has rights: {wrong}")
    if found.get("errno") != errno.EROFS:
        raise ImageError(f"{container.name} can write to its root: errno {found.get('errno')}")
    if not any(part.endswith(f"/{program}") for part in found["command"]):
        raise ImageError(f"{container.name}: process 1 is {found['command']}, not {program}")


def _price() -> None:
    answer = _get(_PRICE, headers={"X-API-Key": DEMO_KEY})
    [line] = answer["lines"]
    if not (answer["complete"] and line["state"] == "fresh" and line["line_total"] == "171.00"):
        raise ImageError(f"a wrong price: {answer}")
    print(f"a price: {line['line_total']} {answer['currency']}, {line['state']}")


def _orders(sandbox: Container) -> None:
    """Place orders in the shop and wait until each is in the ERP, once."""
    before = len(_get(_ERP_ORDERS))
    place = ("pricing-proxy", "sandbox", "order", "--kind", "simple", f"--count={_ORDERS}")
    print(_said(sandbox, *place).strip())
    end = time.monotonic() + _ARRIVED_SECONDS
    while len(found := _get(_ERP_ORDERS)) < before + _ORDERS:
        if time.monotonic() > end:
            raise ImageError(f"{len(found)} orders in the ERP after {_ARRIVED_SECONDS} s: {found}")
        time.sleep(0.5)
    print(f"{len(found) - before} orders in the ERP, each once")


def _judge_queries() -> None:
    """Hold what dashboards and alerts ask for against what both used programs tell."""
    told = {"up", *(rule["record"] for rule in rules() if "record" in rule)}
    # By the names of hosts there; all are this loopback.
    jobs = read_yaml("prometheus/prometheus.yml")["scrape_configs"]
    targets = [each for job in jobs for told in job["static_configs"] for each in told["targets"]]
    for target in targets:
        port = target.partition(":")[2]
        for line in _answer(f"http://127.0.0.1:{port}/metrics").text.splitlines():
            match line.split():
                case ["#", "TYPE", name, kind]:
                    told |= {name.removesuffix("_total") + each for each in SUFFIXES[kind]}
    known = {name: labels for name, labels in series().items() if name in told}
    asked = [*queries(), *(Query(str(rule), rule["expr"]) for rule in rules())]
    if faults := [fault for query in asked for fault in query.faults(known)]:
        raise ImageError("\n".join(("not told by programs that were used:", *faults)))
    print(f"{len(asked)} queries of dashboards and rules: all that they name is told")


def _said(container: Container, *command: str) -> str:
    done = container.run(*command)
    if done.returncode != 0:
        raise container.error(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def _get(url: str, **options: Any) -> Any:
    answer = _answer(url, **options)
    return answer.json()


def _answer(url: str, **options: Any) -> requests.Response:
    with loopback_session() as session:
        answer = session.get(url, timeout=10, **options)
    if not answer.ok:
        raise ImageError(f"{url} answers {answer.status_code}: {answer.text[:500]}")
    return answer


if __name__ == "__main__":
    sys.exit(main())
