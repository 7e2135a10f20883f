"""Nothing is kept that nobody uses: no function, class, member, setting or parameter.

Used means used by the programs; what only tests use is named here, with its reason, and one
that is used after all, or gone, has to go from here too.
"""

import ast
import textwrap

import pytest

from tests.code.dead_code import dead_code, templates_of
from tests.code.private_names import REACHED
from tests.code.sources import PROGRAMS, Source, sources

# The simulated systems do what the real ones do, however much of it is asked for.
SIMULATED = "pricing_proxy.sandbox."
# Alembic reads these.
MIGRATIONS = "sync.store.migrations.versions."
# Rooms that land before whoever uses them; each goes from here when its flows are on.
NOT_ASKED_YET = {
    f"pricing_proxy.agreements.fo.{name}"
    for name in (
        "cart.PricedCart.total_discount",
        "cart.PricedCartLine.multiline",
        "cart.PricedCartLine.net",
        "cart.PricedCartLine.total_discount",
        "considered.ConsideredRow.fault",
        "explaining.explained_discounts",
        "explaining.explained_prices",
        "net.LineTerms.price_row",
        "net.SummedDiscount.record_ids",
        "price_list.discount_rows_of",
        "price_list.price_rows_of",
        "quote.LocalQuote.breaks",
        "quote.LocalRefusal.agreement",
        "rows.PricedItem.parties",
        "rules.AmountsInProduct.STEPWISE",
        "rules.FindNextNo.ENDS_COMBINATION",
        "rules.MultilineForAll.UNMATCHED",
        "rules.OtherUnit.REQUESTED_QUANTITY",
        "rules.RoundingMethod.DOWN",
        "sorting.customers_by_account",
        "sorting.discounts_by_item_party",
        "sorting.prices_by_item",
    )
}

CALLED_BY_LIBRARIES = {
    "pricing_proxy.demo.alerts.Hearing.do_POST": "http.server",
    "pricing_proxy.demo.alerts.Hearing.log_message": "http.server",
    **{
        f"pricing_proxy.pages.drawing._Compiled.{member}": "jinja2"
        for member in ("dump_bytecode", "load_bytecode")
    },
    "pricing_proxy.web.openapi._Untitled.field_title_should_be_set": "pydantic",
    **{
        f"sync.store.plain_columns.{kind}.{member}": "SQLAlchemy"
        for kind in ("PlainJson", "PlainText")
        for member in ("cache_ok", "impl", "process_bind_param")
    },
}
# Tables and words that statements of the database name, and no name of ours.
NAMED_IN_STATEMENTS = {
    f"sync.store.{name}"
    for name in (
        "mirror_records.ChangeState.EQUAL",
        "mirror_records.ChangeState.REJECTED",
        "mirror_tables.mirror_approval",
        "mirror_tables.mirror_look",
        "mirror_tables.mirror_row",
        "mirror_tables.mirror_wanted",
    )
}
# Columns of views, which are shown whole.
SHOWN_WHOLE = {
    f"sync.store.{name}"
    for name in (
        "mirror_records.MirrorChange.edited",
        "mirror_views.ChangeView.risks",
        "mirror_views.ChangeView.written_at",
        "mirror_views.KnownRow.shop_id",
        "reconciliations.DiscrepancyRecord.expected",
    )
}
KEPT_FOR_LATER = {
    **{
        f"pricing_proxy.d365.fo.{name}": "changes by sets for analytics are not asked for yet"
        for name in (
            "stock.StockReads.remaining",
            "stock.StockReads.tells_remaining",
            *(f"stock_models.RemainingLineRow.{member}" for member in ("RemainInventPhysical",)),
        )
    },
    "pricing_proxy.d365.fo.stock.StockReads.open_lines": "shipments will ask whose an item is",
}
CHECKED_NOT_READ = {
    "sync.intake.routes.ShopEvent.increment_id": "of the agreed body: refused where it is no text",
}
TOLD_TO_TESTS = {
    "sync.engine.windows.Window.takes": "says what is asked for, and what fakes answer",
    "sync.returns.mapping.ReturnDraft.net": "compared with the shop's own sums",
}
# Shorter, smaller or without dice, so that a test need not wait.
GIVEN_BY_TESTS = {
    "pricing_proxy.d365.fo.mirror_reads.SetReads.__init__(chunk_rows)",
    "pricing_proxy.d365.transport.Transport.__init__(max_body_bytes)",
    "pricing_proxy.listening.room.room(descriptors)",
    "pricing_proxy.resilience.bulkhead.Bulkhead.__init__(on_limit)",
    "pricing_proxy.resilience.bulkhead.Bulkhead.__init__(settings)",
    "pricing_proxy.serve.key_watch.KeyWatch.__init__(look_every)",
    "pricing_proxy.shared_state.guard.redis_guard(chance)",
    "pricing_proxy.web.common_bodies.CommonQueries.__init__(most_bytes)",
    "sync.engine.schedules.Schedules.__init__(lease_seconds)",
    "sync.engine.sweep.Sweep.__init__(lease)",
    "sync.engine.workers.Workers.__init__(lease)",
    "sync.magento.transport.ShopTransport.__init__(max_body_bytes)",
}
# Members of requests and answers as they were recorded, which tests read and send whole.
RECORDED = {
    f"pricing_proxy.d365.fo.{name}"
    for name in (
        "customer_models.AddressBody.IsRoleDelivery",
        "customer_models.AddressBody.IsRoleInvoice",
        "customer_models.AddressRow.IsRoleDelivery",
        "customer_models.AddressRow.IsRoleInvoice",
        "customer_models.CustomerAccountRow.NameAlias",
        "customer_models.CustomerBody.DeliveryMode",
        "customer_models.CustomerBody.NameAlias",
        "customer_models.CustomerBody.PaymentMethod",
        "customer_models.CustomerBody.PaymentTerms",
        "customer_models.CustomerBody.SalesTaxGroup",
        "order_models.SalesOrderHeaderBody.TotalDiscountPercentage",
        "order_models.SalesOrderHeaderRow.TotalDiscountPercentage",
        "order_models.SalesOrderLineBody.CustomersLineNumber",
        "order_models.SalesOrderLineRow.CustomersLineNumber",
        "order_models.SalesOrderTotalsRow.OrderTotalChargesAmount",
        "return_models.ReturnHeaderBody.ReturnDeadline",
        "return_models.ReturnHeaderRow.ReturnDeadline",
    )
}
ALLOWED = {
    *CALLED_BY_LIBRARIES,
    *KEPT_FOR_LATER,
    *NAMED_IN_STATEMENTS,
    *NOT_ASKED_YET,
    *SHOWN_WHOLE,
    *CHECKED_NOT_READ,
    *TOLD_TO_TESTS,
    *GIVEN_BY_TESTS,
    *RECORDED,
}


def test_nothing_is_dead() -> None:
    found = {
        name
        for name in dead_code(sources(*PROGRAMS), templates_of(*PROGRAMS))
        if not name.startswith((SIMULATED, MIGRATIONS)) and not is_overridden(name)
    }
    assert sorted(found - ALLOWED) == [], "take it out, or say here why it stays"
    assert sorted(ALLOWED - found) == [], "it is used or gone: take it from the list"


def is_overridden(name: str) -> bool:
    """Return whether another library calls it; `private_names` says why."""
    plain = name.partition("(")[0].rpartition(".")[2]
    return any(plain in each.names for each in REACHED)


COUNTER = """
class Used:
    def __init__(self) -> None:
        self.unused = 0
    def count(self) -> None:
        self.unused += 1
Used().count()
"""


@pytest.mark.parametrize(
    ("seed", "name"),
    [
        ("def unused() -> None: ...", "toy.unused"),
        ("class Unused: ...", "toy.Unused"),
        ("UNUSED = 1", "toy.UNUSED"),
        ("def again(n: int) -> int:\n    return again(n - 1)", "toy.again"),
        ("def used(*, unused: int = 1) -> int: ...\nused()", "toy.used(unused)"),
        ("def used(first: int, unused: int = 1) -> int: ...\nused(1)", "toy.used(unused)"),
        ("class Used:\n    def unused(self) -> None: ...\nUsed()", "toy.Used.unused"),
        (COUNTER, "toy.Used.unused"),
        (
            "class Used:\n    def __init__(self, *, unused: int = 1) -> None: ...\nUsed()",
            "toy.Used.__init__(unused)",
        ),
    ],
)
def test_a_seeded_one_is_found(seed: str, name: str) -> None:
    assert dead_code((module("toy", seed),)) == [name]


def test_a_setting_is_not_hidden_by_another_class_s_member_of_its_name() -> None:
    """So `polling.page_size` stayed unread behind a search's `page_size`."""
    text = """
        class Polling:
            page_size: int = 100
            every: int = 5
        class Search:
            page_size: int = 10
        class Settings:
            polling: Polling
        def run(settings: Settings, searches: list[Search]) -> int:
            own = settings.polling
            return own.every + sum(search.page_size for search in searches)
        run(Settings(), [])
    """
    assert dead_code((module("toy", text),)) == ["toy.Polling.page_size"]


def test_a_setting_is_read_where_its_type_is_known() -> None:
    text = """
        from pydantic import BaseModel
        class Rules(BaseModel):
            source: str
            reason: str
        def run(rules: Rules, anything) -> str:
            return rules.reason + anything.source
        run(Rules(), None)
    """
    assert dead_code((module("toy", text),)) == ["toy.Rules.source"]


def test_what_a_protocol_asks_for_is_used_in_who_fits_it() -> None:
    text = """
        from typing import Protocol
        class Asked(Protocol):
            def answer(self) -> int: ...
        class Fits:
            def answer(self) -> int: ...
        class Other:
            def answer(self) -> int: ...
            def more(self) -> int: ...
        def ask(one: Asked) -> int:
            return one.answer()
        ask(Fits())
        Other().more()
    """
    assert dead_code((module("toy", text),)) == []


def module(name: str, text: str) -> Source:
    plain = textwrap.dedent(text)
    return Source(path=f"{name}.py", name=name, text=plain, tree=ast.parse(plain))
