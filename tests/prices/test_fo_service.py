"""The price source over F&O's custom service, with a client that answers as the ERP would."""

from datetime import date
from decimal import Decimal

import pytest

from pricing_proxy.d365.fo.models import LineError, PriceLine
from pricing_proxy.d365.fo.price_calls import PricedLines, PriceRequest, read_price_answer
from pricing_proxy.d365.json_numbers import read_odd_json
from pricing_proxy.domain.price import NoPrice, NoPriceReason, Price, Unusable
from pricing_proxy.money import NumberText
from pricing_proxy.prices.ports import Wanted
from pricing_proxy.prices.query import Key
from pricing_proxy.prices.sources.fo_service import FoServiceSource
from pricing_proxy.resilience.call_class import CallClass, Ticket
from pricing_proxy.resilience.deadline import Deadline
from pricing_proxy.shared_state.item_map import Item
from tests.fakes.master_data import make_customer, make_item
from tests.fakes.price_world import context_of

CUSTOMER = make_customer("C-1")
TICKET, DEADLINE = Ticket(CallClass.INTERACTIVE), Deadline(1)
VARIANT = Item("V-1", "M-1", "Red", "L", "Slim", "K", "V", "PCS", None, is_sold=True)


class FakePriceCalls:
    """Answers each line with what it was given for its item; remembers what it was asked."""

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers = answers
        self.asked: list[tuple[PriceRequest, Ticket, Deadline]] = []

    async def prices(
        self, request: PriceRequest, *, ticket: Ticket, deadline: Deadline
    ) -> PricedLines:
        self.asked.append((request, ticket, deadline))
        lines = [
            f'{{"ref":"{line.ref}","currency":"EUR",{self.answers[line.item_number]}}}'
            for line in reversed(request.lines)
            if line.item_number in self.answers
        ]
        body = read_odd_json(('{"lines":[' + ",".join(lines) + "]}").encode())
        return read_price_answer(request, body, system="fo")


def source(calls: FakePriceCalls, *, max_lines: int = 100) -> FoServiceSource:
    return FoServiceSource(
        calls, company="demf", today=lambda: date(2026, 11, 23), max_lines=max_lines
    )


def wanted(item: Item, *, quantity: str = "1") -> Wanted:
    return Wanted(Key(item.sku, "PCS", quantity), item)


async def load(calls: FakePriceCalls, *lines: Wanted) -> dict[str, Price | NoPrice | Unusable]:
    said = await source(calls).load(CUSTOMER, context_of(), lines, ticket=TICKET, deadline=DEADLINE)
    return {key.sku: answer for key, answer in said.items()}


async def test_what_the_service_says_reaches_the_price_text_by_text() -> None:
    calls = FakePriceCalls(
        {
            "A": '"unitPrice":19.00,"priceUnit":100,"priceCharges":0.50,'
            '"lineDiscPercent":10.0,"lineDiscAmount":1.10,"netAmount":171.000'
        }
    )
    assert await load(calls, wanted(make_item("A"))) == {
        "A": Price(
            price=NumberText("19.00"),
            price_unit=NumberText("100"),
            discount_percent=NumberText("10.0"),
            discount_amount=NumberText("1.10"),
            charges=NumberText("0.50"),
            line_total=NumberText("171.000"),
        )
    }


async def test_members_that_are_left_out_are_zero() -> None:
    calls = FakePriceCalls({"A": '"unitPrice":1,"priceUnit":1,"netAmount":1'})
    price = (await load(calls, wanted(make_item("A"))))["A"]
    assert isinstance(price, Price)
    assert (price.discount_percent, price.discount_amount, price.charges) == ("0", "0", "0")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (LineError.ITEM_NOT_FOUND, NoPriceReason.UNKNOWN_SKU),
        (LineError.UNIT_NOT_CONVERTIBLE, NoPriceReason.UNKNOWN_UNIT),
        (LineError.NOT_FOR_SALE, NoPriceReason.NOT_SOLD),
        (LineError.NO_PRICE_FOUND, NoPriceReason.NOT_PRICED),
        (LineError.CUSTOMER_NOT_FOUND, NoPriceReason.UNKNOWN_CUSTOMER),
    ],
)
async def test_an_error_of_a_line_is_the_reason_why_it_has_no_price(
    error: LineError, reason: NoPriceReason
) -> None:
    calls = FakePriceCalls({"A": f'"error":"{error}"'})
    assert await load(calls, wanted(make_item("A"))) == {"A": NoPrice(reason)}


UNREADABLE = Unusable("unreadable_answer", is_stated=False)
IMPLAUSIBLE = NoPrice(NoPriceReason.IMPLAUSIBLE_PRICE)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ('"unitPrice":null,"priceUnit":1,"netAmount":1', UNREADABLE),
        ('"unitPrice":1,"priceUnit":1,"netAmount":NaN', UNREADABLE),
        ('"unitPrice":1,"priceUnit":1,"netAmount":-Infinity', UNREADABLE),
        ('"unitPrice":"1.00","priceUnit":1,"netAmount":1', UNREADABLE),
        ('"unitPrice":1,"priceUnit":1,"netAmount":[1]', UNREADABLE),
        ('"unitPrice":1,"priceUnit":1', UNREADABLE),
        ('"unitPrice":1,"priceUnit":1,"netAmount":1,"error":7', Unusable("7", is_stated=True)),
        ('"unitPrice":1,"priceUnit":1,"netAmount":1,"error":{}', UNREADABLE),
        ('"unitPrice":1,"priceUnit":1,"netAmount":1e99', IMPLAUSIBLE),
        ('"unitPrice":1,"priceUnit":1,"netAmount":1' + "0" * 30, IMPLAUSIBLE),
        (
            '"unitPrice":1,"priceUnit":1,"netAmount":1,"currency":"USD"',
            Unusable("other_currency", is_stated=False),
        ),
        ('"error":"CustomerBlocked"', Unusable("customer_blocked", is_stated=True)),
        ('"error":"CustomerBlocked","netAmount":NaN', Unusable("customer_blocked", is_stated=True)),
        ('"error":"???"', Unusable("unreadable_answer", is_stated=True)),
    ],
)
async def test_one_line_never_fails_another(answer: str, said: Price | NoPrice | Unusable) -> None:
    calls = FakePriceCalls({"A": answer, "B": '"unitPrice":1,"priceUnit":1,"netAmount":1'})
    answers = await load(calls, wanted(make_item("A")), wanted(make_item("B")))
    assert answers["A"] == said
    assert isinstance(answers["B"], Price)


async def test_a_line_without_numbers_and_without_an_error_is_unreadable() -> None:
    """The wire model refuses such a line; this stands for a model that will not."""

    class Careless(FakePriceCalls):
        async def prices(
            self, request: PriceRequest, *, ticket: Ticket, deadline: Deadline
        ) -> PricedLines:
            del request, ticket, deadline
            return PricedLines(lines={"0": PriceLine.model_construct(ref="0")}, odd={}, missing=())

    assert await load(Careless({}), wanted(make_item("A"))) == {"A": UNREADABLE}


async def test_lines_left_out_of_the_answer_are_missing() -> None:
    calls = FakePriceCalls({"B": '"unitPrice":1,"priceUnit":1,"netAmount":1'})
    assert list(await load(calls, wanted(make_item("A")), wanted(make_item("B")))) == ["B"]


async def test_a_variant_is_asked_for_by_its_master_and_dimensions() -> None:
    calls = FakePriceCalls({})
    await load(calls, wanted(VARIANT, quantity="2.5"))
    ((request, ticket, deadline),) = calls.asked
    (line,) = request.lines
    assert (request.company, request.customer, request.currency) == ("demf", "C-1", "EUR")
    assert request.day == date(2026, 11, 23)
    assert (line.item_number, line.unit, line.quantity) == ("M-1", "PCS", Decimal("2.5"))
    assert (line.color, line.size, line.style) == ("Red", "L", "Slim")
    assert (line.configuration, line.version) == ("K", "V")
    assert (ticket, deadline) == (TICKET, DEADLINE)


@pytest.mark.parametrize(("asked", "taken"), [(100, 100), (40, 40), (500, 100)])
def test_a_call_never_has_more_lines_than_the_service_takes(asked: int, taken: int) -> None:
    assert source(FakePriceCalls({}), max_lines=asked).max_lines == taken


def test_what_the_source_promises() -> None:
    """Exact and binding, but one quantity at a time; and a missing line is a fault."""
    promises = source(FakePriceCalls({}))
    assert (promises.name, promises.is_binding) == ("fo_service", True)
    assert not promises.absence_is_no_price
