"""What no single key of the rules for products shows, such as two owners of one field. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from pricing_proxy.configuration.cross_checks import table
from pricing_proxy.configuration.mistakes import Mistake
from sync.products.mapping import FIXED
from sync.products.rules import FLOW, OF_EACH


def mistakes(document: Mapping[str, Any], market: str) -> Iterator[Mistake]:
    """Find fields with two owners, and rules that lead nowhere, where products are on."""
    on = having_products(document)
    if market not in on:
        return
    here, rules = f"sync.markets.{market}.{FLOW}", on[market]
    yield from _master_mistakes(here, market, on)
    yield from _owner_mistakes(here, market, on)
    yield from _code_mistakes(here, rules)
    stores = table(document, "sync", "markets", market).get("store_ids")
    for store in table(rules, "languages"):
        if isinstance(stores, list) and store not in map(str, stores):
            yield Mistake(f"{here}.languages", "expected store views of this market", store)
    fields = rules.get("fields")
    if not table(rules, "languages") and (not isinstance(fields, list) or "name" in fields):
        advice = "expected the language of each store view's names, or fields without name"
        yield Mistake(f"{here}.languages", advice)


def having_products(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the rules of the markets that have products on."""
    markets = table(document, "sync", "markets")
    return {
        code: table(markets, code, FLOW)
        for code, market in markets.items()
        if isinstance(market, dict)
        and isinstance(named := market.get("flows"), list)
        and FLOW in named
    }


def masters_of(on: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return who owns what is the same in all websites: whoever says so, or the only one."""
    said = [code for code, rules in on.items() if rules.get("master") is True]
    return said if said or len(on) > 1 else [*on]


def _master_mistakes(
    here: str, market: str, on: Mapping[str, Mapping[str, Any]]
) -> Iterator[Mistake]:
    masters = masters_of(on)
    if not masters:
        advice = f"expected true in one of {', '.join(sorted(on))}: it owns what all websites share"
        yield Mistake(f"{here}.master", advice)
    elif len(masters) > 1 and market in masters:
        others = ", ".join(code for code in masters if code != market)
        advice = f"expected one owner of what all websites share; {others} is master too"
        yield Mistake(f"{here}.master", advice, "true")


def _owner_mistakes(
    here: str, market: str, on: Mapping[str, Mapping[str, Any]]
) -> Iterator[Mistake]:
    """Find what a market wants to own that the master owns for all."""
    rules, masters = on[market], masters_of(on)
    scopes = {each.get("price_scope", "global") for each in on.values()}
    if len(scopes) > 1:
        yield Mistake(f"{here}.price_scope", "expected the same in all markets: it is the shop's")
    fields = rules.get("fields")
    if len(masters) != 1 or market in masters or not isinstance(fields, list):
        return
    own = OF_EACH | ({"price"} if rules.get("price_scope") == "website" else frozenset())
    for name in fields:
        if isinstance(name, str) and name not in own:
            advice = f"expected a field of one website; {masters[0]} owns it for all"
            yield Mistake(f"{here}.fields", advice, name)


def _code_mistakes(here: str, rules: Mapping[str, Any]) -> Iterator[Mistake]:
    """Find attributes of the shop that two fields of the ERP would be written into."""
    owners: dict[str, str] = {}
    for key, code in _codes(rules):
        if code in FIXED:
            yield Mistake(
                f"{here}.{key}", "expected an attribute that has no field of its own", code
            )
        elif code in owners:
            advice = f"expected an attribute of its own; {owners[code]} is written there too"
            yield Mistake(f"{here}.{key}", advice, code)
        owners.setdefault(code, key)


def _codes(rules: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in ("unit_attribute", "barcode_attribute"):
        if isinstance(code := rules.get(key), str):
            yield key, code
    for name, code in table(rules, "dimensions").items():
        if isinstance(code, str):
            yield f"dimensions.{name}", code
    for code in table(rules, "attributes"):
        yield f"attributes.{code}", code
