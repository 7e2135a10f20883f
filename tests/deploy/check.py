"""Check what is in `deploy/` with the tools that people use for each kind of file.

    make deploy-check          python -m tests.deploy.check

Root gets what is missing from Debian. Any other tool that is missing is named with how to get it,
and fails the check of its files; the others are checked all the same. The image is built and run
by `tests.deploy.container`. What needs no tool is checked by the other tests of this folder, in
`make test`.
"""

import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from pricing_proxy.children import tied
from tests.code.sources import ROOT
from tests.deploy.container import building
from tests.deploy.container.building import ImageError
from tests.deploy.files import DEPLOY
from tests.deploy.queries import queries
from tests.deploy.tools import PARSER, TOOLS, install, is_here, may_install, packages_of

# systemd's own score: 10 is a unit with no protection at all, "OK" ends at 5.
_MOST_EXPOSED = 2.0
_YAML_RULES = "{extends: relaxed, rules: {line-length: {max: 130}, key-duplicates: enable}}"
_CHART = "deploy/helm/pricing-proxy"
_KUBERNETES = "1.37"
_ALL_ON = (
    "podMonitor.enabled=true",
    "prometheusRule.enabled=true",
    "serve.ingress.enabled=true",
    "serve.ingress.host=prices.example.com",
    "serve.ingress.tlsSecretName=tls",
    "serve.workers=3",
    "workloadIdentity.enabled=true",
    "workloadIdentity.pricingClientId=a",
    "workloadIdentity.syncClientId=b",
    "workloadIdentity.tenantId=c",
    "certificate.pricingSecret=tls",
    "certificate.syncSecret=tls",
)
# Kinds of Prometheus' operator, whose schemas are not Kubernetes' own.
_CUSTOM = {"monitoring"}
MISTAKES = {
    "serve.replica=3": "'replica' not allowed",
    "serve.replicas=abc": "/serve/replicas",
    "serve.workers=0": "/serve/workers",
    "image.tag=latest": "/image/tag",
    "shutdownSeconds=500": "/shutdownSeconds",
    "serve.ingress.enabled=true": "/serve/ingress/host",
    # The admin listener is never an ingress' own: there is no port to choose.
    "serve.ingress.port=8081": "/serve/ingress': additional properties 'port'",
    "secretName=": "/secretName",
    "serve.autoscaling.minReplicas=9": "serve.autoscaling: minReplicas",
    "serve.resources.requests.cpu=null": "serve.resources.requests.cpu: autoscaling",
    "networkPolicy.dnsPorts=": "/networkPolicy/dnsPorts",
    "networkPolicy.egressPorts={http}": "/networkPolicy/egressPorts",
    "workloadIdentity.enabled=true": "/workloadIdentity",
}
"""Values that the chart must refuse, and by which name."""
# Fails where the command succeeds, and where it fails by another name than `$0`.
_REFUSES = """if said=$("$@" 2>&1); then echo "$* is not refused"; exit 1; fi
case "$said" in *"$0"*) ;; *) echo "not named ($0): $said"; exit 1;; esac"""
# With a network of its own, and ended as a whole.
_ALONE = ("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
_SEVERITIES = {"page": "on-call", "ticket": "tickets"}


@dataclass(frozen=True, slots=True)
class Check:
    """What is asked of some files.

    Attributes:
        about: What is checked.
        tools: What it needs.
        commands: Returns what is run, in order, given an empty folder.
        is_measured: What it says is shown also when nothing is wrong.
    """

    about: str
    tools: tuple[str, ...]
    commands: Callable[[Path], Iterator[Sequence[str]]]
    is_measured: bool = False


def main() -> int:
    """Run every check; return 1 when one failed."""
    console = Console(highlight=False)
    _install_missing(console)
    failed = 0
    for check in CHECKS:
        problem = _problem(check, console)
        failed += problem is not None
        console.print(f"{'ok    ' if problem is None else 'FAILED'} {check.about}")
        if problem is not None:
            console.print(problem, markup=False)
    console.print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


def _install_missing(console: Console) -> None:
    packages = packages_of(tool for check in CHECKS for tool in check.tools)
    if packages and may_install():
        console.print(f"Installing {', '.join(packages)} ...")
        if problem := install(packages):
            console.print(problem, markup=False)


def _problem(check: Check, console: Console) -> str | None:
    missing = [tool for tool in check.tools if not is_here(tool)]
    if missing:
        return "\n".join(f"  {tool} is missing. {TOOLS[tool].advice}" for tool in missing)
    said = ""
    with tempfile.TemporaryDirectory() as folder:
        try:
            for command in check.commands(Path(folder)):
                done = _run(command)
                if done.returncode != 0:
                    return f"  {' '.join(command)}\n{done.stdout}"
                said += done.stdout
        except ImageError as error:
            return f"  {error}"
    if check.is_measured:
        console.print(textwrap.indent(said.rstrip(), " " * 7), markup=False)
    return None


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **tied(),
    )


def _image(_: Path) -> Iterator[Sequence[str]]:
    yield "hadolint", "deploy/image/Dockerfile"


def _built(_: Path) -> Iterator[Sequence[str]]:
    yield from building.build()


def _held(_: Path) -> Iterator[Sequence[str]]:
    yield sys.executable, "-m", "tests.deploy.container.holding"


def _run_it(_: Path) -> Iterator[Sequence[str]]:
    yield *_ALONE, sys.executable, "-m", "tests.deploy.container.trial"


def _refused(_: Path) -> Iterator[Sequence[str]]:
    yield *_ALONE, sys.executable, "-m", "tests.deploy.container.refusals"


def _compose(_: Path) -> Iterator[Sequence[str]]:
    schema = ("check-jsonschema", "--builtin-schema", "vendor.compose-spec")
    yield *schema, "deploy/compose/compose.yaml"


def _chart(folder: Path) -> Iterator[Sequence[str]]:
    """Lint and render the chart, hold its objects against Kubernetes' schemas, and mistake it."""
    given = (_CHART, "--set-file", "config=deploy/compose/demo.toml")
    yield "helm", "lint", "--strict", *given
    everything = [f"--set={value}" for value in _ALL_ON]
    objects = folder / "objects"
    yield "helm", "template", "release", *given, *everything, "--output-dir", str(objects)
    yield "helm", "template", "release", *given, "--set=existingConfigMap=own"
    rendered = objects / "pricing-proxy" / "templates"
    found = [str(file) for file in sorted(rendered.glob("*.yaml")) if file.stem not in _CUSTOM]
    yield "kubernetes-validate", "--strict", "-k", _KUBERNETES, *found
    for mistake, name in MISTAKES.items():
        wrong = ("helm", "template", "release", *given, f"--set={mistake}")
        yield "sh", "-c", _REFUSES, name, *wrong


def _yaml(_: Path) -> Iterator[Sequence[str]]:
    folders = [folder for folder in sorted(DEPLOY.iterdir()) if folder.is_dir()]
    # A chart's templates are no YAML before they are rendered.
    plain = [str(folder) for folder in folders if folder.name != "helm"]
    yield "yamllint", "-d", _YAML_RULES, "--strict", *plain, f"{_CHART}/values.yaml"


def _units(folder: Path) -> Iterator[Sequence[str]]:
    """Verify the units with programs that exist: ours are not installed here."""
    for unit in sorted((DEPLOY / "systemd").glob("*.service")):
        copy = folder / unit.name
        text = unit.read_text(encoding="utf-8")
        for program in ("pricing-proxy", "d365-sync"):
            text = text.replace(f"=/opt/pricing-proxy/bin/{program} ", "=/bin/true ")
        copy.write_text(text, encoding="utf-8")
        yield "systemd-analyze", "verify", str(copy)
        threshold = f"--threshold={round(_MOST_EXPOSED * 10)}"
        yield "systemd-analyze", "security", "--offline=true", threshold, str(copy)


def _installed(folder: Path) -> Iterator[Sequence[str]]:
    building.require_namespaces()
    yield "unshare", "--mount", "tests/deploy/installing.sh", str(folder)


def _proxies(folder: Path) -> Iterator[Sequence[str]]:
    """Have both proxies read their examples, with a certificate made for it."""
    key, certificate, both = (folder / name for name in ("key.pem", "cert.pem", "both.pem"))
    made = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1")
    yield *made, "-subj", "/CN=check", "-keyout", str(key), "-out", str(certificate)
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    haproxy, site, nginx = (folder / name for name in ("haproxy.cfg", "site.conf", "nginx.conf"))
    for example, copy in (("haproxy.cfg", haproxy), ("nginx.conf", site)):
        text = (DEPLOY / "proxies" / example).read_text(encoding="utf-8")
        for name in ("prices", "sync"):
            for owner in ("haproxy", "nginx"):
                text = text.replace(f"/etc/{owner}/certs/{name}.pem", str(both))
        copy.write_text(text.replace("/var/log/nginx", str(folder)), encoding="utf-8")
    yield "haproxy", "-c", "-f", str(haproxy)
    places = f"pid {folder}/pid; error_log stderr; events {{}}"
    nginx.write_text(f"{places} http {{ include {site}; }}", encoding="utf-8")
    yield "nginx", "-t", "-c", str(nginx)


def _prometheus(_: Path) -> Iterator[Sequence[str]]:
    yield "promtool", "check", "config", "deploy/prometheus/prometheus.yml"
    yield "promtool", "check", "rules", *_files("prometheus/rules/*.yml")
    yield "promtool", "test", "rules", *_files("prometheus/tests/*.yml")


def _routes(_: Path) -> Iterator[Sequence[str]]:
    file = "deploy/prometheus/alertmanager.yml"
    yield "amtool", "check-config", file
    for severity, receiver in _SEVERITIES.items():
        test = ("amtool", "config", "routes", "test", f"--config.file={file}")
        yield *test, f"--verify.receivers={receiver}", f"severity={severity}"


def _queries(folder: Path) -> Iterator[Sequence[str]]:
    """Parse each query of the dashboards, by a grammar that is not ours."""
    file = folder / "queries.txt"
    file.write_text("\n".join(query.resolved for query in queries()), encoding="utf-8")
    parse = "import sys, promql_parser as p; [p.parse(line) for line in open(sys.argv[1])]"
    # The tools' own interpreter, which comes first in the path.
    yield "python3", "-c", parse, str(file)


def _files(pattern: str) -> list[str]:
    return [str(file.relative_to(ROOT)) for file in sorted(DEPLOY.glob(pattern))]


_RUNNING = ("ip", "redis-server", "runc", "unshare")
CHECKS = (
    Check("the Dockerfile (hadolint)", ("hadolint",), _image),
    Check("the compose file, by its schema", ("check-jsonschema",), _compose),
    Check("the Helm chart, by Kubernetes' schemas", ("helm", "kubernetes-validate"), _chart),
    Check("YAML (yamllint)", ("yamllint",), _yaml),
    Check("systemd's units, and how exposed they are", ("systemd-analyze",), _units),
    Check("installed for systemd, twice", ("setpriv", "systemd-analyze", "unshare"), _installed),
    Check("HAProxy and nginx read the examples", ("haproxy", "nginx", "openssl"), _proxies),
    Check("Prometheus: configuration, rules, a test of each alert", ("promtool",), _prometheus),
    Check("Alertmanager: configuration, routes", ("amtool",), _routes),
    Check("the image, built of the Dockerfile", building.TOOLS, _built),
    Check("what the image holds", (), _held, is_measured=True),
    Check("both programs in the image", _RUNNING, _run_it, is_measured=True),
    Check(
        "what is wrong around the image is named",
        (*_RUNNING, "openssl", "pgbouncer"),
        _refused,
        is_measured=True,
    ),
    Check("queries of the dashboards (promql-parser)", (PARSER,), _queries),
)

if __name__ == "__main__":
    sys.exit(main())
