"""The price service's base prices beside the ERP's: what differs, why, and what cannot be asked."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pricing_proxy.resilience.errors import UpstreamError, UpstreamUnavailableError
from sync.mirror.keys import folded
from sync.price_service.list_prices import ListPrice
from sync.products.service_prices import FIELD, ServicePrices
from sync.reconciliation.causes import Cause, explain
from sync.reconciliation.comparing import ComparedPage
from sync.store.mirror_known import RowOfMirror, RowPlace
from sync.store.mirror_records import DesiredRow

GLOBAL, AT = "global", datetime(2026, 11, 29, tzinfo=UTC)


@dataclass
class Service:
    """A price service with some base prices, or one that fails."""

    prices: dict[str, str]
    fails: UpstreamError | None = None
    asked: list[Sequence[str]] = field(default_factory=list)

    async def list_prices(
        self, market: str, customer: str, skus: Sequence[str]
    ) -> Mapping[str, ListPrice]:
        assert (market, customer) == ("b2b_de", "C-1001")
        self.asked.append(skus)
        if self.fails:
            raise self.fails
        return {
            sku: ListPrice(price=Decimal(price), read_at="2026-11-29T00:00:00Z")
            for sku, price in self.prices.items()
        }


def row(sku: str, price: str | None) -> DesiredRow:
    return DesiredRow(
        scope=GLOBAL, key=sku, values={"name": "Lamp"} if price is None else {"price": price}
    )


def written(sku: str, price: str) -> dict[RowPlace, RowOfMirror]:
    known = RowOfMirror(
        scope=GLOBAL,
        folded=folded(sku),
        key=sku,
        values={"price": price},
        shop_id="1",
        run=9,
        read_at=AT,
        changed_at=AT,
        stays=(),
    )
    return {(GLOBAL, folded(sku)): known}


async def compared(
    service: Service,
    *rows: DesiredRow,
    known: Mapping[RowPlace, RowOfMirror] | None = None,
) -> ComparedPage:
    its = ServicePrices(service, market="b2b_de", customer="C-1001", decimals=4)
    return await its.compare(rows, known or {})


def causes(page: ComparedPage) -> list[tuple[str, str, list[Cause]]]:
    return [
        (each.key, each.field, [share.cause for share in explain(each.evidence)])
        for each in page.found
    ]


async def test_equal_prices_are_none_however_they_are_written_or_rounded() -> None:
    service = Service({"lamp-01": "19.90", "LAMP-02": "0.33333333", "LAMP-03": "5"})
    rows = row("LAMP-01", "19.9"), row("LAMP-02", "0.3333"), row("LAMP-04", "7")
    page = await compared(service, *rows, row("LAMP-05", None))
    assert (page.compared, page.found, page.notes) == (2, [], ())
    assert service.asked == [["LAMP-01", "LAMP-02", "LAMP-04"]]


async def test_a_price_that_the_service_has_not_read_yet_passes_and_says_when_it_was_read() -> None:
    page = await compared(
        Service({"LAMP-01": "19.90"}), row("LAMP-01", "21"), known=written("LAMP-01", "19.9")
    )
    assert causes(page) == [("LAMP-01", FIELD, [Cause.ERP_CHANGED])]
    [found] = page.found
    assert found.is_fixed
    assert found.advice.endswith("it read this one at 2026-11-29T00:00:00Z")


@pytest.mark.parametrize("known", [{}, written("LAMP-01", "20")])
async def test_a_price_that_the_erp_never_told_us_is_unexplained(
    known: Mapping[RowPlace, RowOfMirror],
) -> None:
    page = await compared(Service({"LAMP-01": "1.00"}), row("LAMP-01", "21"), known=known)
    assert causes(page) == [("LAMP-01", FIELD, [Cause.UNEXPLAINED])]
    [found] = page.found
    assert (found.evidence.erp, found.evidence.shop) == ("21", "1")


async def test_a_service_that_cannot_be_asked_is_told_and_stops_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    down = UpstreamUnavailableError("price service: connection refused", system="price service")
    page = await compared(Service({}, fails=down), row("LAMP-01", "21"))
    assert (page.compared, page.found) == (0, ())
    assert page.notes == ["prices of the price service: price service: connection refused"]
    assert "compared without the price service" in caplog.text
