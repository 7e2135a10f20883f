"""The section [redis]: where it is, as whom, and how patiently it is asked."""

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, Field, SecretStr

from pricing_proxy.configuration.environments import MODEL
from pricing_proxy.configuration.redis_address import parse_redis_address

EMBEDDED = "embedded"


def _redis_url(text: str) -> str:
    if text != EMBEDDED:
        try:
            parse_redis_address(text)
        except ValueError as error:
            raise ValueError(f'{error}, or "embedded"') from None
    return text


class RedisSection(BaseModel):
    """Where prices, and what both programs share, are kept for all processes.

    Attributes:
        url: Address of a server, of Sentinels or of a Cluster, in a form that
            `configuration.redis_address` shows; or "embedded": inside this process, alone and
            gone with it.
        password: From the environment or the secrets directory.
        sentinel_password: The Sentinels' own, where they have one; from there as well.
        timeout_ms: A command that takes longer has failed; those that no page waits for may take a
            second or two more.
        connections: At most so many at once.
    """

    model_config = MODEL

    url: Annotated[str, AfterValidator(_redis_url)] = EMBEDDED
    password: SecretStr | None = None
    sentinel_password: SecretStr | None = None
    timeout_ms: Annotated[int, Field(ge=5, le=5000)] = 250
    connections: Annotated[int, Field(ge=1, le=1000)] = 32

    @property
    def is_embedded(self) -> bool:
        """Whether each process has one of its own, so that nothing is shared."""
        return self.url == EMBEDDED

    def patient(self, more_ms: int) -> Self:
        """Return the same for commands that may take so much longer."""
        return self.model_copy(update={"timeout_ms": self.timeout_ms + more_ms})
