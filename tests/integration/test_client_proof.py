"""A price service whose app has a certificate: prices, `/status` and `/metrics`."""

from datetime import timedelta
from pathlib import Path

from pricing_proxy.sandbox.server import Sandbox, SandboxSettings
from pricing_proxy.settings import Settings
from tests.integration.running import serving, settings_over


async def test_prices_come_by_a_certificate_and_its_end_is_shown(tmp_path: Path) -> None:
    async with Sandbox(SandboxSettings(state_dir=tmp_path, latency_ms=2)) as sandbox:
        made = sandbox.proofs.make_certificate(
            "demo-pricing", lives=timedelta(days=365), keep_old=False
        )
        document = settings_over(sandbox, "embedded").model_dump()
        environment = document["environments"]["sandbox"]
        environment |= {"pricing_client_secret": None, "pricing_certificate_file": made.file}
        async with serving(sandbox, Settings.model_validate(document)) as running:
            await running.warm()
            shown = (await running.status())["erp"]["sandbox"]["certificate_ends_at"]
            async with running.session.get(f"{running.admin}/metrics") as answer:
                told = await answer.text()
            page = await running.session.get(
                f"{running.admin}/status", headers={"Accept": "text/html"}
            )
            assert f"certificate for Entra ID ends {shown}" in await page.text()

    ends = made.ends_at.replace(microsecond=0)
    assert shown == f"{ends:%Y-%m-%dT%H:%M:%SZ}"
    line = 'pricing_proxy_certificate_ends_timestamp_seconds{environment="sandbox"} '
    (value,) = [row.removeprefix(line) for row in told.splitlines() if row.startswith(line)]
    assert float(value) == ends.timestamp()
