"""The examples of `deploy/proxies` are run as they are; `make rolling` sends pages through them."""

import re

import pytest

from pricing_proxy.settings import Service
from tests.deploy.files import DEPLOY
from tests.rolling.__main__ import main
from tests.rolling.examples import changed
from tests.rolling.shoppers import Page
from tests.wire.ways import WayError


def test_what_an_example_does_not_say_any_more_is_not_changed_in_silence() -> None:
    assert "listen 127.0.0.1:7 ssl" in changed("nginx.conf", {"listen 443 ": "listen 127.0.0.1:7 "})
    with pytest.raises(WayError, match="has no 'listen 444 '"):
        changed("nginx.conf", {"listen 444 ": ""})


def test_nginx_asks_a_replica_that_came_back_before_the_next_one_goes() -> None:
    """Both would count as failed, and nginx answer 502 by itself."""
    text = (DEPLOY / "proxies" / "nginx.conf").read_text(encoding="utf-8")
    replicas = re.findall(r"server [\d.]+:8080 max_fails=\d+ fail_timeout=(\d+)s;", text)
    assert len(replicas) == 2
    assert all(int(seconds) < Service().shutdown_seconds for seconds in replicas)


def test_an_answer_with_another_customers_prices_or_without_any_is_wrong() -> None:
    page = Page("C-2001", (("LAMP-01", "2"),))
    right = '{"customer":"C-2001","lines":[{"sku":"LAMP-01","quantity":"2","price":"2.009999"}]}'
    assert page.is_answered_by(right.encode())
    for wrong in (
        right.replace("C-2001", "C-2002"),
        right.replace("2.009999", "1.009999"),
        right.replace(',"price":"2.009999"', ""),
    ):
        assert not page.is_answered_by(wrong.encode())


def test_the_help_names_every_scenario_and_a_wrong_one_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for arguments, code in ((["--help"], 0), (["earthquake"], 2)):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == code
    captured = capsys.readouterr()
    assert "restart" in captured.out
    assert "earthquake" in captured.err
