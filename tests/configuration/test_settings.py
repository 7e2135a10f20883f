from pathlib import Path

import pytest

from pricing_proxy.configuration.addresses import is_loopback
from pricing_proxy.configuration.api_keys import hash_of
from pricing_proxy.configuration.mistakes import ConfigurationError
from pricing_proxy.settings import DEMO_KEY, load
from tests.configuration.files import CONFIGURATION, SECRET, SECRET_VARIABLE, write

DEMO_TABLE = f"""
[[api_keys]]
name = "demo"
sha256 = "{hash_of(DEMO_KEY)}"
scopes = ["prices"]
"""
OPERATOR_TABLE = f"""
[[api_keys]]
name = "ops"
sha256 = "{hash_of("another key")}"
scopes = ["operate"]
"""
OPEN_ADMIN = '\n[service]\nadmin = { host = "0.0.0.0", port = 8081 }\n'


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)


def mistakes(folder: Path, text: str) -> list[tuple[str, str]]:
    with pytest.raises(ConfigurationError) as caught:
        load(write(folder, text))
    return [(problem.path, problem.expected) for problem in caught.value.mistakes]


def test_a_market_must_name_an_environment_that_there_is(tmp_path: Path) -> None:
    text = CONFIGURATION.replace('environment = "erp"', 'environment = "epr"')

    assert mistakes(tmp_path, text) == [("markets.b2b_de.environment", "expected one of: erp")]


def test_the_demo_key_is_refused_outside_the_demo(tmp_path: Path) -> None:
    [(path, advice)] = mistakes(tmp_path, CONFIGURATION + DEMO_TABLE)

    assert path == "api_keys.1.sha256"
    assert "pricing-proxy key" in advice


@pytest.mark.parametrize("flag", ["true", "'yes'"])
def test_the_demo_key_is_allowed_in_the_demo(tmp_path: Path, flag: str) -> None:
    text = f"{CONFIGURATION}{DEMO_TABLE}\n[service]\ndemo = {flag}\n"

    assert load(write(tmp_path, text)).service.demo


def test_an_admin_listener_for_others_needs_an_operator_key(tmp_path: Path) -> None:
    [(path, advice)] = mistakes(tmp_path, CONFIGURATION + OPEN_ADMIN)

    assert path == "service.admin.host"
    assert "scope operate" in advice
    accepted = load(write(tmp_path, CONFIGURATION + OPERATOR_TABLE + OPEN_ADMIN))
    assert accepted.service.admin.host == "0.0.0.0"  # noqa: S104 -- what is under test


def test_a_revoked_operator_key_does_not_open_the_admin_listener(tmp_path: Path) -> None:
    revoked = OPERATOR_TABLE + "revoked = true\n"

    [(path, _)] = mistakes(tmp_path, CONFIGURATION + revoked + OPEN_ADMIN)

    assert path == "service.admin.host"


def test_a_key_s_name_stands_once(tmp_path: Path) -> None:
    twice = OPERATOR_TABLE.replace('"ops"', '"shop-de"')

    assert mistakes(tmp_path, CONFIGURATION + twice) == [("api_keys", "expected every name once")]


def test_what_only_shows_between_keys_is_told_with_what_single_keys_show(tmp_path: Path) -> None:
    """Nobody wants to start once more to learn of the next mistake."""
    text = (
        CONFIGURATION.replace('environment = "erp"', 'environment = "epr"').replace("EUR", "euro")
        + DEMO_TABLE
        + OPEN_ADMIN
    )

    assert {path for path, _ in mistakes(tmp_path, text)} == {
        "markets.b2b_de.currency",
        "markets.b2b_de.environment",
        "api_keys.1.sha256",
        "service.admin.host",
    }


@pytest.mark.parametrize(
    "text",
    [
        "markets = 1\nenvironments = 2\napi_keys = 3\nservice = 4\n",
        "markets = { b2b_de = 1 }\napi_keys = [1]\nservice = { admin = 1 }\n",
        (
            "markets = { b2b_de = { environment = 1 } }\napi_keys = [{ name = 1, scopes = 1 }]\n"
            "service = { admin = { host = 1 } }\n"
        ),
        "",
    ],
)
def test_values_of_every_wrong_kind_are_told_and_not_stumbled_over(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SECRET_VARIABLE)
    paths = {path.split(".")[0] for path, _ in mistakes(tmp_path, text)}

    assert {"markets", "environments"} <= paths


def test_one_member_of_a_listener_leaves_the_other_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container that only moves the port must still be reached from outside."""
    monkeypatch.setenv("PRICING_PROXY_SERVICE__PUBLIC__PORT", "9080")
    monkeypatch.setenv("PRICING_PROXY_SERVICE__ADMIN__HOST", "127.0.0.2")

    service = load(write(tmp_path)).service

    assert (service.public.host, service.public.port) == ("0.0.0.0", 9080)  # noqa: S104 -- expected
    assert (service.admin.host, service.admin.port) == ("127.0.0.2", 8081)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 -- an input
        ("::", False),
        ("10.1.2.3", False),
        ("localhost.example.com", False),
    ],
)
def test_loopback_is_what_only_this_machine_reaches(host: str, expected: bool) -> None:  # noqa: FBT001 -- a parameter
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("https://contoso", "http://contoso", "environments.erp.url"),
        ("dynamics.com", "dynamics.com/data", "environments.erp.url"),
        ("dynamics.com", "dynamics.com?x=1", "environments.erp.url"),
        ('tenant = "contoso.com"', 'tenant = "a/b"', "environments.erp.tenant"),
        ("Europe/Berlin", "../etc/passwd", "environments.erp.time_zone"),
        ('"demf"', '"demf-long"', "markets.b2b_de.legal_entity"),
        ('"EUR"', '"EUR"\ncurrencies = ["usd"]', "markets.b2b_de.currencies.0"),
        ('"EUR"', '"EUR"\nsources = []', "markets.b2b_de.sources"),
        ('"EUR"', '"EUR"\nfreshness = { soft_seconds = 90, hard_seconds = 60 }', "freshness"),
        ('"EUR"', '"EUR"\nmagento_customers = { 0 = "C-1" }', "magento_customers.0"),
        ('["prices", "login"]', '["price"]', "api_keys.0.scopes"),
        ('["prices", "login"]', "[]", "api_keys.0.scopes"),
    ],
)
def test_a_value_that_cannot_work_is_refused_at_start(
    tmp_path: Path, old: str, new: str, path: str
) -> None:
    [(found, _)] = mistakes(tmp_path, CONFIGURATION.replace(old, new, 1))

    assert path in found


def test_a_sandbox_on_loopback_may_speak_plain_http(tmp_path: Path) -> None:
    text = CONFIGURATION.replace("https://contoso.operations.dynamics.com", "http://127.0.0.1:8101")

    assert load(write(tmp_path, text)).environments["erp"].url == "http://127.0.0.1:8101"
