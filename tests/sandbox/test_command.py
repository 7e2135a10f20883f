"""The command line against a running sandbox."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession
from typer.testing import CliRunner, Result

from pricing_proxy.children import tied
from pricing_proxy.sandbox.command import sandbox_app
from pricing_proxy.sandbox.server import Sandbox
from tests.sandbox.conftest import Client, line

RUN = "from pricing_proxy.sandbox.command import sandbox_app; sandbox_app()"


async def command(sandbox: Sandbox, *words: str) -> Result:
    port = str(urlsplit(sandbox.control_url).port)
    return await asyncio.to_thread(
        CliRunner().invoke, sandbox_app, [*words, "--control-port", port]
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def test_orders_are_placed_with_progress(sandbox: Sandbox) -> None:
    many = await command(sandbox, "order", "--count", "30")
    one = await command(
        sandbox,
        *("order", "--sku", "LAMP-01", "--sku", "LAMP-02", "--quantity", "3", "--customer", "2"),
        *("--country", "NL", "--payment", "adyen_cc", "--shipping", "dhl_express"),
    )
    slow = await command(sandbox, "order", "--count", "2", "--every-ms", "1")
    wrong = await command(sandbox, "order", "--kind", "nonsense")

    assert many.exit_code == one.exit_code == slow.exit_code == 0
    assert "Placed 30 orders: 3000000001" in many.output
    assert "3000000030" in many.output
    order = sandbox.shop.orders[31]
    assert [(item["sku"], item["qty_ordered"]) for item in order["items"]] == [
        ("LAMP-01", 3),
        ("LAMP-02", 3),
    ]
    assert (order["customer_id"], order["payment"]["method"]) == (2, "adyen_cc")
    assert order["billing_address"]["country_id"] == "NL"
    assert len(sandbox.shop.orders) == 33
    assert wrong.exit_code == 2
    assert "kind" in wrong.stderr


async def test_what_people_do_in_the_shop_has_commands(sandbox: Sandbox) -> None:
    registered = await command(
        sandbox, *("customer", "--taxvat", "DE999888777", "--store", "4", "--company", "Neu GmbH")
    )
    changed = await command(sandbox, "customer", "4", "--account", "C-1001")
    ordered = await command(
        sandbox, "order", "--store", "4", "--customer", "4", "--ext-order-id", "AMZ-1"
    )
    deleted = await command(sandbox, "customer", "4", "--delete")
    renamed = await command(sandbox, "product", "lamp-13", "--rename", "Lamp-13")
    edited = await command(
        sandbox,
        *("product", "LAMP-12", "--set", "name=Lampe", "--set", "barcode=40"),
        *("--store", "b2b_de"),
    )
    gone = await command(sandbox, "product", "LAMP-17", "--delete")
    stock = await command(sandbox, "stock", "LAMP-06", "--source", "berlin", "--quantity", "12")
    held = await command(sandbox, "stock", "LAMP-06")

    done = (registered, changed, ordered, deleted, renamed, edited, gone, stock, held)
    assert [one.exit_code for one in done] == [0] * len(done), [one.output for one in done]
    assert "Registered customer 4" in registered.output
    assert "berlin 12" in stock.output
    assert stock.output == held.output
    order = sandbox.shop.orders[1]
    assert (order["store_id"], order["ext_order_id"]) == (4, "AMZ-1")
    assert "customer_id" not in order
    assert sandbox.shop.catalog.named("LAMP-13").sku == "Lamp-13"
    lamp = sandbox.shop.catalog.named("LAMP-12")
    assert (lamp.views[3]["name"], lamp.attributes["barcode"]) == ("Lampe", "40")
    assert sandbox.shop.catalog.by_sku("LAMP-17") is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("customer", "--delete"), "which customer"),
        (("customer", "1"), "what changes"),
        (("customer", "9", "--taxvat", "X"), "No such entity"),
        (("customer", "--email", "buyer1@c-1001.example"), "same email"),
        (("customer", "--store", "nowhere"), "b2b_de_en"),
        (("product", "LAMP-01"), "--rename or --delete"),
        (("product", "LAMP-01", "--set", "name"), "NAME=VALUE"),
        (("product", "NONE", "--delete"), "doesn't exist"),
        (("stock", "LAMP-01", "--source", "berlin"), "--source and --quantity"),
        (("stock", "LAMP-01", "--source", "x", "--quantity", "1"), "there are berlin"),
    ],
)
async def test_wrong_doings_in_the_shop_say_what_to_do(
    sandbox: Sandbox, words: tuple[str, ...], told: str
) -> None:
    failed = await command(sandbox, *words)
    assert failed.exit_code == 2
    assert told in failed.stderr


async def test_dials_are_shown_and_turned(sandbox: Sandbox) -> None:
    shown = await command(sandbox, "dial", "fo")
    turned = await command(
        sandbox,
        "dial",
        "fo",
        "latency_ms=7",
        "retry_after=Mon, 23 Nov 2026 07:30:11 GMT",
        "drop_lines=LAMP-01,LAMP-02",
        "odd_lines=LAMP-04:NaN,LAMP-05:CustomerBlocked",
        'poison_skus=["LAMP-03"]',
        "poison_lines=C-1003:LAMP-04,C-1001:LAMP-05",
        "deadlock_rate=0.4",
        "rename_fields=CustomersV3.NameAlias:Alias,SalesOrderHeadersV3.URL:Link",
        "mandatory_fields=CustomersV3.NameAlias",
        "short_sets=CustomersV3:60,ReleasedProductsV2:0",
    )
    again = await command(
        sandbox,
        "dial",
        "entra",
        'rename_fields={"CustomersV3.URL": "Link"}',
        'hidden_sets={"CustomersV3": 3}',
        'poison_lines=[{"customer": "C-1", "sku": "S"}]',
    )

    assert shown.exit_code == turned.exit_code == again.exit_code == 0
    assert "black_hole" in shown.output
    dials = sandbox.systems["fo"].dials
    assert (dials.latency_ms, dials.retry_after) == (7, "Mon, 23 Nov 2026 07:30:11 GMT")
    assert (dials.drop_lines, dials.poison_skus) == (("LAMP-01", "LAMP-02"), ("LAMP-03",))
    assert [tuple(line.values()) for line in dials.poison_lines] == [
        ("C-1003", "LAMP-04"),
        ("C-1001", "LAMP-05"),
    ]
    assert dials.odd_lines == {"LAMP-04": "NaN", "LAMP-05": "CustomerBlocked"}
    assert dials.deadlock_rate == 0.4
    assert sandbox.systems["entra"].dials.poison_lines == ({"customer": "C-1", "sku": "S"},)
    assert dials.rename_fields == {
        "CustomersV3.NameAlias": "Alias",
        "SalesOrderHeadersV3.URL": "Link",
    }
    assert dials.mandatory_fields == ("CustomersV3.NameAlias",)
    assert dials.short_sets == {"CustomersV3": 60, "ReleasedProductsV2": 0}
    assert sandbox.systems["entra"].dials.hidden_sets == {"CustomersV3": 3}
    assert sandbox.systems["entra"].dials.rename_fields == {"CustomersV3.URL": "Link"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("dial", "fo", "nonsense=1"), "nonsense"),
        (("dial", "fo", "dead=yes"), "dead"),
        (("dial", "fo", "dead"), "NAME=VALUE"),
        (("dial", "bc"), "entra, fo, magento"),
        (("price", "LAMP-99", "17.50"), "sku"),
        (("price", "LAMP-01", "17.50", "--customer", "C-1001", "--group", "B2B"), "not both"),
    ],
)
async def test_mistake_is_told_and_exits_with_2(
    sandbox: Sandbox, words: tuple[str, ...], told: str
) -> None:
    result = await command(sandbox, *words)

    assert result.exit_code == 2
    assert told in result.stderr


async def test_calls_are_shown_and_reset(sandbox: Sandbox, client: Client) -> None:
    await client.ask_prices(line("LAMP-01"))
    result = await command(sandbox, "calls", "fo", "--reset")

    assert result.exit_code == 0
    assert "price_batch" in result.output
    assert (await client.calls("fo"))["total"] == 0


async def test_price_is_posted(sandbox: Sandbox, client: Client) -> None:
    result = await command(sandbox, "price", "LAMP-01", "17.50", "--customer", "C-1001")

    assert "journal 00003" in result.output
    assert str((await client.priced(line("LAMP-01")))[0]["unitPrice"]) == "17.50"


async def test_price_for_a_group_and_for_everybody_is_posted(
    sandbox: Sandbox, client: Client
) -> None:
    await command(sandbox, "price", "LAMP-01", "18.11", "--group", "B2B")
    await command(sandbox, "price", "LAMP-01", "18.22")
    group = await client.priced(line("LAMP-01"), customerAccount="C-1002")
    everybody = await client.priced(line("LAMP-01"), customerAccount="C-1003")

    assert [str(each[0]["unitPrice"]) for each in (group, everybody)] == ["18.11", "18.22"]


def test_without_a_sandbox_the_command_says_how_to_go_on() -> None:
    words = ["calls", "fo", "--control-port", str(free_port())]
    result = CliRunner().invoke(sandbox_app, words)

    assert result.exit_code == 2
    assert "no sandbox answers" in result.stderr


def test_taken_port_is_named_with_its_option(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = str(server.getsockname()[1])
        words = ["--control-port", "0", "--fo-port", taken, "--entra-port", "0"]
        words += ["--magento-port", "0"]
        result = CliRunner().invoke(sandbox_app, [*words, "--state-dir", str(tmp_path)])

    assert result.exit_code == 2
    assert taken in result.stderr
    assert "--fo-port" in result.stderr


async def test_it_runs_until_it_is_told_to_stop(tmp_path: Path) -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", RUN, "--control-port", str(port), "--fo-port", "0", "--entra-port", "0"),
        *("--magento-port", "0"),
        *("--state-dir", str(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "COLUMNS": "120"},
        **tied(),
    )
    assert process.stdout is not None
    printed = b""
    while "C-1001" not in str(printed) and b"Customers" not in printed:
        chunk = await process.stdout.read(4096)
        assert chunk, printed
        printed += chunk
    async with ClientSession() as session:
        answer = await session.get(f"http://127.0.0.1:{port}/systems/fo/dials")
        assert answer.status == 200
    process.send_signal(signal.SIGINT)

    assert await process.wait() == 0
    assert f"127.0.0.1:{port}".encode() in printed
