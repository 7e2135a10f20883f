"""What a market's configuration says about greetings."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from pricing_proxy.configuration.mistakes import Mistake
from sync.sections import WrittenMarket

FLOW = "greetings"


class GreetingRules(BaseModel):
    """How people are greeted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    word: Annotated[str, Field(min_length=1)] = "hello"


def mistakes(market: WrittenMarket) -> Iterator[Mistake]:
    """Find words that no single key shows to be wrong."""
    if market.table(FLOW).get("word") == "farewell":
        yield Mistake(f"{market.path}.{FLOW}.word", "expected a word to meet with")
