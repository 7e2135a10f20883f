"""The ways to the service: straight, and through Debian's HAProxy and nginx."""

import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pricing_proxy.demo.plan import free_ports
from tests.bench.programs import process

_NEEDED = ("haproxy", "nginx")
_START_SECONDS = 20.0
_HAPROXY = """\
defaults
    mode http
    timeout connect 5s
    timeout client 40s
    timeout server 40s
    http-reuse {reuse}
frontend callers
    bind 127.0.0.1:{port}
    default_backend service
backend service
    server only 127.0.0.1:{service}
"""
# Bodies go through as they come: buffered, nginx would send none of them in chunks.
_NGINX = """\
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
worker_processes 1;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream service {{ server 127.0.0.1:{service}; keepalive 32; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://service;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_request_buffering off;
        }}
    }}
}}
"""


class WayError(Exception):
    """A way cannot be gone; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way to the service.

    Attributes:
        name: As printed.
        port: Where it begins.
        is_direct: Whether nothing is in between.
    """

    name: str
    port: int
    is_direct: bool = False


def check() -> None:
    """Raise `WayError` unless all proxies are installed."""
    missing = [name for name in _NEEDED if _found(name) is None]
    if missing:
        raise WayError(
            f"missing: {', '.join(missing)}; install with: apt-get install haproxy nginx"
        )


@contextmanager
def haproxy(folder: Path, service: int, reuse: str) -> Iterator[Way]:
    """Start an HAProxy before the service."""
    port = free_ports(1)[0]
    file = folder / f"haproxy-{reuse}.cfg"
    file.write_text(_HAPROXY.format(port=port, service=service, reuse=reuse), encoding="utf-8")
    with process([str(_found("haproxy")), "-db", "-f", str(file)], file.with_suffix(".log")):
        wait_for_port(port)
        yield Way(f"HAProxy, http-reuse {reuse}", port)


@contextmanager
def nginx(folder: Path, service: int) -> Iterator[Way]:
    """Start an nginx before the service."""
    port = free_ports(1)[0]
    file = folder / "nginx.conf"
    file.write_text(_NGINX.format(port=port, service=service, folder=folder), encoding="utf-8")
    with process([str(_found("nginx")), "-c", str(file), "-p", str(folder)], folder / "nginx.log"):
        wait_for_port(port)
        yield Way("nginx", port)


def _found(name: str) -> str | None:
    return shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


def wait_for_port(port: int) -> None:
    """Return when somebody listens there; raises `WayError`."""
    give_up = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > give_up:
                raise WayError(f"nothing listens on port {port}") from None
            time.sleep(0.05)
        else:
            return
