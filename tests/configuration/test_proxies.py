"""Through which proxy an address is called: what a setting says, else what the environment does."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing_proxy.configuration import reading
from pricing_proxy.configuration.mistakes import ConfigurationError
from pricing_proxy.configuration.proxies import UsualProxy, is_excepted, spare_this_machine
from pricing_proxy.settings import Settings
from sync.sections import Magento
from tests.configuration.files import CONFIGURATION, ENVIRON, write

ERP = "https://contoso.operations.dynamics.com"
LOGIN = "https://login.microsoftonline.com"
SHOP = "https://shop.example.com"
PASSWORD = "s3cr3t/:@%"
USUAL = {"HTTPS_PROXY": "http://robot:s3cr3t%2F%3A%40%25@proxy.example.com:3128"}


def with_environment(line: str = "", environ: Mapping[str, str] = USUAL) -> Any:
    """Return the environment `erp` of a file with a line more."""
    folder = Path(environ.get("FOLDER", "."))
    text = CONFIGURATION.replace("[environments.erp]\n", f"[environments.erp]\n{line}\n")
    settings = reading.read(Settings, write(folder, text), {**ENVIRON, **environ})
    return settings.environments["erp"]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {**USUAL, "FOLDER": str(tmp_path)}


@pytest.mark.parametrize(
    ("exceptions", "host", "is_met"),
    [
        ("", "erp.example.com", False),
        ("*", "erp.example.com", True),
        ("example.com", "example.com", True),
        ("example.com", "erp.example.com", True),
        ("example.com", "badexample.com", False),
        (".example.com", "erp.example.com", True),
        (".example.com", "example.com", True),
        ("*.example.com", "erp.example.com", True),
        ("EXAMPLE.com", "Erp.Example.COM", True),
        ("other.org, example.com", "erp.example.com", True),
        ("other.org example.com", "erp.example.com", True),
        ("example.com:443", "erp.example.com", True),
        ("example.com:8443", "erp.example.com", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3", "10.1.2.30", False),
        ("10.1.2.3:443", "10.1.2.3", True),
        ("10.1.2.3:80", "10.1.2.3", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.0/8", "erp.example.com", False),
        ("fd00::/8", "fd12::1", True),
        ("[fd12::1]:443", "fd12::1", True),
        ("[fd12::1]:80", "fd12::1", False),
        ("fd12::1", "fd12::1", True),
        (".", "erp.example.com", False),
        ("*.", "erp.example.com", False),
        (",,", "erp.example.com", False),
    ],
)
def test_exceptions_name_domains_addresses_networks_and_ports(
    exceptions: str, host: str, *, is_met: bool
) -> None:
    assert is_excepted(exceptions, host, 443) is is_met


@given(st.text(), st.from_regex(r"[a-z]{1,9}(\.[a-z]{1,9}){0,3}", fullmatch=True))
def test_any_list_of_exceptions_has_an_answer(exceptions: str, host: str) -> None:
    assert is_excepted(exceptions, host, 443) in (True, False)
    assert is_excepted(f"{exceptions},{host}", host, 443)


def test_the_environments_proxy_is_taken_where_no_setting_names_one(
    environ: dict[str, str],
) -> None:
    environment = with_environment(environ=environ)

    for url in (ERP, LOGIN):
        proxy = environment.proxy_to(url)
        assert (proxy.host, proxy.port, proxy.user) == ("proxy.example.com", 3128, "robot")
        assert proxy.password == PASSWORD
        assert proxy.shown == "proxy proxy.example.com:3128 (HTTPS_PROXY)"
        assert "s3cr3t" not in repr(proxy) + repr(environment) + str(proxy)


def test_exceptions_are_each_addresss_own(environ: dict[str, str]) -> None:
    environment = with_environment(environ={**environ, "NO_PROXY": "dynamics.com"})

    assert environment.proxy_to(ERP) is None
    assert environment.proxy_to(LOGIN) is not None


def test_names_in_small_letters_win(environ: dict[str, str]) -> None:
    small = {"https_proxy": "other:8080", "no_proxy": "microsoftonline.com", "NO_PROXY": "*"}
    environment = with_environment(environ={**environ, **small})

    assert environment.proxy_to(ERP).url == "http://other:8080"
    assert environment.proxy_to(LOGIN) is None


def test_http_proxy_says_nothing(tmp_path: Path) -> None:
    """What is called without TLS stays on this machine."""
    environ = {"HTTP_PROXY": "http://p:1", "FOLDER": str(tmp_path)}
    assert with_environment(environ=environ).proxy_to(ERP) is None


def test_a_setting_wins_over_the_environment_and_has_a_password_of_its_own(
    environ: dict[str, str],
) -> None:
    secret = {"PRICING_PROXY_ENVIRONMENTS__ERP__PROXY_PASSWORD": PASSWORD}
    line = 'proxy = "http://me@own.example.com:8888"'
    own = with_environment(line, {**environ, **secret, "NO_PROXY": "*"}).proxy_to(ERP)

    assert own.shown == "proxy own.example.com:8888 (configured)"
    assert own.secret_url == "http://me:s3cr3t%2F%3A%40%25@own.example.com:8888"
    assert with_environment('proxy = "none"', environ).proxy_to(ERP) is None


@pytest.mark.parametrize("text", ["none", "None", " NONE "])
def test_none_is_known_in_any_spelling(environ: dict[str, str], text: str) -> None:
    """As a host's name it would send everything nowhere."""
    assert with_environment(f'proxy = "{text}"', environ).proxy_to(ERP) is None


def test_a_password_without_a_user_is_a_mistake(environ: dict[str, str]) -> None:
    """Nobody would send it, and the proxy's 407 names no reason."""
    secret = {"PRICING_PROXY_ENVIRONMENTS__ERP__PROXY_PASSWORD": "s3cr3t"}
    for more, line in (
        (secret, 'proxy = "http://own:8888"'),
        ({"HTTPS_PROXY": "http://:s3cr3t@own:8888"}, ""),
    ):
        with pytest.raises(ConfigurationError, match="a user beside the password") as caught:
            with_environment(line, {**environ, **more})
        assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("line", ["", 'proxy = "none"'])
def test_a_password_without_a_proxy_is_a_mistake(environ: dict[str, str], line: str) -> None:
    """It would be used nowhere, also where the environment names the proxy and its user."""
    secret = {"PRICING_PROXY_ENVIRONMENTS__ERP__PROXY_PASSWORD": "s3cr3t"}
    with pytest.raises(ConfigurationError, match="as proxy beside proxy_password") as caught:
        with_environment(line, {**environ, **secret, "HTTPS_PROXY": "http://robot@own:1"})
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "http://robot:s3cr3t\u2100@own:1",
        "http://[s3cr3t",
        "http://robot:12#s3cr3t@own:1",
        "http://ro%3Abot:s3cr3t@own:1",
    ],
)
def test_an_odd_proxy_of_the_environment_is_a_mistake_without_its_text(
    environ: dict[str, str], text: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        with_environment(environ={**environ, "HTTPS_PROXY": text})
    assert "HTTPS_PROXY" in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


def test_a_password_may_stand_in_a_file(environ: dict[str, str], tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "PRICING_PROXY_ENVIRONMENTS__ERP__PROXY_PASSWORD").write_text(f"{PASSWORD}\n")
    line = 'proxy = "http://me@own.example.com:8888"'
    environment = with_environment(line, {**environ, "PRICING_PROXY_SECRETS_DIR": str(secrets)})

    assert environment.proxy_to(ERP).password == PASSWORD


@pytest.mark.parametrize("url", ["http://127.0.0.1:8101", "https://localhost:1", "https://[::1]:1"])
def test_this_machine_is_never_called_through_a_proxy(url: str) -> None:
    usual = UsualProxy.of(USUAL)
    assert usual.way_to(url) is None
    assert usual.way_to(url, "http://own:1") is None


@pytest.mark.parametrize(
    "line",
    [
        'proxy = "socks5://own:1080"',
        'proxy = "http://me:s3cr3t@own:8888"',
        'proxy = "http://own:99999"',
        'proxy = "http://own:8888/path"',
        'proxy = ""',
        'proxy_password = "s3cr3t"\nproxy = "http://me@own:1"',
        'proxy = "http://mé@own:8888"',
        # What Unicode folds into other letters, the library names with all that stands there.
        'proxy = "http://me:s3cr3t\u2100@own:8888"',
        'proxy = "http://[::1"',
        'proxy = "http://me:12#s3cr3t@own:8888"',
        'proxy = "http://own:0"',
        'proxy = "http://my own:8888"',
        'proxy = "http://$OWN:8888"',
        'proxy = "http://do%3Amain@own:8888"',
        'proxy = "http://me%0A@own:8888"',
    ],
)
def test_a_mistake_names_its_key_and_repeats_no_password(
    environ: dict[str, str], line: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        with_environment(line, environ)

    [mistake] = caught.value.mistakes
    assert mistake.path == f"environments.erp.{line.partition(' ')[0]}"
    assert "s3cr3t" not in str(caught.value)


def test_a_proxy_for_other_programs_stops_only_who_would_use_it(environ: dict[str, str]) -> None:
    odd = {**environ, "HTTPS_PROXY": "socks5://robot:s3cr3t@proxy:1080"}
    with pytest.raises(ConfigurationError) as caught:
        with_environment(environ=odd)

    [mistake] = caught.value.mistakes
    assert mistake.path == "environments.erp"
    assert "HTTPS_PROXY" in mistake.expected
    assert "s3cr3t" not in str(caught.value)
    assert with_environment('proxy = "none"', odd).proxy_to(ERP) is None
    assert with_environment(environ={**odd, "NO_PROXY": "*"}).proxy_to(ERP) is None


def test_the_collector_of_traces_is_called_through_the_environments(tmp_path: Path) -> None:
    text = f'{CONFIGURATION}\n[telemetry]\notlp_endpoint = "https://traces.example.com"\n'
    settings = reading.read(Settings, write(tmp_path, text), {**ENVIRON, **USUAL})

    proxy = settings.telemetry.collector_proxy()
    assert proxy is not None
    assert proxy.host == "proxy.example.com"


def test_the_shop_is_called_through_the_environments_or_its_own() -> None:
    magento = {
        "url": SHOP,
        **dict.fromkeys(("consumer_key", "consumer_secret", "token", "token_secret"), "x" * 32),
    }
    usual = UsualProxy.of(USUAL)

    by_environment = Magento.model_validate(magento, context=usual).way_out()
    own = Magento.model_validate({**magento, "proxy": "http://own:1"}, context=usual).way_out()
    assert by_environment is not None
    assert own is not None
    assert (by_environment.host, own.host) == ("proxy.example.com", "own")
    assert Magento.model_validate(magento).way_out() is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, "localhost,127.0.0.0/8,::1"),
        ({"NO_PROXY": "example.com localhost"}, "example.com,localhost,127.0.0.0/8,::1"),
        ({"no_proxy": "*"}, "*"),
        ({"no_proxy": "example.com,*"}, "*"),
    ],
)
def test_libraries_that_ask_the_environment_are_told_of_this_machine(
    before: dict[str, str], after: str
) -> None:
    spare_this_machine(before)
    assert before["NO_PROXY"] == before["no_proxy"] == after
