"""One file serves both programs; each mistake of the sync's section is told with its key."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pricing_proxy import settings as price_settings
from pricing_proxy.configuration.mistakes import ConfigurationError
from pricing_proxy.configuration.reading import secret_text
from sync import settings
from sync.customers.rules import CustomerRules
from sync.orders.rules import OrderRules
from tests.sync import files


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in files.SECRETS.items():
        monkeypatch.setenv(name, text)


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        settings.load(files.write(folder, text))
    return [problem.path for problem in caught.value.mistakes]


def test_both_programs_read_the_same_file(tmp_path: Path) -> None:
    file = files.write(tmp_path)

    own = settings.load(file)
    prices = price_settings.load(file)

    assert own.markets["b2b_de"] == prices.markets["b2b_de"]
    assert own.sync.magento.consumer_secret.get_secret_value() == "hunter2~consumer"
    assert own.sync.markets["b2b_de"].rules(OrderRules).start_at == datetime(
        2026, 11, 1, tzinfo=UTC
    )


def test_the_sync_needs_no_secret_of_the_price_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PRICING_PROXY_ENVIRONMENTS__ERP__PRICING_CLIENT_SECRET")

    loaded = settings.load(files.write(tmp_path))

    assert secret_text(loaded.environments["erp"].sync_client_secret) == "hunter2~sync"


def test_the_start_is_mandatory_and_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    text = files.CONFIGURATION.replace("start_at = 2026-11-01T00:00:00Z", "")
    text = text.replace('url = "https://shop.example"', 'url = "shop.example"')
    text = text.replace("website_id = 1", "website_id = 0\nwebsite = 1")

    assert set(problems(tmp_path, text)) == {
        "sync.markets.b2b_de.orders.start_at",
        "sync.magento.url",
        "sync.markets.b2b_de.website_id",
        "sync.markets.b2b_de.website",
    }


def test_the_shop_is_named_by_its_root_address(tmp_path: Path) -> None:
    """Requests are signed for the address they go to, so it has to be known exactly."""
    text = files.CONFIGURATION.replace("https://shop.example", "https://shop.example/rest")
    assert problems(tmp_path, text) == ["sync.magento.url"]


def test_secrets_do_not_belong_into_the_file(tmp_path: Path) -> None:
    text = files.CONFIGURATION.replace('token = "jy58z3em"', 'token = "j"\ntoken_secret = "abc"')

    with pytest.raises(ConfigurationError) as caught:
        settings.load(files.write(tmp_path, text))

    assert "PRICING_PROXY_SYNC__MAGENTO__TOKEN_SECRET" in str(caught.value)
    assert "abc" not in str(caught.value)


def test_a_start_by_increment_id_needs_a_single_store_view(tmp_path: Path) -> None:
    text = files.CONFIGURATION.replace("2026-11-01T00:00:00Z", '"000000123"')
    assert settings.load(files.write(tmp_path, text)).sync.markets["b2b_de"].rules(
        OrderRules
    ).start_at == ("000000123")

    several = text.replace("store_ids = [1]", "store_ids = [1, 2]")

    assert problems(tmp_path, several) == ["sync.markets.b2b_de.orders.start_at"]


def test_a_market_that_is_not_one_is_told(tmp_path: Path) -> None:
    text = files.CONFIGURATION.replace("sync.markets.b2b_de", "sync.markets.b2b_fr")

    assert problems(tmp_path, text) == ["sync.markets.b2b_fr"]


SECOND = """
[markets.b2c]
environment = "erp"
legal_entity = "demf"
currency = "EUR"

[sync.markets.b2c]
website_id = 2
store_ids = [2]
[sync.markets.b2c.customers]
shared_with = "b2b_de"
[sync.markets.b2c.orders]
start_at = 2026-11-01T00:00:00Z
shipping = {}
payment = {}
countries = {}
"""


def test_an_account_is_shared_within_one_company_only(tmp_path: Path) -> None:
    text = files.CONFIGURATION + SECOND
    assert (
        settings.load(files.write(tmp_path, text))
        .sync.markets["b2c"]
        .rules(CustomerRules)
        .shared_with
    )

    other = text.replace('legal_entity = "demf"', 'legal_entity = "frrt"', 1)
    own = text.replace('shared_with = "b2b_de"', 'shared_with = "b2c"')

    assert problems(tmp_path, other) == ["sync.markets.b2c.customers.shared_with"]
    assert problems(tmp_path, own) == ["sync.markets.b2c.customers.shared_with"]


def test_a_store_view_belongs_to_one_market(tmp_path: Path) -> None:
    text = files.CONFIGURATION + SECOND.replace("store_ids = [2]", "store_ids = [2, 1]")

    assert problems(tmp_path, text) == ["sync.markets.b2c.store_ids"]


def test_a_website_belongs_to_one_market(tmp_path: Path) -> None:
    """Its customers would all be the last market's."""
    text = files.CONFIGURATION + SECOND.replace("website_id = 2", "website_id = 1")

    assert problems(tmp_path, text) == ["sync.markets.b2c.website_id"]


def test_store_views_that_are_no_numbers_are_told_of_as_such(tmp_path: Path) -> None:
    text = files.CONFIGURATION + SECOND.replace("store_ids = [2]", "store_ids = [[2]]")

    assert problems(tmp_path, text) == ["sync.markets.b2c.store_ids.0"]


@pytest.mark.parametrize(
    "prefix", ['{ "3" = "B-" }', '{ "x" = "B-" }', '{ "1" = "B 1" }', '{ "*" = "cm-" }', '"B-"']
)
def test_a_prefix_of_references_is_of_a_store_view_and_no_mark_of_returns(
    tmp_path: Path, prefix: str
) -> None:
    text = files.CONFIGURATION.replace(
        "[sync.markets.b2b_de.orders]", f"[sync.markets.b2b_de.orders]\nreference_prefix = {prefix}"
    )

    (path,) = problems(tmp_path, text)

    assert path.startswith("sync.markets.b2b_de.orders.reference_prefix")


@pytest.mark.parametrize("codes", ['{ 19 = "DE-16" }', '{ "19.0" = "DE-19" }', '{ x = "DE-19" }'])
def test_a_rate_by_percent_is_one_that_the_map_has(tmp_path: Path, codes: str) -> None:
    """Found out with the first order of a coupon of 100 %, it would hold that."""
    rates = 'tax = { DE-19 = { sales_tax_group = "DOM", item_group = "VAT19" } }'
    text = files.CONFIGURATION.replace(
        "[sync.markets.b2b_de.orders]",
        f"[sync.markets.b2b_de.orders]\n{rates}\ntax_codes = {codes}",
    )

    (path,) = problems(tmp_path, text)

    assert path.startswith("sync.markets.b2b_de.orders.tax_codes")


def test_references_begin_as_their_store_view_says(tmp_path: Path) -> None:
    text = files.CONFIGURATION.replace(
        "[sync.markets.b2b_de.orders]",
        '[sync.markets.b2b_de.orders]\nreference_prefix = { "*" = "A-", "1" = "" }',
    )

    rules = settings.load(files.write(tmp_path, text)).sync.markets["b2b_de"].rules(OrderRules)

    assert (rules.prefix_of(1), rules.prefix_of(2)) == ("", "A-")


@pytest.mark.parametrize("url", ["mysql://db/x", "postgresql://me:hunter2@db/x", "localhost:5432"])
def test_a_database_address_is_postgresql_without_a_password(tmp_path: Path, url: str) -> None:
    text = files.CONFIGURATION + f'\n[sync.postgres]\nurl = "{url}"\n'

    assert problems(tmp_path, text) == ["sync.postgres.url"]


def test_an_environment_that_is_not_there_is_told(tmp_path: Path) -> None:
    text = files.CONFIGURATION.replace('environment = "erp"', 'environment = "prod"')

    assert problems(tmp_path, text) == ["markets.b2b_de.environment"]


def test_both_programs_tell_of_themselves_as_one_section_says(tmp_path: Path) -> None:
    file = files.write(tmp_path, files.CONFIGURATION + '\n[telemetry]\nlog_format = "json"\n')

    assert settings.load(file).telemetry == price_settings.load(file).telemetry
    assert settings.load(file).telemetry.log_format == "json"


def test_a_key_of_another_name_before_is_told_its_new_name(tmp_path: Path) -> None:
    text = files.CONFIGURATION + '\n[sync.logs]\nstyle = "json"\n'

    with pytest.raises(ConfigurationError) as caught:
        settings.load(files.write(tmp_path, text))

    assert "sync.logs: is now telemetry.log_level and telemetry.log_format" in str(caught.value)


@pytest.mark.parametrize(
    ("section", "key"),
    [("sync.polling", "page_size = 100"), ("sync.markets.b2b_de.returns", 'source = "auto"')],
)
def test_a_key_that_changed_nothing_is_none_any_more(
    tmp_path: Path, section: str, key: str
) -> None:
    text = f"{files.CONFIGURATION}\n[{section}]\n{key}\n"

    with pytest.raises(ConfigurationError) as caught:
        settings.load(files.write(tmp_path, text))

    told = str(caught.value)
    assert f"{section}.{key.partition(' ')[0]}: is gone, as it changed nothing" in told
    assert "spelling" not in told


def test_fields_that_are_named_in_vain_are_told(tmp_path: Path) -> None:
    """A misspelled field would hold orders, or be cut, in silence."""
    orders = """
    cut = ["SalesOrderName", "OrderLineReference", "SalesOrderNames"]
    field_lengths = { DeliveryAddresCity = 70, ContosoNote = 500 }
    carried = [
        { path = "customer_note", field = "ContosoNote" },
        { path = "customer_notes", field = "ContosoNote" },
        { path = "gift_message", field = "OrderingCustomerAccountNumber" },
        { path = "billing_address", field = "CustomersOrderReference" },
    ]
    """
    text = files.CONFIGURATION.replace(
        "start_at = 2026-11-01T00:00:00Z", f"start_at = 2026-11-01T00:00:00Z{orders}"
    )
    text += '\n[sync.markets.b2b_de.returns]\nadjustment_item = "ADJUST"\nfee_item = "adjust "\n'
    text += "[sync.markets.b2b_de.customers.field_lengths]\nPersonLastNam = 50\n"

    found = problems(tmp_path, text)

    here = "sync.markets.b2b_de"
    assert sorted(found) == sorted(
        [
            f"{here}.orders.cut",
            f"{here}.orders.cut",
            f"{here}.orders.field_lengths.DeliveryAddresCity",
            f"{here}.orders.carried.1.path",
            f"{here}.orders.carried.2.field",
            f"{here}.orders.carried.3.field",
            f"{here}.returns.fee_item",
            f"{here}.customers.field_lengths.PersonLastNam",
        ]
    )
