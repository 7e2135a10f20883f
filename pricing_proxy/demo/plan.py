"""What the demo runs: its ports, its configuration file, and the commands it prints."""

import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from pricing_proxy.configuration.api_keys import hash_of
from pricing_proxy.configuration.reading import SECRETS_VARIABLE
from pricing_proxy.demo.sync_plan import sync_commands, sync_configuration, sync_secrets
from pricing_proxy.settings import DEMO_KEY

_CONFIGURATION = """\
# Written by the demo at each start; a real one needs no more than this.
[environments.sandbox]
url = "http://127.0.0.1:{ports.fo}"
tenant = "demo-tenant"
authority = "https://127.0.0.1:{ports.entra}"
ca_file = "{ca_file}"
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
        options = {
            "--port": self.public,
            "--admin-port": self.admin,
            "--control-port": self.control,
            "--fo-port": self.fo,
            "--entra-port": self.entra,
            "--magento-port": self.magento,
            "--intake-port": self.intake,
            "--operators-port": self.operators,
        }
        taken = [
            f"  {port}: choose another by {option}"
            for option, port in options.items()
            if not is_free(port)
        ]
        if taken:
            lines = "\n".join(taken)
            raise DemoError(
                f"These ports are taken, perhaps by another demo:\n{lines}\n"
                "With make: make demo DEMO_ARGS='--port 9080'"
            )


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
        secrets = {SECRET_NAME: SECRET, **sync_secrets(alerts=self.ports.alerts)}
        for name, secret in secrets.items():
            (self.secrets_folder / name).write_text(secret, encoding="utf-8")
        text = _CONFIGURATION.format(
            ports=self.ports,
            ca_file=self.ca_file.resolve(),
            probe_skus=_PROBE_SKUS,
            key_hash=hash_of(DEMO_KEY),
        )
        text += sync_configuration(
            magento=self.ports.magento,
            intake=self.ports.intake,
            operators=self.ports.operators,
            database=self.database,
        )
        self.configuration_file.write_text(text, encoding="utf-8")

    def check_command(self) -> str:
        """Return how to ask what works; a turned dial shows as one red row."""
        return f"{self._secrets()} {_program()} check --config {self.configuration_file}"

    def commands(self) -> dict[str, str]:
        """Return what to try, by what it shows."""
        program, key = _program(), f"-H 'X-API-Key: {DEMO_KEY}'"
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
                configuration=self.configuration_file,
                secrets=self._secrets(),
                control_url=self.control_url,
                control=control,
            ),
        }

    def _secrets(self) -> str:
        return f"{SECRETS_VARIABLE}={self.secrets_folder}"


def is_free(port: int) -> bool:
    """Return whether nobody listens on a loopback port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """Return a loopback port that nobody has right now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _program() -> str:
    """Return how to call this program from the folder the demo was started in."""
    path = Path(sys.argv[0])
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
