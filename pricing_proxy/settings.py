"""What `pricing-proxy` can be told: the configuration file as one checked value."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field, SecretStr

from pricing_proxy.configuration import reading
from pricing_proxy.configuration.api_keys import ApiKey, hash_of
from pricing_proxy.configuration.environments import MODEL, Environment, ServerUrl
from pricing_proxy.configuration.markets import Market
from pricing_proxy.configuration.problems import ConfigurationError, Problem

DEMO_KEY = "demo-key"
_REDIS_SCHEMES = ("redis", "rediss", "unix")

Port = Annotated[int, Field(ge=0, le=65535)]


def _redis_url(text: str) -> str:
    parts = urlsplit(text)
    if text != "embedded" and parts.scheme not in _REDIS_SCHEMES:
        raise ValueError('expected redis://host:port/db, rediss://... or "embedded"')
    if parts.password:
        raise ValueError("expected no password in the address; put it into redis.password")
    return text


class Redis(BaseModel):
    """Where prices are kept for all replicas.

    Attributes:
        url: Address, or "embedded": inside this process, alone and gone with it.
        password: From the environment or the secrets directory.
        timeout_ms: A command that takes longer has failed.
        connections: At most so many at once.
    """

    model_config = MODEL

    url: Annotated[str, AfterValidator(_redis_url)] = "embedded"
    password: SecretStr | None = None
    timeout_ms: Annotated[int, Field(ge=5, le=5000)] = 250
    connections: Annotated[int, Field(ge=1, le=1000)] = 32


class Listener(BaseModel):
    """An address to listen on."""

    model_config = MODEL

    host: str = "127.0.0.1"
    port: Port


class Service(BaseModel):
    """The running program.

    Attributes:
        public: What the shop calls.
        admin: What operators call; on loopback unless a key with scope `operate` exists.
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

    public: Listener = Listener(host="0.0.0.0", port=8080)  # noqa: S104 -- behind a load balancer
    admin: Listener = Listener(port=8081)
    memory_megabytes: Annotated[int, Field(ge=0, le=65_536)] = 256
    body_limit_kb: Annotated[int, Field(ge=1, le=1024)] = 256
    browse_ms: Annotated[int, Field(ge=50, le=5000)] = 150
    cart_ms: Annotated[int, Field(ge=50, le=10_000)] = 1500
    checkout_ms: Annotated[int, Field(ge=500, le=30_000)] = 4000
    maps_refresh_seconds: Annotated[int, Field(ge=10, le=86_400)] = 900
    shutdown_seconds: Annotated[int, Field(ge=0, le=120)] = 5
    demo: bool = False


class Telemetry(BaseModel):
    """What is told about the program.

    Attributes:
        log_format: "text" for people, "json" for collectors.
        log_level: The least severe level that is written.
        otlp_endpoint: Base address of an OTLP/HTTP collector; traces are off without one.
        trace_sample_ratio: Share of requests that are traced.
    """

    model_config = MODEL

    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    otlp_endpoint: ServerUrl | None = None
    trace_sample_ratio: Annotated[float, Field(ge=0, le=1)] = 0.01


class Settings(BaseModel):
    """The whole configuration.

    Attributes:
        environments: ERP environments by name.
        markets: Markets by the shop's website code.
        redis: Where prices are kept.
        service: The running program.
        telemetry: What is told about it.
        api_keys: Who may call.
    """

    model_config = MODEL

    environments: Annotated[dict[str, Environment], Field(min_length=1)]
    markets: Annotated[dict[str, Market], Field(min_length=1)]
    redis: Redis = Redis()
    service: Service = Service()
    telemetry: Telemetry = Telemetry()
    api_keys: list[ApiKey] = []


def load(path: Path | None) -> Settings:
    """Return the settings; raises `ConfigurationError` with every mistake."""
    settings = reading.read(Settings, path)
    problems = [*_market_problems(settings), *_access_problems(settings)]
    if problems:
        raise ConfigurationError(problems)
    return settings


def _market_problems(settings: Settings) -> list[Problem]:
    known = ", ".join(sorted(settings.environments))
    return [
        Problem(f"markets.{code}.environment", f"expected one of: {known}", market.environment)
        for code, market in settings.markets.items()
        if market.environment not in settings.environments
    ]


def _access_problems(settings: Settings) -> list[Problem]:
    problems = []
    demo_hash = hash_of(DEMO_KEY)
    for index, key in enumerate(settings.api_keys):
        if key.sha256 == demo_hash and not settings.service.demo:
            advice = "is the demo's public key; make one with: pricing-proxy key"
            problems.append(Problem(f"api_keys.{index}.sha256", advice))
    names = [key.name for key in settings.api_keys]
    problems += [
        Problem("api_keys", "expected every name once", name)
        for name in sorted(set(names))
        if names.count(name) > 1
    ]
    has_operator = any("operate" in key.scopes and not key.revoked for key in settings.api_keys)
    if not is_loopback(settings.service.admin.host) and not has_operator:
        advice = "expected a loopback address, or an API key with scope operate"
        problems.append(Problem("service.admin.host", advice, settings.service.admin.host))
    return problems


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches the address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
