"""Both programs end alike: what an init system sees is a process' exit code."""

import asyncio
import socket
import sys

import pytest
from typer import Typer
from typer.testing import CliRunner

from pricing_proxy.__main__ import app as pricing_proxy
from pricing_proxy.children import tied
from sync.__main__ import app as d365_sync_app
from sync.serve.first_start import confirm
from sync.serve.stores import stores
from sync.settings import load
from tests.sync_console.conftest import CommandLine


@pytest.mark.real_services
async def test_a_taken_port_ends_the_sync_as_it_ends_the_price_service(
    d365_sync: CommandLine,
) -> None:
    """A listener's address is a part of the configuration."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        text = d365_sync.file.read_text(encoding="utf-8")
        d365_sync.file.write_text(f"{text}\n[sync.operators]\nport = {port}\n", encoding="utf-8")
        async with stores(load(d365_sync.file)) as opened:
            await confirm(opened.watermarks)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sync", "run", "--config", str(d365_sync.file)),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            **tied(),
        )
        _, told = await process.communicate()

    assert process.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in told.decode()
    assert "set sync.operators.port" in told.decode()
    assert "Traceback" not in told.decode()


@pytest.mark.parametrize("program", [pricing_proxy, d365_sync_app])
def test_the_help_tells_every_exit_code(program: Typer) -> None:
    told = " ".join(CliRunner().invoke(program, ["--help"]).stdout.split())

    assert "Exit codes: 0 done." in told
    assert "2 the command or the configuration has a mistake, or an address is taken." in told
