"""The price service's map follows the links: all of them, what changed lately, what is gone."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

import pytest

from pricing_proxy.shared_state.maps import IdsState, SharedStateError
from sync.customers.publishing import publish_changed, publish_customers, publish_link
from tests.fakes.customer_links import FakePriceMap

MARKETS = ["b2b_de", "b2c"]


class FakeKnown:
    """Links that may change while they are read."""

    def __init__(self, **accounts: str) -> None:
        self.links = {"b2b_de": dict(accounts), "b2c": {}}
        self.recent: list[tuple[str, str]] = []
        self.asked = 0

    async def accounts(self, market: str) -> Mapping[str, str]:
        return dict(self.links[market])

    async def account(self, market: str, customer_id: str) -> str | None:
        return self.links[market].get(customer_id)

    async def changed(self, within: timedelta) -> Mapping[tuple[str, str], str | None]:
        del within
        self.asked += 1
        return {(market, one): self.links.get(market, {}).get(one) for market, one in self.recent}


class SlowMap(FakePriceMap):
    """A map in whose every write something else happens."""

    def __init__(self, known: FakeKnown, *changes: tuple[str, str | None]) -> None:
        super().__init__()
        self._known = known
        self._changes = [*changes]

    async def map_accounts(self, market: str, accounts: Mapping[int, str]) -> None:
        await super().map_accounts(market, accounts)
        for customer_id, account in self._changes[:1]:
            del self._changes[0]
            self._known.links[market].pop(customer_id, None)
            if account is not None:
                self._known.links[market][customer_id] = account


async def test_the_whole_map_is_published_again() -> None:
    known, published = FakeKnown(**{"7": "C-7", "8": "C-8"}), FakePriceMap()

    assert await publish_customers(known, published, markets=MARKETS) == 2

    assert published.accounts == {("b2b_de", 7): "C-7", ("b2b_de", 8): "C-8"}


async def test_an_id_without_a_link_leaves_the_map_with_the_whole() -> None:
    known, published = FakeKnown(**{"7": "C-7"}), FakePriceMap()
    published.accounts = {("b2b_de", 9): "C-9", ("b2c", 9): "C-9"}

    await publish_customers(known, published, markets=MARKETS)

    assert published.accounts == {("b2b_de", 7): "C-7"}


async def test_a_link_taken_away_while_the_whole_is_written_does_not_come_back() -> None:
    known = FakeKnown(**{"7": "C-7", "8": "C-8"})
    published = SlowMap(known, ("7", None))

    await publish_customers(known, published, markets=MARKETS)

    assert published.accounts == {("b2b_de", 8): "C-8"}


async def test_a_link_changed_while_it_is_published_is_published_as_it_stands() -> None:
    known = FakeKnown(**{"7": "C-7"})
    published = SlowMap(known, ("7", "C-8"), ("7", None))

    class Links:
        async def account(self, customer_id: str) -> str | None:
            return await known.account("b2b_de", customer_id)

    assert await publish_link(partial(Links().account, "7"), published, "b2b_de", "7") is None

    assert published.accounts == {}


async def test_a_map_that_was_lost_is_filled_within_seconds() -> None:
    """It was evicted: all customers were a 404 for up to a quarter of an hour."""
    known, published = FakeKnown(**{"7": "C-7", "8": "C-8"}), FakePriceMap()
    await publish_customers(known, published, markets=MARKETS)
    assert set(published.states.values()) == {IdsState.COMPLETE}
    published.lose("b2b_de")

    await publish_changed(known, published, markets=MARKETS)

    assert published.accounts == {("b2b_de", 7): "C-7", ("b2b_de", 8): "C-8"}
    assert published.states["b2b_de"] is IdsState.COMPLETE


async def test_a_map_that_is_lost_while_it_is_filled_is_not_called_complete() -> None:
    class LosingMap(FakePriceMap):
        async def mapped_ids(self, market: str) -> set[int]:
            self.lose("b2b_de")
            return await super().mapped_ids(market)

    known, published = FakeKnown(**{"7": "C-7"}), LosingMap()
    await publish_customers(known, published, markets=["b2b_de"])
    assert await published.ids_state("b2b_de") is IdsState.NONE


async def test_a_redis_that_is_down_is_said_by_whoever_has_something_to_publish() -> None:
    known, published = FakeKnown(), FakePriceMap(is_down=True)
    with pytest.raises(SharedStateError):
        await publish_customers(known, published, markets=MARKETS)
    assert await publish_changed(known, published, markets=[]) == 0


async def test_what_changed_lately_is_published_and_what_is_gone_removed() -> None:
    known, published = FakeKnown(**{"7": "C-7"}), FakePriceMap()
    published.accounts = {("b2b_de", 8): "C-8"}
    known.recent = [("b2b_de", "7"), ("b2b_de", "8"), ("other", "1")]

    assert await publish_changed(known, published, markets=MARKETS) == 2

    assert published.accounts == {("b2b_de", 7): "C-7"}
    # However many there are: once before and once after they are written.
    assert known.asked == 2


async def test_what_changes_while_changes_are_published_is_published_as_it_stands() -> None:
    known = FakeKnown(**{"7": "C-7", "8": "C-8"})
    known.recent = [("b2b_de", "7"), ("b2b_de", "8")]
    published = SlowMap(known, ("7", None))

    await publish_changed(known, published, markets=MARKETS)

    assert published.accounts == {("b2b_de", 8): "C-8"}
