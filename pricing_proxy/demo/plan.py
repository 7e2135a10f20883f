"""What the demo runs: its ports, its configuration file, and the commands it prints."""

import json
import shlex
import socket
import sys
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from pricing_proxy.configuration.api_keys import hash_of
from pricing_proxy.configuration.mistakes import SECRETS_VARIABLE
from pricing_proxy.demo.sync_commands import sync_commands
from pricing_proxy.demo.sync_plan import sync_configuration, sync_secrets
from pricing_proxy.settings import DEMO_KEY

_CONFIGURATION = """\
# Written by the demo at each start; a real one needs no more than this.
[environments.sandbox]
url = "http://127.0.0.1:{ports.fo}"
tenant = "demo-tenant"
authority = "https://127.0.0.1:{ports.entra}"
ca_file = {ca_file}
time_zone = "Europe/Berlin"
pricing_client_id = "demo-pricing"
sync_client_id = "demo-sync"

[markets.b2b_de]
environment = "sandbox"
legal_entity = "demf"
currency = "EUR"
currencies = ["EUR", "USD", "CHF"]
probe_customer = "C-1001"
probe_skus = [{probe_skus}]

[markets.b2b_de.magento_customers]
1 = "C-1001"
2 = "C-1002"
3 = "C-1003"

[redis]
url = "redis://127.0.0.1:{ports.redis}/0"

[service]
demo = true
public = {{ host = "127.0.0.1", port = {ports.public} }}
admin = {{ host = "127.0.0.1", port = {ports.admin} }}

[[api_keys]]
name = "demo"
sha256 = "{key_hash}"
scopes = ["prices", "login", "explain", "invalidate", "operate"]
"""
_PROBE_SKUS = ", ".join(f'"LAMP-{number:02}"' for number in range(1, 25))

# The demo's secret opens nothing but the sandbox; it goes the way that real ones go.
SECRET_NAME = "PRICING_PROXY_ENVIRONMENTS__SANDBOX__PRICING_CLIENT_SECRET"  # noqa: S105 -- a name
SECRET = "demo-pricing-secret"  # noqa: S105 -- see above


PRICES, SYNC = "pricing-proxy", "d365-sync"
_MODULES = {PRICES: "pricing_proxy", SYNC: "sync"}
_OPTIONS = {
    "public": "--port",
    "admin": "--admin-port",
    "control": "--control-port",
    "fo": "--fo-port",
    "entra": "--entra-port",
    "magento": "--magento-port",
    "intake": "--intake-port",
    "operators": "--operators-port",
}


class DemoError(Exception):
    """The demo cannot run; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where everything listens, on loopback; `redis` and `alerts` are any free ports."""

    public: int
    admin: int
    control: int
    fo: int
    entra: int
    magento: int
    intake: int
    operators: int
    redis: int
    alerts: int

    def check(self) -> None:
        """Raise `DemoError` naming each port that another program has."""
        lines = [
            f"  {port}: choose another by {_OPTIONS[name]}" for name, port in self._taken().items()
        ]
        if lines:
            raise DemoError(
                "\n".join(["These ports are taken, perhaps by another demo:", *lines])
                + "\nWith make: make demo DEMO_ARGS='--port 9080'; or any that are free: "
                "make demo DEMO_ARGS=--any-port"
            )

    def moved(self) -> "Ports":
        """Return the same with free ports instead of those that another program has."""
        taken = self._taken()
        return replace(self, **dict(zip(taken, free_ports(len(taken)), strict=True)))

    def _taken(self) -> dict[str, int]:
        ports = {name: int(getattr(self, name)) for name in _OPTIONS}
        return {name: port for name, port in ports.items() if not is_free(port)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The demo's files and addresses.

    Attributes:
        ports: Where everything listens.
        folder: Where configuration, certificates and logs go.
        database: Where the sync's database goes; an empty folder.
    """

    ports: Ports
    folder: Path
    database: Path

    @property
    def configuration_file(self) -> Path:
        """What `serve` and `check` read."""
        return self.folder / "pricing-proxy.toml"

    @property
    def secrets_folder(self) -> Path:
        """Where they find their secrets."""
        return self.folder / "secrets"

    @property
    def ca_file(self) -> Path:
        """What the sandbox's Entra ID is trusted by."""
        return self.folder / "entra-ca.pem"

    @property
    def public_url(self) -> str:
        """Where prices are."""
        return f"http://127.0.0.1:{self.ports.public}"

    @property
    def admin_url(self) -> str:
        """Where status and invalidations are."""
        return f"http://127.0.0.1:{self.ports.admin}"

    @property
    def intake_url(self) -> str:
        """Where the sync hears the shop."""
        return f"http://127.0.0.1:{self.ports.intake}"

    @property
    def control_url(self) -> str:
        """Where dials are turned."""
        return f"http://127.0.0.1:{self.ports.control}"

    def write_configuration(self) -> None:
        """Write the configuration file and the secrets."""
        self.secrets_folder.mkdir(parents=True, exist_ok=True)
        secrets = {
            SECRET_NAME: SECRET,
            **sync_secrets(alerts=self.ports.alerts, price_key=DEMO_KEY),
        }
        for name, secret in secrets.items():
            (self.secrets_folder / name).write_text(secret, encoding="utf-8")
        text = _CONFIGURATION.format(
            ports=self.ports,
            # A text of JSON is one of TOML, whatever the folder is called.
            ca_file=json.dumps(str(self.ca_file.resolve()), ensure_ascii=False),
            probe_skus=_PROBE_SKUS,
            key_hash=hash_of(DEMO_KEY),
        )
        text += sync_configuration(
            magento=self.ports.magento,
            intake=self.ports.intake,
            operators=self.ports.operators,
            prices=self.ports.public,
            database=self.database,
        )
        self.configuration_file.write_text(text, encoding="utf-8")

    def check_command(self) -> str:
        """Return how to ask what works; a turned dial shows as one red row."""
        option = f"--config {shlex.quote(str(self.configuration_file))}"
        return f"{self._secrets()} {_program(PRICES)} check {option}"

    def commands(self) -> dict[str, str]:
        """Return what to try, by what it shows."""
        program, key = _program(PRICES), f"-H 'X-API-Key: {DEMO_KEY}'"
        query = "market=b2b_de&customer=C-1001&sku=LAMP-01&quantity=10"
        price = f"curl -s {key} '{self.public_url}/v1/prices?{query}'"
        sandbox = f"{program} sandbox"
        control = "" if self.ports.control == 8100 else f" --control-port {self.ports.control}"  # noqa: PLR2004 -- the default
        changed = '{"market":"b2b_de","scope":{"customer":"C-1001"},"level":"soft","reason":"demo"}'
        invalidate = (
            f"curl -s {key} -H 'Content-Type: application/json' -d '{changed}' "
            f"{self.admin_url}/v1/invalidations"
        )
        return {
            "A price": price,
            # Invalidated, so that the price is flagged at once and not only when it is old; at the
            # end, time for the service to find the ERP again.
            "An outage, and still a price": (
                f"{price}; echo; "
                f"{sandbox} dial fo dead=true{control} && {invalidate}; echo; {price}; echo; "
                f"{price.replace('quantity=10', 'quantity=10&mode=checkout')}; echo; "
                f"{sandbox} dial fo dead=false{control}; sleep 8"
            ),
            "A price change": (
                f"{sandbox} price LAMP-01 18.50 --customer C-1001 --from-quantity 10{control} && "
                f"{invalidate}; echo; {price}"
            ),
            **sync_commands(
                program=program,
                sync=_program(SYNC),
                configuration=self.configuration_file,
                secrets=self._secrets(),
                control_url=self.control_url,
                control=control,
            ),
        }

    def _secrets(self) -> str:
        return f"{SECRETS_VARIABLE}={shlex.quote(str(self.secrets_folder))}"


def is_free(port: int) -> bool:
    """Return whether nobody listens on a loopback port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_ports(count: int) -> list[int]:
    """Return loopback ports that nobody has right now."""
    with ExitStack() as stack:
        # All are held until the last is found: none is found twice.
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def _program(script: str) -> str:
    """Return how to call a program of ours from the folder the demo was started in."""
    path = Path(sys.executable).with_name(script)
    if not path.exists():
        return f"{shlex.quote(sys.executable)} -m {_MODULES[script]}"
    try:
        return shlex.quote(str(path.relative_to(Path.cwd())))
    except ValueError:
        return shlex.quote(str(path))
