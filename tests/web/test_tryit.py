"""The form of the documentation works: it calls its own listener, by every route there is."""

import json
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pricing_proxy.children import tied
from pricing_proxy.web.openapi import openapi_document
from tests.web.documented import DOCUMENT
from tests.web.shop import KEY, Shop
from tests.web.test_docs import STATIC

FILLING = Path(__file__).with_name("fill_and_send.mjs")
HOST = "http://127.0.0.1:9091"


@pytest.fixture(scope="module", params=["/docs", "/prices/docs"])
def sent(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return what the form sends for every route, unchanged as it is filled in at first."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node is on PATH")
    folder = tmp_path_factory.mktemp("form")
    for name in ("tryit", "markdown"):
        text = (STATIC / f"{name}.js").read_text().replace("/markdown.js", "/markdown.mjs")
        (folder / f"{name}.mjs").write_text(text)
    (folder / "openapi.json").write_text(json.dumps(DOCUMENT))
    page = HOST + request.param
    ended = subprocess.run(  # noqa: S603 -- our own words
        [node, str(FILLING), str(folder / "tryit.mjs"), str(folder / "openapi.json"), page],
        capture_output=True,
        check=False,
        **tied(),
    )
    assert ended.returncode == 0, ended.stderr.decode()
    return request.param.removesuffix("/docs"), json.loads(ended.stdout)


async def test_every_route_is_sent_to_the_listener_of_the_page_and_understood(
    shop: Shop, sent: Any
) -> None:
    prefix, requests = sent
    assert len(requests) == sum(len({"get", "post"} & set(p)) for p in DOCUMENT["paths"].values())
    for each in requests:
        path = each["url"].removeprefix(HOST + prefix)
        assert path.startswith("/"), each["url"]
        headers = {**each["headers"], "X-API-Key": KEY}
        answer = await shop.admin.request(each["method"], path, headers=headers, data=each["body"])

        text = await answer.text()
        assert not text.startswith('{"type":"/problems/no_such_route"'), path
        assert answer.status not in (400, 405, 415), (path, text)


async def test_the_same_is_shown_for_a_shell(sent: Any) -> None:
    for each in sent[1]:
        words = shlex.split(each["curl"].replace("\\\n", " "))
        assert each["url"] in words
        for name, value in each["headers"].items():
            assert f"{name}: {value}" in words
        assert each["body"] is None or each["body"] in words


def test_each_route_is_on_the_listener_of_the_page() -> None:
    assert all("admin" in item["x-listeners"] for item in DOCUMENT["paths"].values())


def test_the_document_names_the_ports_that_are_configured() -> None:
    document = openapi_document({"public": 9080, "admin": 9081})
    ports = {
        server["variables"]["port"]["default"]
        for item in document["paths"].values()
        for server in item["servers"]
    }
    assert ports == {"9080", "9081"}
