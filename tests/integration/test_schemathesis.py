"""Whatever the OpenAPI document allows or forbids to send, the running service does not break.

schemathesis makes requests of every operation of both listeners, right ones and wrong ones,
and the real application over the real sandbox answers them. No answer may be a server
error, and each must be one that the document tells of.
"""

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import jwt
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from pricing_proxy.web.openapi import openapi_document
from tests.integration.running import KEY, running_service
from tests.patience import PATIENCE_SECONDS

SECRET = "a secret of the shop's, longer than 32 bytes"
STOREFRONT = {
    "issuer": "shop",
    "audience": "prices",
    "keys": {"2026": {"algorithm": "HS256", "secret": SECRET}},
}
DOCUMENT = openapi_document()
OPERATIONS = [
    (path, method, mode)
    for path, item in DOCUMENT["paths"].items()
    for method in ("get", "post", "options")
    if method in item
    for mode in GenerationMode
    # Where nothing is read from a request, nothing in it can be wrong.
    if mode is GenerationMode.POSITIVE or "requestBody" in item[method] or path == "/v1/prices"
    if (method, mode) != ("options", GenerationMode.NEGATIVE)
]
EXAMPLES = 15
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


class Service(NamedTuple):
    """Where the running service listens."""

    public: str
    admin: str


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service on a loop of its own: schemathesis sends from this thread and waits."""
    folder = tmp_path_factory.mktemp("service")
    started: list[Service] = []
    is_up, loop = threading.Event(), asyncio.new_event_loop()
    is_over = asyncio.Event()

    async def serve() -> None:
        async with running_service(folder, storefront=STOREFRONT) as running:
            started.append(Service(running.public, running.admin))
            is_up.set()
            await is_over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert is_up.wait(60)
    yield started[0]
    loop.call_soon_threadsafe(is_over.set)
    thread.join(30)
    loop.close()


def token() -> str:
    now = int(time.time())
    claims = {
        "iss": "shop",
        "aud": "prices",
        "sub": "C-1001",
        "market": "b2b_de",
        "iat": now,
        "exp": now + 900,
    }
    return jwt.encode(claims, SECRET, "HS256", headers={"kid": "2026"})


CALLERS: Mapping[str, Any] = {
    "key": lambda: {"X-API-Key": KEY},
    "token": lambda: {"Authorization": f"Bearer {token()}"},
    "nobody": dict,
}


# The service draws its jitter in its own thread, which hypothesis takes for the strategies'.
@pytest.mark.filterwarnings("ignore:Do not use the .random. module")
@pytest.mark.parametrize(
    ("path", "method", "mode"),
    OPERATIONS,
    ids=[f"{method} {path} {mode.value}" for path, method, mode in OPERATIONS],
)
def test_no_request_breaks_the_service(
    service: Service, path: str, method: str, mode: GenerationMode
) -> None:
    operation = schemathesis.openapi.from_dict(DOCUMENT)[path][method]
    session = requests.Session()
    listeners = DOCUMENT["paths"][path]["x-listeners"]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=operation.as_strategy(mode),
        caller=st.sampled_from(["key", "key", "key", "token", "nobody"]),
        is_known=st.booleans(),
        listener=st.sampled_from(listeners),
    )
    def send(case: Case[Any], caller: str, listener: str, *, is_known: bool) -> None:
        if is_known:
            _name_what_there_is(case)
        headers = CALLERS[caller]()
        answer = case.call(
            base_url=getattr(service, listener),
            session=session,
            headers=headers,
            timeout=PATIENCE_SECONDS,
        )
        case.validate_response(answer, checks=CHECKS, headers=headers)

    with session:
        try:
            send()
        finally:
            _close_breakers(session, service)


def _close_breakers(session: requests.Session, service: Service) -> None:
    """Undo what an order to isolate did: an ERP that operators took away is not a healthy one."""
    state = session.get(f"{service.admin}/status", timeout=PATIENCE_SECONDS).json()
    for breaker in state["erp"]["sandbox"]["breakers"]:
        address = f"{service.admin}/v1/breakers/{breaker['name']}"
        answer = session.post(
            address, json={"order": "close"}, headers=CALLERS["key"](), timeout=PATIENCE_SECONDS
        )
        assert answer.ok, answer.text


def _name_what_there_is(case: Case[Any]) -> None:
    """Put names in that the service knows, so that it goes further than looking them up."""
    known = {"market": "b2b_de", "customer": "C-1001"}
    body: Any = case.body
    if isinstance(body, dict):
        body |= {name: text for name, text in known.items() if name in body}
        lines = body.get("lines")
        for line in lines if isinstance(lines, list) else ():
            if isinstance(line, dict):
                line["sku"] = "LAMP-01"
    if case.query:
        case.query.update({name: text for name, text in known.items() if name in case.query})
