"""Whether what goes to PostgreSQL can be read on the way, by what libpq makes of the address."""

from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo

from pricing_proxy.configuration.addresses import is_loopback
from pricing_proxy.diagnosis.board import Finding, ok, warned
from sync.sections import EMBEDDED, Postgres

POSTGRES_LINE = "PostgreSQL over TLS"

_ENCRYPTED = ("require", "verify-ca", "verify-full")
# A name that begins so is a socket's.
_SOCKETS = ("/", "@")


def postgres_line(postgres: Postgres) -> Finding:
    """Return whether the line is encrypted for sure; libpq alone takes what it can get."""
    if postgres.url == EMBEDDED:
        return ok("embedded: there is no line")
    # What the address leaves open, libpq takes from the environment, such as PGSSLMODE.
    usual = {each.keyword.decode(): (each.val or b"").decode() for each in Conninfo.get_defaults()}
    said = {**usual, **conninfo_to_dict(postgres.url)}
    hosts = [host for host in f"{said.get('host') or ''}".split(",") if host]
    elsewhere = [host for host in hosts if not host.startswith(_SOCKETS) and not is_loopback(host)]
    if not elsewhere:
        return ok("on this machine")
    there, mode = ", ".join(elsewhere), said.get("sslmode") or "prefer"
    if mode in _ENCRYPTED:
        return ok(f"TLS to {there}, sslmode={mode}")
    return warned(
        f"sslmode={mode} to {there}: orders and customers may be read on the way",
        "Add ?sslmode=verify-full&sslrootcert=FILE to sync.postgres.url, or at least "
        "?sslmode=require",
    )
