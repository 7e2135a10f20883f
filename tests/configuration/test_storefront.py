"""What the configuration may say of storefront tokens and pages."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pricing_proxy.configuration.mistakes import ConfigurationError
from pricing_proxy.settings import load
from tests.configuration.files import CONFIGURATION, SECRET, SECRET_VARIABLE, write
from tests.web.storefront import PUBLIC_PEM
from tests.web.storefront import SECRET as SHARED_SECRET

VARIABLE = "PRICING_PROXY_STOREFRONT__KEYS__SHARED-2026__SECRET"
STOREFRONT = f'''
[storefront]
issuer = "https://shop.example.com"
audience = "prices"

[storefront.keys.shared-2026]
algorithm = "HS256"

[storefront.keys.own]
algorithm = "EdDSA"
public_key = """
{PUBLIC_PEM}"""
'''
ORIGINS = 'currency = "EUR"\nstorefront_origins = ["{}"]'


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    monkeypatch.setenv(VARIABLE, SHARED_SECRET)


def mistakes(folder: Path, text: str) -> dict[str, str]:
    with pytest.raises(ConfigurationError) as caught:
        load(write(folder, text))
    assert SHARED_SECRET not in str(caught.value)
    return {problem.path: problem.expected for problem in caught.value.mistakes}


def test_a_shared_secret_comes_from_the_environment(tmp_path: Path) -> None:
    storefront = load(write(tmp_path, CONFIGURATION + STOREFRONT)).storefront

    assert storefront is not None
    assert storefront.keys["shared-2026"].material == SHARED_SECRET
    assert "BEGIN PUBLIC KEY" in storefront.keys["own"].material
    assert storefront.cold_skus_per_minute == 120
    assert SHARED_SECRET not in repr(storefront)


def test_a_shared_secret_comes_from_the_secrets_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE)
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / VARIABLE).write_text(SHARED_SECRET + "\n")
    monkeypatch.setenv("PRICING_PROXY_SECRETS_DIR", str(folder))

    storefront = load(write(tmp_path, CONFIGURATION + STOREFRONT)).storefront

    assert storefront is not None
    assert storefront.keys["shared-2026"].material == SHARED_SECRET


def test_a_shared_secret_in_the_file_is_a_mistake(tmp_path: Path) -> None:
    text = STOREFRONT.replace('"HS256"', f'"HS256"\nsecret = "{SHARED_SECRET}"')

    found = mistakes(tmp_path, CONFIGURATION + text)

    assert "is a secret" in found["storefront.keys.shared-2026.secret"]


def test_a_short_secret_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "x" * 31)

    found = mistakes(tmp_path, CONFIGURATION + STOREFRONT)

    assert found == {"storefront.keys.shared-2026.secret": "expected at least 32 bytes"}


@pytest.mark.parametrize(
    ("right", "wrong", "path", "expected"),
    [
        ('"EdDSA"', '"HS256"', "storefront.keys.own", "expected secret, which HS256 needs"),
        ('"EdDSA"', '"RS256"', "storefront.keys.own.algorithm", "'HS256' or 'EdDSA'"),
        (
            '"HS256"',
            '"EdDSA"',
            "storefront.keys.shared-2026",
            "expected public_key, which EdDSA needs",
        ),
        ("BEGIN PUBLIC", "BEGIN PRIVATE", "storefront.keys.own.public_key", "Ed25519"),
        ("keys.own]", "keys.a__b]", "storefront.keys.a__b.[key]", "pattern"),
        ("prices", "", "storefront.audience", "at least 1 character"),
    ],
)
def test_a_key_fits_its_algorithm(
    tmp_path: Path, right: str, wrong: str, path: str, expected: str
) -> None:
    found = mistakes(tmp_path, CONFIGURATION + STOREFRONT.replace(right, wrong))

    assert list(found) == [path]
    assert expected in found[path]


def test_what_an_algorithm_does_not_use_is_a_mistake(tmp_path: Path) -> None:
    text = STOREFRONT.replace('"HS256"', f'"HS256"\npublic_key = """{PUBLIC_PEM}"""')

    found = mistakes(tmp_path, CONFIGURATION + text)

    assert found == {
        "storefront.keys.shared-2026": "expected no public_key, which HS256 does not use"
    }


def test_a_key_of_another_kind_is_no_ed25519_key(tmp_path: Path) -> None:
    rsa = generate_private_key(65537, 2048).public_key()
    pem = rsa.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    found = mistakes(tmp_path, CONFIGURATION + STOREFRONT.replace(PUBLIC_PEM, pem))

    assert "Ed25519" in found["storefront.keys.own.public_key"]


@pytest.mark.parametrize(
    "origin",
    ["https://shop.example.com", "https://shop.example.com:8443", "http://localhost:8000"],
)
def test_a_page_s_origin_is_taken_as_browsers_send_it(tmp_path: Path, origin: str) -> None:
    text = CONFIGURATION.replace('currency = "EUR"', ORIGINS.format(origin)) + STOREFRONT

    assert load(write(tmp_path, text)).markets["b2b_de"].storefront_origins == [origin]


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "https://*.example.com",
        "https://shop.example.com/",
        "https://Shop.example.com",
        "https://shop.example.com:443",
        "http://shop.example.com",
        "shop.example.com",
        "https://user@shop.example.com",
        "https://",
    ],
)
def test_an_origin_that_no_browser_sends_is_a_mistake(tmp_path: Path, origin: str) -> None:
    text = CONFIGURATION.replace('currency = "EUR"', ORIGINS.format(origin)) + STOREFRONT

    assert list(mistakes(tmp_path, text)) == ["markets.b2b_de.storefront_origins.0"]
