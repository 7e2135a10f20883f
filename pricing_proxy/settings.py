"""What `pricing-proxy` can be told: the configuration file as one checked value."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field

from pricing_proxy.configuration import reading
from pricing_proxy.configuration.addresses import is_loopback
from pricing_proxy.configuration.api_keys import ApiKey, hash_of
from pricing_proxy.configuration.cross_checks import market_mistakes, table
from pricing_proxy.configuration.entra_apps import add_conventions, app_mistakes
from pricing_proxy.configuration.environments import MODEL, Environment
from pricing_proxy.configuration.listeners import (
    Listener,
    MetricsListener,
    OperatorListener,
    Port,
)
from pricing_proxy.configuration.markets import MarketSection
from pricing_proxy.configuration.mistakes import Mistake
from pricing_proxy.configuration.redis import RedisSection
from pricing_proxy.configuration.storefront import Storefront
from pricing_proxy.configuration.telemetry import Telemetry

DEMO_KEY = "demo-key"
# What pydantic takes for true, in the file or from the environment.
_TRUE_TEXTS = ("true", "1", "yes", "on", "t", "y")


class PublicListener(Listener):
    """What the shop calls: from elsewhere, as a rule."""

    host: str = "0.0.0.0"  # noqa: S104 -- behind a load balancer
    port: Port = 8080


class AdminListener(OperatorListener):
    """What operators call: for others it needs a key with scope `operate`."""

    port: Port = 8081

    @property
    def open_names(self) -> list[str] | None:
        """The names under which it may be read without a key; None where a key is asked for."""
        return self.host_names if is_loopback(self.host) else None


class PriceMetricsListener(MetricsListener):
    """What Prometheus scrapes without a login; off unless its table stands in the file."""

    port: Port = 8082


class Service(BaseModel):
    """The running program.

    Attributes:
        public: What the shop calls.
        admin: What operators call; on loopback unless a key with scope `operate` exists.
        metrics: What Prometheus scrapes, where it cannot reach the admin listener.
        memory_megabytes: What remembered prices may cost in this process; 0 remembers nothing.
        body_limit_kb: Larger request bodies are refused.
        browse_ms: Time of an answer in browse mode.
        cart_ms: The same in cart mode.
        checkout_ms: The same in checkout mode.
        maps_refresh_seconds: How often the item and customer maps are read from the ERP.
        shutdown_seconds: How long to go on serving after SIGTERM, until load balancers know.
        demo: This is the demo: its public key is allowed.
    """

    model_config = MODEL

    public: PublicListener = PublicListener()
    admin: AdminListener = AdminListener()
    metrics: PriceMetricsListener | None = None
    memory_megabytes: Annotated[int, Field(ge=0, le=65_536)] = 256
    body_limit_kb: Annotated[int, Field(ge=1, le=1024)] = 256
    browse_ms: Annotated[int, Field(ge=50, le=5000)] = 150
    cart_ms: Annotated[int, Field(ge=50, le=10_000)] = 1500
    checkout_ms: Annotated[int, Field(ge=500, le=30_000)] = 4000
    maps_refresh_seconds: Annotated[int, Field(ge=10, le=86_400)] = 900
    shutdown_seconds: Annotated[int, Field(ge=0, le=120)] = 5
    demo: bool = False


class Settings(BaseModel):
    """The whole configuration.

    Attributes:
        environments: ERP environments by name.
        markets: Markets by the shop's website code.
        redis: Where prices are kept.
        service: The running program.
        telemetry: What is told about it.
        api_keys: Who may call.
        sync: The section of `d365-sync`, which checks it.
        storefront: Whose tokens open prices to browsers; without it none do.
    """

    model_config = MODEL

    environments: Annotated[dict[str, Environment], Field(min_length=1)]
    markets: Annotated[dict[str, MarketSection], Field(min_length=1)]
    redis: RedisSection = RedisSection()
    service: Service = Service()
    telemetry: Telemetry = Telemetry()
    api_keys: list[ApiKey] = []
    sync: dict[str, Any] = {}
    storefront: Storefront | None = None

    @property
    def shop_url(self) -> str | None:
        """The shop's address, where the other program's section of the file names it."""
        url = table(self.sync, "magento").get("url")
        return url if isinstance(url, str) else None


def load(path: Path | None) -> Settings:
    """Return the settings; raises `ConfigurationError` with every mistake."""
    fill = partial(add_conventions, kind="pricing")
    return reading.read(Settings, path, fill=fill, cross_check=_cross_check)


@dataclass(frozen=True, slots=True)
class ConfigurationFiles:
    """Where the settings came from, to look whether they changed and to read them again.

    Attributes:
        path: The TOML file; None for the one the environment names, or the default one.
    """

    path: Path | None

    def load(self) -> Settings:
        """Return what they say now; raises `ConfigurationError` with every mistake."""
        return load(self.path)

    def fingerprint(self) -> tuple[tuple[Path, int, int, int], ...]:
        """Return a value that another content has another of; a missing file counts too."""
        return tuple(_stamp(file) for file in reading.sources(self.path))


def _stamp(file: Path) -> tuple[Path, int, int, int]:
    try:
        # Through links: mounted secrets are swapped by turning one.
        state = file.stat()
    except OSError:
        return file, 0, 0, 0
    return file, state.st_mtime_ns, state.st_size, state.st_ino


def _cross_check(document: Mapping[str, Any]) -> Iterator[Mistake]:
    """Find what no single key shows; the document may be wrong in any other way as well."""
    yield from market_mistakes(document)
    yield from app_mistakes(document, kind="pricing")
    yield from _key_mistakes(document)
    host = table(document, "service", "admin").get("host")
    if isinstance(host, str) and not is_loopback(host) and not _has_operator(document):
        advice = "expected a loopback address, or an API key with scope operate"
        yield Mistake("service.admin.host", advice, host)


def _key_mistakes(document: Mapping[str, Any]) -> Iterator[Mistake]:
    is_demo = str(table(document, "service").get("demo", "false")).lower() in _TRUE_TEXTS
    demo_hash = hash_of(DEMO_KEY)
    keys = _api_keys(document)
    for index, key in enumerate(keys):
        if key.get("sha256") == demo_hash and not is_demo:
            advice = "is the demo's public key; make one with: pricing-proxy key"
            yield Mistake(f"api_keys.{index}.sha256", advice)
    names = [str(key["name"]) for key in keys if "name" in key]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Mistake("api_keys", "expected every name once", name)


def _has_operator(document: Mapping[str, Any]) -> bool:
    return any(
        isinstance(scopes := key.get("scopes"), list)
        and "operate" in scopes
        and key.get("revoked") is not True
        for key in _api_keys(document)
    )


def _api_keys(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the keys that are tables at all, an empty one in place of any other."""
    keys = document.get("api_keys")
    found = keys if isinstance(keys, list) else []
    return [key if isinstance(key, dict) else {} for key in found]
