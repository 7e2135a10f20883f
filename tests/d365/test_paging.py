"""Pages are followed to their end, and links no further than to our own host."""

from collections.abc import Mapping
from contextlib import aclosing, suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.d365.paging import Row, read_count, read_pages
from pricing_proxy.resilience.errors import UpstreamContractError

BASE = "https://erp.example.com"
FIRST = "/data/CustomersV3?$select=A"


class Pages:
    """An ERP that answers each link with a page, and remembers what it was asked."""

    def __init__(self, pages: Mapping[str, Any]) -> None:
        self._pages = pages
        self.asked: list[str] = []

    async def fetch(self, target: str) -> Any:
        self.asked.append(target)
        return self._pages[target]

    async def read(self) -> list[list[Row]]:
        return [
            page async for page in read_pages(FIRST, fetch=self.fetch, base_url=BASE, system="fo")
        ]


def page(link: Any, *rows: Row) -> dict[str, Any]:
    return {"value": list(rows), "@odata.nextLink": link}


async def test_links_are_sent_back_as_they_came() -> None:
    second = "/data/CustomersV3?cross-company=true&$select=A%2Cb&$skiptoken=x%2By'=(1)+2%20"
    third = "/data/CustomersV3?$skiptoken=ä b%20"
    erp = Pages(
        {
            FIRST: page(f"{BASE}{second}", {"A": 1}),
            second: page(f"{BASE}:443{third}", {"A": 2}, {"A": 3}),
            "/data/CustomersV3?$skiptoken=%C3%A4%20b%20": {"value": []},
        }
    )
    assert await erp.read() == [[{"A": 1}], [{"A": 2}, {"A": 3}], []]
    assert erp.asked == [FIRST, second, "/data/CustomersV3?$skiptoken=%C3%A4%20b%20"]


async def test_a_relative_link_is_a_link_too() -> None:
    following = "/data/CustomersV3?$skiptoken=1"
    erp = Pages({FIRST: page("CustomersV3?$skiptoken=1"), following: {"value": []}})
    await erp.read()
    assert erp.asked == [FIRST, following]


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example.com/data/CustomersV3?$skiptoken=1",
        "http://erp.example.com/data/CustomersV3?$skiptoken=1",
        "https://erp.example.com:8443/data/CustomersV3?$skiptoken=1",
        "https://user@erp.example.com/data/CustomersV3?$skiptoken=1",
        "//evil.example.com/data",
        "https://erp.example.com//evil.example.com/data",
        "https://erp.example.com.evil.example/data",
        "https://[broken/data",
        "https://erp.example.com:port/data",
        "file:///etc/passwd",
    ],
)
async def test_a_link_to_elsewhere_is_not_followed(link: str) -> None:
    """The bearer token would go along."""
    erp = Pages({FIRST: page(link)})
    with pytest.raises(UpstreamContractError):
        await erp.read()
    assert erp.asked == [FIRST]


@pytest.mark.parametrize("back_to", [FIRST, "/data/CustomersV3?$skiptoken=1"])
async def test_a_circle_is_noticed(back_to: str) -> None:
    second = "/data/CustomersV3?$skiptoken=1"
    erp = Pages({FIRST: page(BASE + second), second: page(BASE + back_to)})
    with pytest.raises(UpstreamContractError, match="circle"):
        await erp.read()
    assert erp.asked == [FIRST, second]


async def test_pages_without_end_are_noticed() -> None:
    asked = 0

    async def fetch(_: str) -> Any:
        nonlocal asked
        asked += 1
        return page(f"{BASE}/data/X?$skiptoken={asked}")

    with pytest.raises(UpstreamContractError, match="circle"):
        async for _ in read_pages(FIRST, fetch=fetch, base_url=BASE, system="fo"):
            pass
    assert asked == 10_000


@pytest.mark.parametrize(
    "body",
    [None, [], {}, {"value": None}, {"value": {"A": 1}}, {"value": [1]}, page(5), page(["x"])],
)
async def test_what_is_no_page_is_a_broken_contract(body: Any) -> None:
    with pytest.raises(UpstreamContractError):
        await Pages({FIRST: body}).read()


async def test_who_stops_early_asks_for_no_more() -> None:
    erp = Pages({FIRST: page(f"{BASE}/data/CustomersV3?$skiptoken=1", {"A": 1})})
    async with aclosing(read_pages(FIRST, fetch=erp.fetch, base_url=BASE, system="fo")) as pages:
        async for rows in pages:
            assert rows == [{"A": 1}]
            break
    assert erp.asked == [FIRST]


@given(link=st.text(max_size=60))
def test_no_link_leads_off_our_host(link: str) -> None:
    import asyncio  # noqa: PLC0415 - hypothesis runs plain functions only

    erp = Pages({FIRST: page(link)})
    with suppress(UpstreamContractError, KeyError):
        asyncio.run(erp.read())
    for target in erp.asked:
        assert target.isascii()
        assert target.startswith("/")
        assert not target.startswith("//")


@pytest.mark.parametrize("body", [[], {}, {"@odata.count": None}, {"value": 5}])
def test_a_count_of_another_shape_is_a_broken_contract(body: Any) -> None:
    assert read_count({"@odata.count": 12}, system="fo") == 12
    with pytest.raises(UpstreamContractError):
        read_count(body, system="fo")
