"""What a market's configuration says about greetings."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from pricing_proxy.configuration.cross_checks import table
from pricing_proxy.configuration.mistakes import Mistake

FLOW = "greetings"


class GreetingRules(BaseModel):
    """How people are greeted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    word: Annotated[str, Field(min_length=1)]
    events: list[str] = []


def mistakes(document: Mapping[str, Any], market: str) -> Iterator[Mistake]:
    """Find words that no single key shows to be wrong."""
    if table(document, "sync", "markets", market, FLOW).get("word") == "farewell":
        yield Mistake(f"sync.markets.{market}.{FLOW}.word", "expected a word to meet with")
