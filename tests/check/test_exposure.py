"""What lies open is said, and stops nothing."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pricing_proxy.configuration.redis import RedisSection
from pricing_proxy.diagnosis.board import RowState
from pricing_proxy.diagnosis.exposure import redis_line, this_machine
from sync.check.postgres_line import postgres_line
from sync.sections import Postgres


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis://redis.example.com:6379/0", "plain to redis.example.com"),
        ("redis://10.0.0.7", "plain to 10.0.0.7"),
        ("redis+sentinel://one:26379,two:26379/prices/0", "plain to one, two"),
        ("redis+sentinel://127.0.0.1:26379,two:26379/prices/0", "plain to two"),
        ("redis+cluster://one:7000,one:7001", "plain to one:"),
        ("rediss://redis.example.com/0?ssl_cert_reqs=none", "ssl_cert_reqs=none"),
        ("rediss://redis.example.com/0?SSL_CERT_REQS=None", "ssl_cert_reqs=none"),
    ],
)
def test_redis_elsewhere_without_tls_that_proves_who_it_is_is_a_warning(
    url: str, told: str
) -> None:
    found = redis_line(RedisSection(url=url))

    assert found.state is RowState.WARNED
    assert told in found.found
    assert "redis.url" in found.next_step


@pytest.mark.parametrize(
    "url",
    [
        "embedded",
        "redis://127.0.0.1:6379/0",
        "redis://localhost",
        "redis://[::1]:6379",
        "rediss://localhost/0?ssl_cert_reqs=none",
        "unix:///run/redis.sock",
        "rediss://redis.example.com/0",
        "rediss://redis.example.com/0?ssl_cert_reqs=required",
        "rediss+sentinel://one:26379,two:26379/prices/0",
        "rediss+cluster://one:7000",
    ],
)
def test_redis_here_or_over_tls_is_none(url: str) -> None:
    assert redis_line(RedisSection(url=url)).state is RowState.OK


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgresql://sync@db.example.com/sync", "prefer"),
        ("postgres://sync@db.example.com:5432/sync?sslmode=disable", "disable"),
        ("postgresql://sync@db.example.com/sync?sslmode=allow", "allow"),
        ("postgresql://sync@127.0.0.1,db.example.com/sync", "prefer"),
        ("postgresql:///sync?host=db.example.com", "prefer"),
    ],
)
def test_postgresql_elsewhere_that_may_do_without_tls_is_a_warning(url: str, mode: str) -> None:
    found = postgres_line(Postgres(url=url))

    assert found.state is RowState.WARNED
    assert found.found.startswith(f"sslmode={mode} to db.example.com")
    assert "sync.postgres.url" in found.next_step


@pytest.mark.parametrize(
    "url",
    [
        "embedded",
        "postgresql://sync@127.0.0.1/sync",
        "postgresql://sync@localhost:5433/sync",
        "postgresql:///sync?host=/var/run/postgresql",
        "postgresql://sync@db.example.com/sync?sslmode=require",
        "postgresql://sync@db.example.com/sync?sslmode=verify-full",
    ],
)
def test_postgresql_here_or_over_tls_is_none(url: str) -> None:
    assert postgres_line(Postgres(url=url)).state is RowState.OK


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike pytest's own."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_what_libpq_takes_from_the_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    here = postgres_line(Postgres(url="postgresql://sync@db.example.com/sync"))
    monkeypatch.setenv("PGHOST", "db.example.com")
    monkeypatch.delenv("PGSSLMODE")
    there = postgres_line(Postgres(url="postgresql:///sync"))

    assert (here.state, there.state) == (RowState.OK, RowState.WARNED)


@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "is_open"),
    [
        (0o755, 0o644, True),
        (0o711, 0o644, True),
        (0o755, 0o640, False),
        (0o700, 0o644, False),
        (0o750, 0o644, False),
    ],
)
def test_secrets_that_any_user_can_read_are_a_warning(
    open_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    folder_mode: int,
    file_mode: int,
    *,
    is_open: bool,
) -> None:
    """Linked as mounted secrets are."""
    secrets, data = open_folder / "secrets", open_folder / "secrets" / "..data"
    data.mkdir(parents=True)
    (data / "redis__password").write_text("hunter2")
    (secrets / "REDIS__PASSWORD").symlink_to(data / "redis__password")
    (data / "redis__password").chmod(file_mode)
    (data / "readme").mkdir()
    for folder in (secrets, data):
        folder.chmod(folder_mode)
    monkeypatch.setenv("PRICING_PROXY_SECRETS_DIR", str(secrets))
    row, _ = this_machine().rows()

    assert row.finding.state is (RowState.WARNED if is_open else RowState.OK)
    assert ("REDIS__PASSWORD" in row.finding.found) is is_open
    assert (f"chmod -R o= {secrets}" in row.finding.next_step) is is_open
    assert "hunter2" not in row.finding.found


def test_secrets_behind_a_closed_door_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = tmp_path / "closed" / "secrets"
    secrets.mkdir(parents=True)
    (secrets / "REDIS__PASSWORD").write_text("hunter2")
    (secrets / "REDIS__PASSWORD").chmod(0o644)
    secrets.parent.chmod(0o700)

    monkeypatch.setenv("PRICING_PROXY_SECRETS_DIR", str(secrets))
    row, _ = this_machine().rows()
    assert row.finding.state is RowState.OK
