"""The proxies of `deploy/proxies`, run as they stand there but for addresses and certificates."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pricing_proxy.children import tied
from pricing_proxy.demo.plan import free_ports
from tests.bench.programs import process
from tests.deploy.files import DEPLOY
from tests.deploy.tools import install, may_install
from tests.wire.ways import Way, WayError, wait_for_port

# Each is in Debian's package of its name.
_NEEDED = ("haproxy", "nginx", "openssl")
_PATH = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"
# Where the examples say that replicas are.
_REPLICAS = ("10.0.0.11:8080", "10.0.0.12:8080")
_NGINX = """\
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
events {{ worker_connections 4096; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {site};
}}
"""


def check() -> None:
    """Install what is missing where that may be done; raises `WayError` where it may not."""
    missing = _missing()
    problem = install(missing) if missing and may_install() else None
    if problem is not None:
        raise WayError(problem)
    if missing := _missing():
        raise WayError(
            f"missing: {', '.join(missing)}; install with: apt-get install {' '.join(missing)}"
        )


def _missing() -> list[str]:
    return [name for name in _NEEDED if shutil.which(name, path=_PATH) is None]


@contextmanager
def haproxy(folder: Path, replicas: Sequence[int]) -> Iterator[Way]:
    """Start HAProxy with the example before these ports of this machine."""
    prices, hints = free_ports(2)
    changes = {
        "bind :443 ": f"bind 127.0.0.1:{prices} ",
        "bind :8443 ": f"bind 127.0.0.1:{hints} ",
        **_certificates(folder, "haproxy"),
        **_moved(replicas),
    }
    file = folder / "haproxy.cfg"
    file.write_text(changed("haproxy.cfg", changes), encoding="utf-8")
    with process([_found("haproxy"), "-db", "-f", str(file)], folder / "haproxy.log"):
        wait_for_port(prices)
        yield Way("HAProxy", prices)


@contextmanager
def nginx(folder: Path, replicas: Sequence[int]) -> Iterator[Way]:
    """Start nginx with the example before these ports of this machine."""
    prices, hints = free_ports(2)
    changes = {
        "listen 443 ": f"listen 127.0.0.1:{prices} ",
        "listen 8443 ": f"listen 127.0.0.1:{hints} ",
        "/var/log/nginx": str(folder),
        **_certificates(folder, "nginx"),
        **_moved(replicas),
    }
    site, file = folder / "site.conf", folder / "nginx.conf"
    site.write_text(changed("nginx.conf", changes), encoding="utf-8")
    file.write_text(_NGINX.format(folder=folder, site=site), encoding="utf-8")
    command = [_found("nginx"), "-c", str(file), "-p", str(folder)]
    with process(command, folder / "nginx.log"):
        wait_for_port(prices)
        yield Way("nginx", prices)


def changed(example: str, changes: Mapping[str, str]) -> str:
    """Return an example with these texts replaced, each of which must stand in it."""
    text = (DEPLOY / "proxies" / example).read_text(encoding="utf-8")
    for old, new in changes.items():
        if old not in text:
            raise WayError(f"deploy/proxies/{example} has no {old!r} any more")
        text = text.replace(old, new)
    return text


def _moved(replicas: Sequence[int]) -> dict[str, str]:
    pairs = zip(_REPLICAS, replicas, strict=True)
    return {address: f"127.0.0.1:{port}" for address, port in pairs}


def _certificates(folder: Path, owner: str) -> dict[str, str]:
    """Return where the certificates are, which are made when they are not there."""
    both = folder / "both.pem"
    if not both.exists():
        key, certificate = folder / "key.pem", folder / "certificate.pem"
        made = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1")
        files = ("-subj", "/CN=rolling", "-keyout", str(key), "-out", str(certificate))
        subprocess.run(  # noqa: S603 -- a program from PATH with arguments of ours
            [_found("openssl"), *made, *files], check=True, capture_output=True, **tied()
        )
        both.write_bytes(key.read_bytes() + certificate.read_bytes())
    return {f"/etc/{owner}/certs/{name}.pem": str(both) for name in ("prices", "sync")}


def _found(name: str) -> str:
    return str(shutil.which(name, path=_PATH))
