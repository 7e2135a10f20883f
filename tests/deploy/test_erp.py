"""The X++ price service answers what `pricing-proxy` asks: its names are held against the parser.

Nothing here compiles X++. What is read is the metadata: names of members, of the operation and
of errors.
"""

import json
import re
from datetime import date
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from pricing_proxy.configuration.environments import Environment
from pricing_proxy.d365.fo.models import LineError, PriceAnswer, PriceLine
from pricing_proxy.d365.fo.price_calls import MAX_LINES, PriceRequest, PriceRequestLine
from pricing_proxy.sandbox import erp_events
from tests.deploy.files import DEPLOY

MODEL = DEPLOY / "erp" / "PricingProxy" / "PricingProxy"
ELEMENTS = sorted(MODEL.rglob("*.xml"))
_MEMBER = re.compile(
    r"\[DataMemberAttribute\('(?P<name>\w+)'\).*?"
    r"public (?P<kind>\w+) (?P<method>\w+)\((?P=kind) _(?P=name) = (?P=name)\)",
    re.DOTALL,
)


def element(folder: str, name: str) -> ET.Element:
    return ET.parse(MODEL / folder / f"{name}.xml").getroot()  # noqa: S314 - our own file


def source(name: str) -> str:
    """Return the X++ of a class."""
    found = element("AxClass", name)
    return "\n".join(
        part.text or "" for part in found.iter() if part.tag in ("Declaration", "Source")
    )


def members(name: str) -> dict[str, str]:
    """Return the members of a data contract, and their types."""
    return {found["name"]: found["kind"] for found in _MEMBER.finditer(source(name))}


def asked() -> Any:
    line = PriceRequestLine(
        ref="1",
        item_number="D0001",
        unit="PCS",
        quantity=Decimal("1.5"),
        color="black",
        size="M",
        style="new",
        configuration="c",
        version="v",
    )
    request = PriceRequest(
        company="demf", customer="C-1", currency="EUR", day=date(2026, 11, 30), lines=(line,)
    )
    return json.loads(request.body())


def test_the_request_that_is_sent_is_the_contract_that_is_read() -> None:
    (parameter, request), *others = asked().items()
    assert others == []
    operation = source("PricingProxyPriceService")
    assert f"getPrices(PricingProxyPriceRequest {parameter})" in operation
    assert set(members("PricingProxyPriceRequest")) == set(request)
    (line,) = request["lines"]
    assert set(members("PricingProxyPriceRequestLine")) == set(line)
    assert members("PricingProxyPriceRequestLine")["quantity"] == "real"


def test_the_contract_that_is_answered_is_what_is_parsed() -> None:
    assert set(members("PricingProxyPriceAnswer")) == set(PriceAnswer.model_fields)
    answered = members("PricingProxyPriceAnswerLine")
    assert set(answered) == set(PriceLine.model_fields)
    texts = {"ref", "currency", "source", "error"}
    assert {name for name, kind in answered.items() if kind == "str"} == texts
    assert {kind for name, kind in answered.items() if name not in texts} == {"real"}


def test_the_operation_is_where_it_is_called() -> None:
    (service,) = element("AxServiceGroup", "PricingProxyServiceGroup").iter("AxServiceGroupService")
    group = element("AxServiceGroup", "PricingProxyServiceGroup").findtext("Name")
    operation = element("AxService", "PricingProxyService").findtext(".//AxServiceOperation/Name")
    path = Environment.model_fields["price_service_path"].default
    assert path == f"/api/services/{group}/{service.findtext('Name')}/{operation}"
    assert (
        element("AxService", "PricingProxyService").findtext("Class") == "PricingProxyPriceService"
    )


def test_the_privilege_opens_that_operation_and_nothing_else() -> None:
    (entry,) = element("AxSecurityPrivilege", "PricingProxyPriceRead").iter(
        "AxSecurityEntryPointReference"
    )
    named = {part.tag: part.text for part in entry}
    assert (named["ObjectName"], named["ObjectChildName"]) == ("PricingProxyService", "getPrices")
    assert named["ObjectType"] == "ServiceOperation"
    assert [grant.tag for grant in entry.find("Grant") or ()] == ["Invoke"]
    duty = element("AxSecurityDuty", "PricingProxyPriceInquire")
    assert duty.findtext(".//AxSecurityPrivilegeReference/Name") == "PricingProxyPriceRead"


def test_errors_are_those_that_are_known_and_one_of_its_own() -> None:
    constants = re.findall(
        r"private const str (\w+) = '(\w+)';", source("PricingProxyPriceService")
    )
    codes = {text for name, text in constants if name == text}
    assert codes == {each.value for each in LineError} | {"SearchFailed"}
    (most,) = re.findall(r"MostLines = (\d+);", source("PricingProxyPriceService"))
    assert int(most) == MAX_LINES


def test_it_writes_nothing() -> None:
    words = set(re.findall(r"\w+", source("PricingProxyPriceService")))
    assert not words & {"ttsbegin", "insert", "doInsert", "update", "findOrCreate", "delete_from"}


@pytest.mark.parametrize("file", ELEMENTS, ids=lambda file: file.stem)
def test_each_file_is_named_like_its_element(file: Any) -> None:
    root = ET.parse(file).getroot()  # noqa: S314 - our own file
    assert (root.tag, root.findtext("Name")) == (file.parent.name, file.stem)
    for method in root.iterfind(".//Methods/Method"):
        name, text = method.findtext("Name"), method.findtext("Source") or ""
        assert re.search(rf"\b{name}\(", text)
        assert text.count("{") == text.count("}")
        assert text.count("(") == text.count(")")


def test_the_guide_names_every_business_event_that_is_known() -> None:
    text = (DEPLOY / "erp" / "README.md").read_text(encoding="utf-8")
    assert erp_events.INVOICE_POSTED in text
    assert erp_events.SLIP_POSTED in text
    for section in ("order_status.events", "stock.events", "products.events", "invoices.events"):
        assert section in text
