"""What the ERP tells of is read sooner; nothing else of an event is believed."""

from types import SimpleNamespace
from typing import Any, cast

from sync.erp_events import ErpEvent
from sync.products.building import PRODUCTS, hear
from sync.products.rules import ProductRules

CHANGED = "XYZProductChangedBusinessEvent"
RULES = ProductRules.model_validate({"events": {CHANGED: "ItemNumber"}})


class Plans:
    """Keeps what is wanted."""

    def __init__(self) -> None:
        self.wanted: list[tuple[str, str, list[str]]] = []

    async def want(self, flow: str, market: str, keys: Any, **_: Any) -> None:
        self.wanted.append((flow, market, list(keys)))


async def test_an_item_that_the_erp_tells_of_is_wanted_in_each_market() -> None:
    plans = Plans()
    market = SimpleNamespace(own=SimpleNamespace(rules=lambda _: RULES))
    given = cast(
        "Any",
        SimpleNamespace(
            markets={"de": market, "nl": market}, mirroring=SimpleNamespace(plans=plans)
        ),
    )
    members = {"ItemNumber": "LAMP-01", "Name": "Lamp"}
    await hear(given, ErpEvent(name=CHANGED, markets=["de", "nl"], members=members))
    await hear(given, ErpEvent(name=CHANGED, markets=["de"], members={}))
    await hear(given, ErpEvent(name="Other", markets=["de"], members=members))
    assert plans.wanted == [("products", "de", ["LAMP-01"]), ("products", "nl", ["LAMP-01"])]
    assert list(PRODUCTS.erp_hints(RULES)) == [CHANGED]
