"""A browser's page at the running service: preflight, token, price, and the budget's end."""

import time
from pathlib import Path

import jwt

from tests.integration.running import PAGE, running_service

SECRET = "a secret of the shop's, longer than 32 bytes"
STOREFRONT = {
    "issuer": "https://shop.example.com",
    "audience": "prices",
    "keys": {"2026": {"algorithm": "HS256", "secret": SECRET}},
    "cold_skus_per_minute": 2,
}


def token(customer: str) -> str:
    now = int(time.time())
    claims = {
        "iss": "https://shop.example.com",
        "aud": "prices",
        "sub": customer,
        "market": "b2b_de",
        "iat": now,
        "exp": now + 600,
    }
    return jwt.encode(claims, SECRET, "HS256", headers={"kid": "2026"})


async def test_a_page_asks_for_its_customer_s_prices(tmp_path: Path) -> None:
    async with running_service(tmp_path, storefront=STOREFRONT) as running:
        asking = {
            "Origin": PAGE,
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization",
        }
        async with running.session.options(f"{running.public}/v1/prices", headers=asking) as leave:
            assert leave.status == 204
            assert leave.headers["Access-Control-Allow-Origin"] == PAGE

        headers = {"Origin": PAGE, "Authorization": f"Bearer {token('magento_id:1')}"}
        query = "sku=LAMP-01&sku=LAMP-02&sku=LAMP-03&quantity=10&wait_ms=2000"
        address = f"{running.public}/v1/prices?{query}"
        async with running.session.get(address, headers=headers) as answer:
            content = await answer.json()

        assert answer.status == 200
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        assert (content["customer"], content["lines"][0]["unit_price"]) == ("C-1001", "17.1000")
        assert [line.get("reason") for line in content["lines"]] == [
            None,
            None,
            "cold_budget_spent",
        ]

        other = await running.post(
            {"customer": "C-1002", "lines": [{"sku": "LAMP-01"}]},
            key=None,
            headers={"Authorization": f"Bearer {token('C-1001')}"},
        )
        assert other.status == 403
