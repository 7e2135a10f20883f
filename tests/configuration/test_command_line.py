"""What `pricing-proxy` says about its configuration, as its user sees it."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pricing_proxy.__main__ import app
from pricing_proxy.children import tied
from pricing_proxy.configuration.api_keys import KeyRing
from pricing_proxy.settings import load
from tests.configuration.files import CONFIGURATION, SECRET, SECRET_VARIABLE, write
from tests.patience import PATIENCE_SECONDS

WRONG = CONFIGURATION.replace("Europe/Berlin", "Berlin").replace('"EUR"', '"euro"')


def test_serve_ends_with_two_and_lists_every_mistake(tmp_path: Path) -> None:
    """As a process of its own: exit code and output are what an init system sees."""
    file = write(tmp_path, WRONG)

    ended = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-m", "pricing_proxy", "serve", "--config", str(file)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
        **tied(),
    )

    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.splitlines() == [
        "The configuration has 3 mistakes:",
        (
            "  environments.erp.time_zone: expected an IANA time zone such as Europe/Berlin "
            "(got 'Berlin')"
        ),
        "  markets.b2b_de.currency: String should match pattern '^[A-Z]{3}$' (got 'euro')",
        (
            f"  environments.erp.pricing_client_secret: is required: set {SECRET_VARIABLE}, or a "
            "file of that name in PRICING_PROXY_SECRETS_DIR; or name pricing_certificate_file or "
            "pricing_federated_token_file (else AZURE_FEDERATED_TOKEN_FILE) in its place"
        ),
    ]


def test_serve_never_shows_a_secret_that_it_complains_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    file = write(tmp_path, f'{WRONG}\n[redis]\nurl = "http://:{SECRET}@cache"\n')

    result = CliRunner().invoke(app, ["serve", "--config", str(file)])

    assert result.exit_code == 2
    assert "redis.url" in result.stderr
    assert "hunter2" not in result.output


def test_a_taken_port_is_a_clear_error_that_names_its_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken_port: int
) -> None:
    """The ERP need not be there: an unreachable one keeps no port from being opened."""
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    text = CONFIGURATION.replace(
        "https://contoso.operations.dynamics.com", "http://127.0.0.1:9"
    ).replace('tenant = "', 'authority = "https://127.0.0.1:9"\ntenant = "')
    listeners = f'public = {{ host = "127.0.0.1", port = {taken_port} }}\nadmin = {{ port = 0 }}\n'
    file = write(tmp_path, f"{text}\n[service]\n{listeners}")

    ended = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-m", "pricing_proxy", "serve", "--config", str(file)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
        env={"PATH": "/usr/bin:/bin", SECRET_VARIABLE: SECRET},
        **tied(),
    )

    assert ended.returncode == 2
    assert f"cannot listen on 127.0.0.1:{taken_port}" in ended.stderr
    assert "set service.public.port" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_new_key_works_in_the_configuration_it_is_printed_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    options = ["--scope", "prices", "--scope", "operate"]

    result = CliRunner().invoke(app, ["key", 'the "big" shop', *options])

    assert result.exit_code == 0
    table = result.stdout[result.stdout.index("[[api_keys]]") :]
    [shown] = re.findall(r"pp_[\w-]+", result.stdout)
    settings = load(write(tmp_path, f"{CONFIGURATION}\n{table}"))
    found = KeyRing(settings.api_keys).find(shown)
    assert found is not None
    assert found.name == 'the "big" shop'
    assert found.scopes == {"prices", "operate"}


def test_a_new_key_opens_prices_and_logins_unless_told_otherwise() -> None:
    result = CliRunner().invoke(app, ["key", "shop-de"])

    [table] = tomllib.loads(result.stdout[result.stdout.index("[[api_keys]]") :])["api_keys"]
    assert table["scopes"] == ["prices", "login"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["shop", "--scope", "price"], "--scope price: there is no such scope"),
        (["x" * 61], "1 to 60"),
        ([""], "1 to 60"),
        (["two\nlines"], "printable"),
    ],
)
def test_a_key_that_the_configuration_would_refuse_is_not_made(
    arguments: list[str], message: str
) -> None:
    result = CliRunner().invoke(app, ["key", *arguments])

    assert result.exit_code == 2
    assert message in result.stderr
    assert "pp_" not in result.output


def test_the_version_is_printed() -> None:
    result = CliRunner().invoke(app, ["version"])

    assert re.fullmatch(r"\d+\.\d+\.\d+", result.stdout.strip())


@pytest.mark.parametrize(
    ("workers", "message"),
    [("0", "greater than or equal to 1"), ("abc", "integer"), ("65", "less than or equal to 64")],
)
def test_a_number_of_workers_that_is_none_is_refused(workers: str, message: str) -> None:
    result = CliRunner().invoke(app, ["serve", "--workers", workers])

    assert result.exit_code == 2
    assert "--workers" in result.stderr
    assert message in result.stderr


REDIS = '[redis]\nurl = "redis://127.0.0.1:9/0"\n'


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ("", "redis.url: expected a Redis server for more than one worker"),
        (
            f"{REDIS}[service]\nadmin = {{ port = 65500 }}\n",
            "service.admin.port: too high for 2 workers",
        ),
        (
            f"{REDIS}[service]\nadmin = {{ port = 7980 }}\n",
            "service.admin.port, service.public.port: 2 workers would meet on a port",
        ),
        (
            f"{REDIS}[service]\nadmin = {{ port = 7001 }}\nmetrics = {{ port = 7101 }}\n",
            "service.admin.port, service.metrics.port: 2 workers would meet on a port",
        ),
    ],
)
def test_what_is_for_one_worker_only_is_refused_for_two(
    sections: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    file = write(tmp_path, f"{CONFIGURATION}\n{sections}")

    result = CliRunner().invoke(app, ["serve", "--workers", "2", "--config", str(file)])

    assert result.exit_code == 2
    assert message in result.stderr


def test_a_port_that_another_program_has_is_refused_for_workers_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken_port: int
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    public = f'[service]\npublic = {{ host = "127.0.0.1", port = {taken_port} }}\n'
    file = write(tmp_path, f"{CONFIGURATION}\n{REDIS}{public}")

    result = CliRunner().invoke(app, ["serve", "--workers", "2", "--config", str(file)])

    assert result.exit_code == 2
    assert f"cannot listen on 127.0.0.1:{taken_port}" in result.stderr
    assert "set service.public.port" in result.stderr
