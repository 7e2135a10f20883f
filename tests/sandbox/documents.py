"""What tests of the simulated F&O's documents send, and how."""

from typing import Any

from aiohttp import ClientResponse

from pricing_proxy.sandbox.wire import from_json, to_json
from tests.sandbox.conftest import Client

HEADER = {
    "dataAreaId": "demf",
    "OrderingCustomerAccountNumber": "C-1001",
    "CustomersOrderReference": "000000123",
    "IsSalesProcessingStopped": "Yes",
}
LINE = {
    "dataAreaId": "demf",
    "ItemNumber": "LAMP-01",
    "OrderedSalesQuantity": 2,
    "SalesPrice": 17,
    "OrderLineReference": "000000123-01",
}


async def write(
    client: Client, method: str, target: str, body: Any = None, **headers: str
) -> ClientResponse:
    """Send a write across companies; `body` may be bytes, or members."""
    return await client.session.request(
        method,
        f"{client.sandbox.fo_url}/data/{target}?cross-company=true",
        data=body if isinstance(body, bytes) or body is None else to_json(body),
        headers={**client.headers, **headers},
    )


async def create(client: Client, entity_set: str, body: Any) -> dict[str, Any]:
    """Return the row that a POST made."""
    answer = await write(client, "POST", entity_set, body)
    assert answer.status == 201, await answer.text()
    row: dict[str, Any] = from_json(await answer.read())
    return row


async def refused(answer: ClientResponse, status: int = 400) -> str:
    """Return the inner text of a refusal."""
    assert answer.status == status, await answer.text()
    return str((await answer.json())["error"]["innererror"]["message"])


async def order(client: Client, *lines: dict[str, Any], **header: Any) -> str:
    """Create an order and return its number."""
    row = await create(client, "SalesOrderHeadersV3", {**HEADER, **header})
    number = str(row["SalesOrderNumber"])
    for line in lines:
        await create(client, "SalesOrderLinesV3", {**line, "SalesOrderNumber": number})
    return number


def key(number: str) -> str:
    return f"(dataAreaId='demf',SalesOrderNumber='{number}')"


async def judged(client: Client) -> list[dict[str, Any]]:
    """Return what judges see of the orders."""
    answer = await client.control("GET", "fo/orders")
    orders: list[dict[str, Any]] = from_json(await answer.read())
    return orders


def changeset(client: Client, *bodies: tuple[str, Any]) -> bytes:
    """Return a batch of one changeset of POSTs, and a read after it."""
    parts = "".join(
        "--cs\r\nContent-Type: application/http\r\nContent-ID: 1\r\n\r\n"
        f"POST {client.sandbox.fo_url}/data/{name}?cross-company=true HTTP/1.1\r\n"
        f"Content-Type: application/json\r\n\r\n{to_json(body).decode()}\r\n"
        for name, body in bodies
    )
    read = f"GET {client.sandbox.fo_url}/data/SalesOrderLinesV3?cross-company=true HTTP/1.1\r\n\r\n"
    text = (
        f"--b\r\nContent-Type: multipart/mixed; boundary=cs\r\n\r\n{parts}--cs--\r\n"
        f"--b\r\nContent-Type: application/http\r\n\r\n{read}\r\n--b--\r\n"
    )
    return text.encode()


async def post_batch(client: Client, body: bytes, boundary: str = "b") -> tuple[int, str]:
    answer = await client.session.post(
        f"{client.sandbox.fo_url}/data/$batch",
        data=body,
        headers={**client.headers, "Content-Type": f"multipart/mixed; boundary={boundary}"},
    )
    return answer.status, await answer.text()
