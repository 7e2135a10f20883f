from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest

from pricing_proxy.configuration import reading
from pricing_proxy.configuration.entra_apps import app_mistakes
from pricing_proxy.configuration.mistakes import ConfigurationError, Mistake
from pricing_proxy.settings import Settings
from tests.configuration.files import CONFIGURATION, ENVIRON, SECRET, SECRET_VARIABLE, write


def read(file: Path | None, environ: Mapping[str, str] = ENVIRON) -> Settings:
    cross_check = partial(app_mistakes, kind="pricing")
    return reading.read(Settings, file, environ, cross_check=cross_check)


def problems(file: Path | None, environ: Mapping[str, str] = ENVIRON) -> dict[str, Mistake]:
    with pytest.raises(ConfigurationError) as caught:
        read(file, environ)
    return {problem.path: problem for problem in caught.value.mistakes}


def test_a_file_and_a_secret_beside_it_are_a_configuration(tmp_path: Path) -> None:
    settings = read(write(tmp_path))

    environment = settings.environments["erp"]
    assert reading.secret_text(environment.pricing_client_secret) == SECRET
    assert settings.markets["b2b_de"].currency == "EUR"
    assert settings.markets["b2b_de"].freshness.soft_seconds == 300


def test_every_mistake_is_told_at_once_with_its_path_and_what_is_expected(tmp_path: Path) -> None:
    text = (
        CONFIGURATION.replace("Europe/Berlin", "Berlin")
        .replace('"EUR"', '"euro"')
        .replace("legal_entity", "legal_entty")
        .replace('url = "https', 'url = "ftp')
        .replace('tenant = "contoso.com"\n', "")
        + '[redis]\nurl = "localhost:6379"\n[service]\nbrowse_ms = 5\n'
    )

    found = problems(write(tmp_path, text), {})

    expected = {
        "environments.erp.url": "https://",
        "environments.erp.tenant": "is required",
        "environments.erp.time_zone": "IANA",
        "environments.erp.pricing_client_secret": "is required",
        "markets.b2b_de.legal_entity": "is required",
        "markets.b2b_de.legal_entty": "not a known key",
        "markets.b2b_de.currency": "[A-Z]",
        "redis.url": "redis://host:port/db",
        "service.browse_ms": "greater than or equal to 50",
    }
    assert set(found) == set(expected)
    for path, words in expected.items():
        assert words in found[path].expected


def test_the_message_has_one_line_for_each_mistake(tmp_path: Path) -> None:
    text = CONFIGURATION.replace("Europe/Berlin", "Berlin").replace('"EUR"', '"euro"')

    with pytest.raises(ConfigurationError) as caught:
        read(write(tmp_path, text))

    first, *lines = str(caught.value).splitlines()
    assert first == "The configuration has 2 mistakes:"
    assert lines == [
        (
            "  environments.erp.time_zone: expected an IANA time zone such as Europe/Berlin "
            "(got 'Berlin')"
        ),
        "  markets.b2b_de.currency: String should match pattern '^[A-Z]{3}$' (got 'euro')",
    ]


def test_a_missing_file_is_named_with_the_ways_to_name_another(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere.toml"

    found = problems(missing)

    assert "--config or PRICING_PROXY_CONFIG" in found[str(missing)].expected


def test_the_environment_names_the_file_and_the_command_line_wins(tmp_path: Path) -> None:
    named = write(tmp_path)
    other = tmp_path / "other.toml"
    other.write_text(CONFIGURATION.replace("EUR", "CHF"), encoding="utf-8")
    environ = {**ENVIRON, "PRICING_PROXY_CONFIG": str(named)}

    assert read(None, environ).markets["b2b_de"].currency == "EUR"
    assert read(other, environ).markets["b2b_de"].currency == "CHF"


def test_broken_toml_is_told_with_its_line(tmp_path: Path) -> None:
    file = write(tmp_path, CONFIGURATION.replace('"EUR"', '"EUR'))

    found = problems(file)

    assert "is not TOML" in found[str(file)].expected
    assert "line 10" in found[str(file)].expected


@pytest.mark.parametrize("content", [b"\xff\xfe[markets]", None])
def test_what_is_no_text_file_is_told_without_a_traceback(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "pricing-proxy.toml"
    file.mkdir() if content is None else file.write_bytes(content)

    assert "cannot be read" in problems(file)[str(file)].expected


def test_the_environment_wins_over_the_file_also_for_names_with_underscores(
    tmp_path: Path,
) -> None:
    environ = {
        **ENVIRON,
        "PRICING_PROXY_MARKETS__B2B_DE__CURRENCY": "CHF",
        "PRICING_PROXY_MARKETS__B2B_DE__FRESHNESS__SOFT_SECONDS": "60",
        "PRICING_PROXY_MARKETS__B2B_DE__CURRENCIES": '["CHF", "EUR"]',
        "PRICING_PROXY_SERVICE__DEMO": "true",
        "PRICING_PROXY_REDIS__URL": "redis://cache:6379/0",
    }

    settings = read(write(tmp_path), environ)

    market = settings.markets["b2b_de"]
    assert list(settings.markets) == ["b2b_de"]
    assert (market.currency, market.freshness.soft_seconds) == ("CHF", 60)
    assert market.currencies == ["CHF", "EUR"]
    assert settings.service.demo
    assert settings.redis.url == "redis://cache:6379/0"


def test_a_market_in_capitals_is_the_same_market_in_the_environment(tmp_path: Path) -> None:
    file = write(tmp_path, CONFIGURATION.replace("b2b_de", "B2B_de"))

    settings = read(file, {**ENVIRON, "PRICING_PROXY_MARKETS__B2B_DE__CURRENCY": "CHF"})

    assert {code: market.currency for code, market in settings.markets.items()} == {"B2B_de": "CHF"}


def test_a_misspelt_variable_is_an_unknown_key(tmp_path: Path) -> None:
    found = problems(write(tmp_path), {**ENVIRON, "PRICING_PROXY_REDSI__URL": "embedded"})

    assert found["redsi"].expected == "is not a known key; check its spelling"


def test_a_variable_below_a_value_is_told_with_the_other_mistakes(tmp_path: Path) -> None:
    environ = {
        **ENVIRON,
        "PRICING_PROXY_MARKETS__B2B_DE__CURRENCY__CODE": "EUR",
        "PRICING_PROXY_SERVICE__BROWSE_MS": "quick",
    }

    found = problems(write(tmp_path), environ)

    assert found["markets.b2b_de.currency.code"].expected == (
        "cannot be set, for currency is not a table"
    )
    assert "integer" in found["service.browse_ms"].expected


def test_variables_that_kubernetes_sets_for_the_service_itself_are_none_of_ours(
    tmp_path: Path,
) -> None:
    """A Service named pricing-proxy must not keep its own pods from starting."""
    links = {
        "PRICING_PROXY_SERVICE_HOST": "10.0.0.7",
        "PRICING_PROXY_SERVICE_PORT": "8080",
        "PRICING_PROXY_SERVICE_PORT_HTTP": "8080",
        "PRICING_PROXY_PORT": "tcp://10.0.0.7:8080",
        "PRICING_PROXY_PORT_8080_TCP_ADDR": "10.0.0.7",
    }

    assert read(write(tmp_path), ENVIRON | links) == read(write(tmp_path))


def secrets_dir(folder: Path, **files: str) -> Path:
    directory = folder / "secrets"
    directory.mkdir()
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")
    return directory


def test_a_secret_may_be_a_file_with_or_without_the_prefix(tmp_path: Path) -> None:
    directory = secrets_dir(
        tmp_path,
        environments__erp__pricing_client_secret=f"{SECRET}\n",
        PRICING_PROXY_REDIS__PASSWORD="of redis",
    )
    (directory / "..data").mkdir()
    (directory / ".hidden").write_text("not ours", encoding="utf-8")

    settings = read(write(tmp_path), {"PRICING_PROXY_SECRETS_DIR": str(directory)})

    secret = settings.environments["erp"].pricing_client_secret
    assert reading.secret_text(secret) == SECRET
    assert reading.secret_text(settings.redis.password) == "of redis"


def test_the_environment_wins_over_the_secrets_directory(tmp_path: Path) -> None:
    directory = secrets_dir(tmp_path, environments__erp__pricing_client_secret="of the file")
    environ = {**ENVIRON, "PRICING_PROXY_SECRETS_DIR": str(directory)}

    secret = read(write(tmp_path), environ).environments["erp"].pricing_client_secret

    assert reading.secret_text(secret) == SECRET


def test_no_secret_has_no_text() -> None:
    assert reading.secret_text(None) == ""


def test_a_secrets_directory_that_is_none_is_told_with_the_other_mistakes(tmp_path: Path) -> None:
    environ = {"PRICING_PROXY_SECRETS_DIR": str(tmp_path / "nowhere")}

    found = problems(write(tmp_path), environ)

    assert "directory" in found["PRICING_PROXY_SECRETS_DIR"].expected
    assert found["environments.erp.pricing_client_secret"].expected.startswith("is required")


@pytest.mark.parametrize("question", ["is_dir", "iterdir", "is_file"])
def test_a_secrets_directory_that_is_closed_to_us_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, question: str
) -> None:
    """It or one above is another user's: none of its questions is answered."""
    directory = secrets_dir(tmp_path)
    (directory / "redis__password").write_text("word")
    file = write(tmp_path)

    def closed(path: Path) -> NoReturn:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, question, closed)
    found = problems(file, {**ENVIRON, "PRICING_PROXY_SECRETS_DIR": str(directory)})

    told = found["PRICING_PROXY_SECRETS_DIR"]
    assert (told.expected, told.got) == ("cannot be listed: PermissionError", str(directory))


def test_a_secret_that_is_no_text_is_told_by_its_file(tmp_path: Path) -> None:
    directory = secrets_dir(tmp_path)
    (directory / "redis__password").write_bytes(b"\xff\xfe\x00")
    environ = {**ENVIRON, "PRICING_PROXY_SECRETS_DIR": str(directory)}

    found = problems(write(tmp_path), environ)

    assert "cannot be read" in found[str(directory / "redis__password")].expected


@pytest.mark.parametrize("secret", ["[1, 2]", "{a = 1}", "[not a list", "12345", "true"])
def test_a_secret_is_text_whatever_it_looks_like(tmp_path: Path, secret: str) -> None:
    settings = read(write(tmp_path), {SECRET_VARIABLE: secret})

    assert reading.secret_text(settings.environments["erp"].pricing_client_secret) == secret


@pytest.mark.parametrize(
    ("path", "variable", "lines"),
    [
        (
            "environments.erp.pricing_client_secret",
            SECRET_VARIABLE,
            f'[environments.erp]\npricing_client_secret = "{SECRET}"',
        ),
        ("redis.password", "PRICING_PROXY_REDIS__PASSWORD", f'[redis]\npassword = "{SECRET}"'),
    ],
)
def test_a_secret_in_the_file_is_a_mistake_that_names_its_variable(
    tmp_path: Path, path: str, variable: str, lines: str
) -> None:
    text = CONFIGURATION.replace("[environments.erp]", lines, 1)
    if "environments" not in lines:
        text = f"{CONFIGURATION}{lines}\n"

    with pytest.raises(ConfigurationError) as caught:
        read(write(tmp_path, text))

    [problem] = caught.value.mistakes
    assert problem.path == path
    assert variable in problem.expected
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        CONFIGURATION.replace(
            "pricing_client_id", f'pricing_client_secret = ["{SECRET}"]\nx = "'
        ).replace('x = " = "6d4f1c9e"', 'pricing_client_id = "6d4f1c9e"'),
        CONFIGURATION.replace("https://", f"https://admin:{SECRET}@"),
        CONFIGURATION + f'[redis]\nurl = "redis://:{SECRET}@cache:6379/0"\n',
        CONFIGURATION + f'[redis]\nurl = "http://cache-user:{SECRET}@cache:6379/0"\n',
        CONFIGURATION.replace('sha256 = "f9', f'sha256 = "{SECRET}'),
        CONFIGURATION + f'[redis]\npassword = {{ text = "{SECRET}" }}\n',
    ],
)
def test_a_secret_in_a_wrong_place_is_not_repeated(tmp_path: Path, text: str) -> None:
    assert SECRET in text
    with pytest.raises(ConfigurationError) as caught:
        read(write(tmp_path, text))

    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value.mistakes)
    assert "hunter2" not in str(caught.value)


def test_a_wrong_value_is_shortened(tmp_path: Path) -> None:
    text = CONFIGURATION.replace("Europe/Berlin", "x" * 5000)

    found = problems(write(tmp_path, text))

    assert len(found["environments.erp.time_zone"].got or "") == 60


def test_settings_do_not_show_their_secrets(tmp_path: Path) -> None:
    environ = {**ENVIRON, "PRICING_PROXY_REDIS__PASSWORD": SECRET}

    settings = read(write(tmp_path), environ)

    assert SECRET not in repr(settings)
    assert SECRET not in str(settings.model_dump())
    assert SECRET not in settings.model_dump_json()
