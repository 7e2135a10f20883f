"""Alerts that the sync sends arrive on the demo's screen."""

import requests

from pricing_proxy.demo.alerts import hearing_alerts
from sync.alerts.messages import Targets
from tests.patience import PATIENCE_SECONDS


async def test_what_the_sync_tells_is_shown() -> None:
    shown: list[str] = []
    with hearing_alerts(0, shown.append) as port:
        is_sent = await Targets([f"json://127.0.0.1:{port}/"]).send("1 wrong", "an order is held")

    assert is_sent
    assert shown == ["1 wrong\nan order is held"]


def test_what_is_no_alert_is_refused() -> None:
    shown: list[str] = []
    session = requests.Session()
    session.trust_env = False
    with hearing_alerts(0, shown.append) as port:
        for body in (b"", b"no JSON", b"[]", b'{"message": 1}'):
            answer = session.post(f"http://127.0.0.1:{port}/", data=body, timeout=PATIENCE_SECONDS)
            assert answer.status_code == 400
    session.close()

    assert shown == []
