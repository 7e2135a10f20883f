"""The bare handler: aiohttp and uvloop, reads the body, returns as many bytes from memory.

The same headers as the service sends, keep-alive, a process of its own: whatever the
service costs more than this is ours.
"""

import asyncio
import sys

import uvloop
from aiohttp import web

_HEADERS = {
    "Content-Type": "application/json",
    "Cache-Control": "private, no-store",
    "Cache-Status": "pricing-proxy; hit; detail=l1",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def bare_app() -> web.Application:
    """Return an application that answers /{size} with that many bytes.

    It is also where the service's sampled traces go.
    """
    bodies: dict[str, bytes] = {}

    async def answer(request: web.Request) -> web.Response:
        if request.can_read_body:
            await request.read()
        size = request.match_info["size"]
        body = bodies.get(size)
        if body is None:
            body = bodies[size] = b"x" * int(size)
        return web.Response(body=body, headers=_HEADERS)

    async def take_traces(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(content_type="application/x-protobuf")

    app = web.Application()
    app.router.add_post("/v1/traces", take_traces)
    app.router.add_post("/{size}", answer)
    app.router.add_get("/{size}", answer)
    return app


async def _serve(port: int) -> None:
    runner = web.AppRunner(bare_app(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as main_runner:
        main_runner.run(_serve(int(sys.argv[1])))
