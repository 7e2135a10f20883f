"""An ERP environment: where it is, and as whom we call it."""

from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, ConfigDict, Field, SecretStr, model_validator

from pricing_proxy.configuration.addresses import RootUrl, ServerUrl
from pricing_proxy.configuration.entra_apps import AppKind, EntraApp, proof_of
from pricing_proxy.configuration.proxies import Outgoing, Proxy, ProxySetting

MODEL = ConfigDict(frozen=True, extra="forbid")


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("expected an IANA time zone such as Europe/Berlin") from None
    return text


TimeZone = Annotated[str, AfterValidator(_zone)]


class Environment(Outgoing):
    """One Dynamics 365 environment.

    Attributes:
        kind: Which product; "fo" is Finance & Operations.
        url: Its root address, which is also the audience of its tokens.
        tenant: The Entra tenant, by id or name.
        authority: Address of Entra ID, without the tenant.
        ca_file: PEM file of the authority that signed Entra's certificate, where it is not public.
        time_zone: The zone in which the ERP's days end.
        pricing_client_id: Entra app for prices; give it priority High in the ERP.
        pricing_client_secret: Its secret; or it has a certificate or a federated token in its
            place, of which exactly one is needed.
        pricing_certificate_file: PEM file of a certificate that is registered with the app, and of
            its key. It is read anew for each token.
        pricing_certificate_key_file: PEM file of the key, where that is a file of its own.
        pricing_certificate_password: Of an encrypted key.
        pricing_federated_token_file: The platform's token for the app: workload identity; by
            default what `AZURE_FEDERATED_TOKEN_FILE` names. With it `tenant`, `authority` and the
            client id are by default what `AZURE_TENANT_ID`, `AZURE_AUTHORITY_HOST` and
            `AZURE_CLIENT_ID` say.
        sync_client_id: Entra app for the sync; priority Low.
        sync_client_secret: Its secret, or one of the others as above.
        sync_certificate_file: As above.
        sync_certificate_key_file: As above.
        sync_certificate_password: As above.
        sync_federated_token_file: As above.
        price_service_path: Path of the deployed price service.
        max_lines_per_call: Lines of one price call.
        proxy: The proxy on the way to it and to Entra ID, such as "http://user@proxy:3128", or
            "none"; by default what `HTTPS_PROXY` and `NO_PROXY` say. An address of this machine is
            never called through one.
        proxy_password: Of the proxy's user.
    """

    model_config = MODEL

    kind: Literal["fo"] = "fo"
    url: RootUrl
    tenant: Annotated[str, Field(min_length=1, pattern=r"^[A-Za-z0-9._-]+$")]
    authority: ServerUrl = "https://login.microsoftonline.com"
    ca_file: Path | None = None
    time_zone: TimeZone
    pricing_client_id: Annotated[str, Field(min_length=1)]
    pricing_client_secret: SecretStr | None = None
    pricing_certificate_file: Path | None = None
    pricing_certificate_key_file: Path | None = None
    pricing_certificate_password: SecretStr | None = None
    pricing_federated_token_file: Path | None = None
    sync_client_id: str | None = None
    sync_client_secret: SecretStr | None = None
    sync_certificate_file: Path | None = None
    sync_certificate_key_file: Path | None = None
    sync_certificate_password: SecretStr | None = None
    sync_federated_token_file: Path | None = None
    price_service_path: Annotated[str, Field(pattern=r"^/[^?#]*$")] = (
        "/api/services/PricingProxyServiceGroup/PricingProxyService/getPrices"
    )
    max_lines_per_call: Annotated[int, Field(ge=1, le=100)] = 100
    proxy: ProxySetting | None = None
    proxy_password: SecretStr | None = None

    @model_validator(mode="after")
    def _knows_the_way(self) -> Self:
        for url in (self.url, self.authority):
            self.proxy_to(url)
        return self

    def proxy_to(self, url: str) -> Proxy | None:
        """Return the proxy on the way to one of its addresses; None for the straight way."""
        return self._usual.way_to(url, self.proxy, self.proxy_password)

    def app(self, kind: AppKind) -> EntraApp:
        """Return one of our apps; raises `ValueError` where the configuration names none."""
        if kind == "pricing":
            client_id: str | None = self.pricing_client_id
            proof = proof_of(
                secret=self.pricing_client_secret,
                certificate=self.pricing_certificate_file,
                key=self.pricing_certificate_key_file,
                password=self.pricing_certificate_password,
                token=self.pricing_federated_token_file,
            )
        else:
            client_id = self.sync_client_id
            proof = proof_of(
                secret=self.sync_client_secret,
                certificate=self.sync_certificate_file,
                key=self.sync_certificate_key_file,
                password=self.sync_certificate_password,
                token=self.sync_federated_token_file,
            )
        if not client_id or proof is None:
            raise ValueError(f"the environment has no app for the {kind}")
        return EntraApp(kind=kind, client_id=client_id, proof=proof)
