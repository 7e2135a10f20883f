"""The sections of `sync` in the configuration that name places, times and people."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, Field, SecretStr, model_validator

from pricing_proxy.configuration import reading
from pricing_proxy.configuration.addresses import RootUrl, is_loopback
from pricing_proxy.configuration.environments import MODEL, TimeZone
from pricing_proxy.configuration.listeners import Listener, MetricsListener, OperatorListener, Port
from pricing_proxy.configuration.proxies import Outgoing, Proxy, ProxySetting
from sync.magento.auth import Credentials

EMBEDDED = "embedded"
_POSTGRES = ("postgresql://", "postgres://")

R = TypeVar("R", bound=BaseModel)

Seconds = Annotated[int, Field(ge=1, le=86_400)]


_HOURS = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]")


def _page_path(text: str) -> str:
    if text and (not text.startswith("/") or text.startswith("//") or not text.isprintable()):
        raise ValueError('expected a path of the shop, such as "/" or "/checkout/cart/"')
    return text


def _hours(text: str) -> str:
    begin, _, end = text.partition("-")
    if text and (not _HOURS.fullmatch(text) or begin == end):
        raise ValueError('expected hours such as "22:00-05:00", or "" for none')
    return text


def _loopback(host: str) -> str:
    if not is_loopback(host):
        raise ValueError("expected a loopback address: the page asks for no login")
    return host


def _postgres_url(text: str) -> str:
    if text != EMBEDDED and not text.startswith(_POSTGRES):
        raise ValueError('expected postgresql://user@host:port/database or "embedded"')
    _, _, rest = text.partition("://")
    if ":" in rest.rpartition("@")[0]:
        raise ValueError("expected no password in the address; put it into its own secret")
    return text


class Magento(Outgoing):
    """The shop and the integration by which it lets us in.

    Attributes:
        url: Its root address.
        signed_url: The root address as PHP sees it, where a proxy in front changes scheme, host or
            port without telling; each request is signed for it.
        consumer_key: The integration's; it is no secret.
        consumer_secret: From the environment or the secrets directory.
        token: The integration's access token.
        token_secret: Its secret.
        ca_file: PEM file of the authority that signed its certificate, where it is not public.
        timeout_seconds: A call that takes longer has failed: a page of a hundred orders takes a
            healthy shop a second; past half a minute it is stuck.
        connections: At most so many at once: a shop serves people first, and a small one has two
            PHP workers for each core.
        proxy: The proxy on the way to it, such as "http://user@proxy:3128", or "none"; by default
            what `HTTPS_PROXY` and `NO_PROXY` say.
        proxy_password: Of the proxy's user.
    """

    model_config = MODEL

    url: RootUrl
    signed_url: RootUrl | None = None
    consumer_key: Annotated[str, Field(min_length=1)]
    consumer_secret: SecretStr
    token: Annotated[str, Field(min_length=1)]
    token_secret: SecretStr
    ca_file: Path | None = None
    timeout_seconds: Seconds = 30
    connections: Annotated[int, Field(ge=1, le=64)] = 8
    proxy: ProxySetting | None = None
    proxy_password: SecretStr | None = None

    @model_validator(mode="after")
    def _knows_the_way(self) -> Self:
        self.way_out()
        return self

    def way_out(self) -> Proxy | None:
        """Return the proxy on the way to the shop; None for the straight way."""
        return self._usual.way_to(self.url, self.proxy, self.proxy_password)

    @property
    def credentials(self) -> Credentials:
        """The integration's four texts."""
        return Credentials(
            consumer_key=self.consumer_key,
            consumer_secret=self.consumer_secret.get_secret_value(),
            token=self.token,
            token_secret=self.token_secret.get_secret_value(),
        )


class SyncMarket(BaseModel):
    """What this program needs of a market beside the price service's own section.

    Beside these it has the rules of every flow, each under the flow's name.

    Attributes:
        website_id: The shop's id of the website.
        store_ids: Its store views; an order names the one it was placed in.
        flows: What runs for it.
    """

    model_config = MODEL

    website_id: Annotated[int, Field(ge=1)]
    store_ids: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]
    flows: list[str]

    def rules(self, model: type[R]) -> R:
        """Return the rules of the flow that has this model of them."""
        return next(each for _, each in self if isinstance(each, model))

    @property
    def warehouses_of_sources(self) -> Mapping[str, Sequence[str]]:
        """The shop's sources with the ERP's warehouses that fill them, as section `stock` says.

        Empty where there is no such section: then the shop has one source alone.
        """
        stock = dict(self).get("stock")
        sources: Mapping[str, Sequence[str]] = {} if stock is None else stock.sources
        return sources


class Postgres(BaseModel):
    """Where events, journal and queue are kept.

    Attributes:
        url: Address, or "embedded": a PostgreSQL of its own on this machine.
        password: From the environment or the secrets directory.
        data_directory: Where an embedded one keeps its data.
        connections: At most so many at once.
        migrate: Whether each start brings the schema up to date; else `migrate`, `run --migrate`.
    """

    model_config = MODEL

    url: Annotated[str, AfterValidator(_postgres_url)] = EMBEDDED
    password: SecretStr | None = None
    data_directory: Path = Path("sync-data")
    connections: Annotated[int, Field(ge=2, le=100)] = 10
    migrate: bool = True


class PollingSection(BaseModel):
    """How often the shop is asked what changed.

    Attributes:
        every_seconds: Between two polls of `updated_at`; while the shop's hints tell of everything
            first, 30 seconds.
        overlap_seconds: How late rows become visible after they were dated, at the most; by the
            shop's own clock, each is read again when so much has passed.
        sweep_seconds: Between two searches for what polls cannot see (orders without an ERP number,
            rows that became visible late, addresses of sent orders), and for headers in
            the ERP that nobody claims.
    """

    model_config = MODEL

    every_seconds: Seconds = 5
    overlap_seconds: Annotated[int, Field(ge=1, le=3600)] = 30
    sweep_seconds: Seconds = 3600


class DeliverySection(BaseModel):
    """How writes that may have happened are judged.

    Attributes:
        erp_max_request_seconds: The ERP finishes no request later than this after it was sent, so
            none is waited for longer; only then an empty look-up means that nothing was written.
            By default as long as F&O's own gateway lets a request run, by what operators see.
        shop_max_request_seconds: Likewise for the shop: as long as its web server lets PHP run.
        give_up_after: Attempts of one event before a person must look; those that an outage cost do
            not count.
    """

    model_config = MODEL

    erp_max_request_seconds: Annotated[int, Field(ge=1, le=600)] = 60
    shop_max_request_seconds: Annotated[int, Field(ge=1, le=3600)] = 120
    give_up_after: Annotated[int, Field(ge=1, le=1000)] = 20

    @property
    def longest(self) -> Mapping[str, timedelta]:
        """By system: no request is finished later than this after it was sent."""
        return {
            "fo": timedelta(seconds=self.erp_max_request_seconds),
            "magento": timedelta(seconds=self.shop_max_request_seconds),
        }


class MirrorSection(BaseModel):
    """How what the ERP says is written into the shop while people buy there.

    Attributes:
        batches: At once into the shop, by all processes together, at the most; fewer while it
            fails or its storefront is slow.
        probe_path: The page by which the storefront's speed is judged: one that the page cache does
            not answer shows more, such as "/checkout/cart/". Empty for none.
        probe_seconds: Between two looks at it.
        change_seconds: Between two reads of what may have changed.
        full_hours: Between two reads of everything.
        look_hours: In what time the whole shop is looked through for what others changed there.
        quiet_hours: When these begin, such as "22:00-05:00"; outside of them only what is a whole
            period late. Empty for any time.
        time_zone: The zone of these hours.
        plan_days: How long ended plans are shown and can be undone.
    """

    model_config = MODEL

    batches: Annotated[int, Field(ge=1, le=16)] = 2
    probe_path: Annotated[str, AfterValidator(_page_path)] = "/"
    probe_seconds: Annotated[int, Field(ge=1, le=600)] = 10
    change_seconds: Seconds = 60
    full_hours: Annotated[int, Field(ge=1, le=720)] = 24
    look_hours: Annotated[int, Field(ge=1, le=720)] = 24
    quiet_hours: Annotated[str, AfterValidator(_hours)] = "22:00-05:00"
    time_zone: TimeZone = "UTC"
    plan_days: Annotated[int, Field(ge=1, le=3650)] = 30

    def is_quiet(self, now: datetime) -> bool:
        """Return whether an instant is within the quiet hours."""
        if not self.quiet_hours:
            return True
        begin, end = map(time.fromisoformat, self.quiet_hours.split("-"))
        at = now.astimezone(ZoneInfo(self.time_zone)).time()
        return begin <= at < end if begin < end else at >= begin or at < end


class Intake(Listener):
    """Where hints arrive; closed to a sender without its secret: polls and full reads find all.

    Attributes:
        secret: What the shop signs with, at least 16 characters.
        old_secret: The one before, while it is being replaced.
        erp_secret: What F&O sends with its business events, at least 16 characters: at the end of
            the path, or in a header. Letters and digits alone stand in any path.
        erp_old_secret: The one before, while it is being replaced.
        erp_header: The header, where the secret is not in the path.
    """

    port: Port = 8090
    secret: Annotated[SecretStr, Field(min_length=16)] | None = None
    old_secret: Annotated[SecretStr, Field(min_length=16)] | None = None
    erp_secret: Annotated[SecretStr, Field(min_length=16)] | None = None
    erp_old_secret: Annotated[SecretStr, Field(min_length=16)] | None = None
    erp_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")] = "X-Event-Secret"


class Operators(OperatorListener):
    """Where operators look at the state of the sync: on this machine only, as it asks no login."""

    host: Annotated[str, AfterValidator(_loopback)] = "127.0.0.1"
    port: Port = 8091


class SyncMetricsListener(MetricsListener):
    """What Prometheus scrapes without a login; off unless its table stands in the file."""

    port: Port = 8092


class Alerts(BaseModel):
    """Who is told what is wrong.

    Attributes:
        targets_secret: apprise URLs, separated by blanks: they hold tokens.
        late_after_seconds: An order that is not in the ERP by then is an alert.
    """

    model_config = MODEL

    targets_secret: SecretStr | None = None
    late_after_seconds: Annotated[int, Field(ge=10, le=86_400)] = 300

    @property
    def targets(self) -> list[str]:
        """The URLs one by one."""
        return reading.secret_text(self.targets_secret).split()
