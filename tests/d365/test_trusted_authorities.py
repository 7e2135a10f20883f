"""Which authorities a session trusts: the public ones, and those of a file as it is now."""

from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from pricing_proxy.http_exchange import http_session
from pricing_proxy.sandbox.certificates import tls_context


async def answered(server: TestServer, ca_file: Path) -> str:
    async with http_session(ca_file) as session, session.get(server.make_url("/")) as answer:
        return await answer.text()


async def test_a_file_that_was_renewed_is_read_again(tmp_path: Path) -> None:
    """Kept as it was first read, it would shut out the system it was renewed for."""
    ca_file = tmp_path / "authority.pem"
    for text in ("first", "renewed"):
        server_context = tls_context(ca_file, tmp_path)
        app = web.Application()

        async def says(_: web.Request, text: str = text) -> web.Response:
            return web.Response(text=text)

        app.router.add_get("/", says)
        server = TestServer(app)
        await server.start_server(ssl=server_context)
        assert await answered(server, ca_file) == text
        await server.close()


async def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        await http_session(tmp_path / "nowhere.pem").close()


async def test_without_a_file_nobody_private_is_trusted(tmp_path: Path) -> None:
    server = TestServer(web.Application())
    await server.start_server(ssl=tls_context(tmp_path / "authority.pem", tmp_path))
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        async with http_session(None) as session, session.get(server.make_url("/")):
            pass
    await server.close()
