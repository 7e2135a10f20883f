"""What invoices ask of the shop is what was recorded, and every recorded document is read whole."""

import json
from decimal import Decimal

import pytest

from sync.invoices.own_documents import BilledDocument
from sync.magento.invoices import Refund
from tests.magento.loopback import playing
from tests.magento.recordings import Recording, recordings

SHAPES = recordings("order_shapes")
# Lists that name fields leave out what the sums are made of.
LISTS = {
    name: each
    for name, each in SHAPES.items()
    if each.method == "GET" and ("/invoices?" in each.path or "/creditmemos?" in each.path)
}
# In these a discount on shipping is wrong, or nobody knows which lines have the value.
ODD = ("shipping_discount", "bundle_dynamic")


def order_of(recording: Recording) -> int:
    return int(recording.answer["items"][0]["order_id"])


@pytest.mark.parametrize("name", LISTS)
async def test_every_recorded_document_is_read_and_its_lines_make_its_total(name: str) -> None:
    recording = LISTS[name]
    async with playing(recording) as (client, _):
        asked = client.invoices
        documents: list[BilledDocument] = (
            [*await asked.invoices_of(order_of(recording))]
            if "/invoices?" in recording.path
            else [*await asked.memos_of(order_of(recording))]
        )
    assert len(documents) == len(recording.answer["items"])
    if any(each in name for each in ODD):
        return
    for document, told in zip(documents, recording.answer["items"], strict=True):
        goods = sum((line.net for line in document.items), Decimal(0))
        beside = told.get("shipping_amount", 0) + told["tax_amount"]
        beside += told.get("adjustment_positive", 0) - told.get("adjustment_negative", 0)
        # A cent of rounding may stand there, whether or not shipping is discounted.
        beside += told.get("shipping_discount_tax_compensation_amount", 0)
        assert Decimal(goods + beside) == pytest.approx(Decimal(told["grand_total"]))


async def test_a_refund_names_lines_shipping_and_adjustments_always() -> None:
    recording = SHAPES["documents_excl_tax__08_refund_2_adjustment_only"]
    refund = Refund(quantities={309: Decimal(0)}, given=Decimal("3.33"))
    async with playing(recording) as (client, shop):
        number = await client.invoices.refund(127, refund, mark="demf/CN-1/2026-11-29/7")
    assert number == str(recording.answer)
    sent = json.loads(shop.bodies[0])
    assert sent["items"] == recording.body["items"]
    assert sent["arguments"] == {
        "shipping_amount": 0,
        "adjustment_positive": 3.33,
        "adjustment_negative": 0,
    }
    assert sent["comment"] == {"comment": "demf/CN-1/2026-11-29/7", "is_visible_on_front": 0}
    assert sent["notify"] is False


async def test_a_refund_without_lines_is_never_sent() -> None:
    async with playing(SHAPES["documents_excl_tax__08_refund_2_adjustment_only"]) as (client, shop):
        with pytest.raises(ValueError, match="gives back everything"):
            await client.invoices.refund(127, Refund(given=Decimal(1)), mark="m")
        with pytest.raises(ValueError, match="invoices everything"):
            await client.invoices.invoice(127, {}, mark="m", capture=False)
    assert not shop.bodies


async def test_an_invoice_is_sent_as_recorded() -> None:
    recording = SHAPES["documents_excl_tax__01_invoice_1_partial"]
    wanted = {309: Decimal(1), 308: Decimal(1)}
    async with playing(recording) as (client, shop):
        number = await client.invoices.invoice(127, wanted, mark="m", capture=True)
    assert number == str(recording.answer)
    sent = json.loads(shop.bodies[0])
    assert {"items": sent["items"], "capture": sent["capture"]} == recording.body
