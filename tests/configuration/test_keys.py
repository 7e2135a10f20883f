"""README and the example name every key of the models once, with what it means."""

import os
import re
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pricing_proxy.__main__ import app as pricing_proxy
from pricing_proxy.configuration.mistakes import SECRETS_VARIABLE
from sync.__main__ import app as d365_sync
from tests.configuration.keys import sections, undocumented
from tests.configuration.written_keys import EXAMPLE, README, VALUES, example, readme_with, table

ADVICE = "run: python -m tests.configuration.keys"
# Each as `config example` names its variable: of the kind that its key asks for.
REQUIRED_SECRETS = [
    "PRICING_PROXY_ENVIRONMENTS__PROD__PRICING_CLIENT_SECRET",
    "PRICING_PROXY_ENVIRONMENTS__PROD__SYNC_CLIENT_SECRET",
    "PRICING_PROXY_SYNC__MAGENTO__CONSUMER_SECRET",
    "PRICING_PROXY_SYNC__MAGENTO__TOKEN_SECRET",
]
SYNC_ALONE = REQUIRED_SECRETS[1:]
STOREFRONT = """
[storefront]
issuer = "https://shop.example"
audience = "prices"
[storefront.keys.k1]
algorithm = "HS256"
"""


def test_the_readme_has_every_key_once() -> None:
    assert README.read_text() == readme_with(table()), ADVICE
    rows = re.findall(r"^\| `([^`]+)` \|", table(), re.MULTILINE)
    assert len(rows) == len(set(rows)) > 150


def test_the_example_has_every_key() -> None:
    assert EXAMPLE.read_text() == example(), ADVICE


def test_each_key_says_what_it_means() -> None:
    assert undocumented() == []


def test_each_required_key_has_a_value_to_show_and_no_other_key_is_told_of() -> None:
    keys = [key for section in sections() for key in section.keys]
    needed = {key.path for key in keys if key.required_by and not key.is_secret}
    assert sorted(needed - VALUES.keys()) == []
    assert sorted(VALUES.keys() - {key.path for key in keys}) == []


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the example in a file, with each secret that it asks for."""
    for name in list(os.environ):
        if name.startswith("PRICING_PROXY_"):
            monkeypatch.delenv(name)
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in REQUIRED_SECRETS:
        (secrets / name).write_text("it opens nothing")
    monkeypatch.setenv(SECRETS_VARIABLE, str(secrets))
    path = tmp_path / "a configuration.toml"
    path.write_text(CliRunner().invoke(pricing_proxy, ["config", "example"]).stdout)
    return path


def test_both_programs_print_the_same_example_and_accept_it(file: Path) -> None:
    assert CliRunner().invoke(d365_sync, ["config", "example"]).stdout == file.read_text()

    prices = CliRunner().invoke(pricing_proxy, ["config", "check", "--config", str(file)])
    documents = CliRunner().invoke(d365_sync, ["config", "check", "--config", str(file)])

    assert (prices.exit_code, documents.exit_code) == (0, 0), prices.output + documents.output
    assert f"d365-sync accepts {file}" in prices.stdout
    assert f"pricing-proxy accepts {file}, with the markets b2b_de" in prices.stdout
    assert documents.stdout.startswith(f"d365-sync accepts {file}")


def test_what_is_switched_off_in_the_example_can_be_switched_on(file: Path) -> None:
    """Each line is TOML, and each text that a reader has to fill in is a text."""
    text = re.sub(r"^#(?=\S)", "", file.read_text(), flags=re.MULTILINE)

    switched_on = tomllib.loads(text)

    assert set(switched_on["sync"]["markets"]["b2b_de"]["orders"]["shipping"]) == {"flatrate_*"}
    assert switched_on["api_keys"][0]["revoked"] is False


@pytest.mark.parametrize("name", REQUIRED_SECRETS)
def test_a_missing_secret_names_its_variable(file: Path, name: str) -> None:
    (file.parent / "secrets" / name).unlink()

    result = CliRunner().invoke(pricing_proxy, ["config", "check", "--config", str(file)])

    assert result.exit_code == 2
    assert f"is required: set {name}, or a file of that name" in result.stderr
    assert ("d365-sync: The configuration has 1 mistake" in result.stderr) == (name in SYNC_ALONE)


def test_a_missing_secret_that_another_key_asks_for_names_its_variable(file: Path) -> None:
    file.write_text(file.read_text() + STOREFRONT)

    result = CliRunner().invoke(pricing_proxy, ["config", "check", "--config", str(file)])

    assert "set PRICING_PROXY_STOREFRONT__KEYS__K1__SECRET" in result.stderr


def test_all_mistakes_of_both_programs_are_told_at_once(file: Path) -> None:
    text = file.read_text().replace('currency = "EUR"', 'currency = "euro"')
    file.write_text(text.replace("website_id = 3", "website_id = 0"))

    result = CliRunner().invoke(pricing_proxy, ["config", "check", "--config", str(file)])

    assert result.exit_code == 2
    assert "sync.markets.b2b_de.website_id" in result.stderr
    assert result.stderr.count("markets.b2b_de.currency") == 2
    assert result.stdout == ""
