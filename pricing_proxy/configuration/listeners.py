"""An address to listen on, as both programs are told it."""

from typing import Annotated

from pydantic import BaseModel, Field

from pricing_proxy.configuration.environments import MODEL
from pricing_proxy.listening.crowd import IDLE_SECONDS
from pricing_proxy.listening.host_names import HostName

Port = Annotated[int, Field(ge=0, le=65_535)]


class Listener(BaseModel):
    """An address to listen on.

    Attributes:
        host: The host's name or address.
        port: The port; 0 for any free one.
        idle_seconds: How long a connection may say nothing between two requests; longer than
            load balancers in front keep theirs.
    """

    model_config = MODEL

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Port
    idle_seconds: Annotated[int, Field(ge=1, le=86_400)] = int(IDLE_SECONDS)


class MetricsListener(Listener):
    """What Prometheus scrapes without a login: from elsewhere, or it would not be configured."""

    host: Annotated[str, Field(min_length=1)] = "0.0.0.0"  # noqa: S104 -- numbers without names


class OperatorListener(Listener):
    """What operators call: from this machine only, unless told otherwise.

    Attributes:
        host_names: Names that browsers may call it by, beside `localhost` and IP addresses.
    """

    host_names: list[HostName] = []
