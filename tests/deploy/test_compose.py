"""What `docker compose up` starts: programs without rights, and stores that keep promises."""

import re
from pathlib import Path
from typing import Any

import pytest

from pricing_proxy import settings as price_settings
from pricing_proxy.configuration.mistakes import PREFIX
from pricing_proxy.listening.listener import _DRAIN_SECONDS
from pricing_proxy.serve.application import _LAST_LOADS_SECONDS
from pricing_proxy.serve.worker_place import own_port
from sync import settings as sync_settings
from sync.engine.workers import _GRACE_SECONDS
from tests.deploy.files import DEPLOY, read_yaml

COMPOSE = read_yaml("compose/compose.yaml")
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = ("serve", "sync", "sandbox", "demo-serve", "demo-sync")
SERVING, SYNCING = ("serve", "demo-serve"), ("sync", "demo-sync")
# What a busy machine adds.
MARGIN_SECONDS = 3
WORKERS = int(SERVICES["serve"]["command"][2])
DEMO_FILE = DEPLOY / "compose" / "demo.toml"


def seconds(text: str) -> int:
    """Return a duration of the file."""
    found = re.fullmatch(r"(\d+)s", text)
    assert found is not None
    return int(found[1])


@pytest.mark.parametrize("name", OURS)
def test_our_programs_run_without_rights_on_a_root_that_they_cannot_write(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "user" not in service


@pytest.mark.parametrize("name", SERVICES)
def test_everything_is_there_again_after_the_machine_was_restarted(name: str) -> None:
    """Told to end, our programs end with 0, and `on-failure` would leave them away."""
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", ["postgres", "demo-postgres"])
def test_a_database_is_healthy_once_others_reach_it(name: str) -> None:
    """While it is made, it answers on its socket, of which `pg_isready` asks by itself."""
    asked = SERVICES[name]["healthcheck"]["test"]
    assert asked[asked.index("-h") + 1] == "127.0.0.1"


def test_each_program_has_the_time_to_end_that_it_needs() -> None:
    leaving = price_settings.Service().shutdown_seconds + _DRAIN_SECONDS + _LAST_LOADS_SECONDS
    for name in SERVING:
        assert seconds(SERVICES[name]["stop_grace_period"]) >= leaving + MARGIN_SECONDS
    for name in SYNCING:
        needed = _GRACE_SECONDS + _DRAIN_SECONDS + MARGIN_SECONDS
        assert seconds(SERVICES[name]["stop_grace_period"]) >= needed


def test_redis_may_evict_prices_and_never_the_ledger() -> None:
    command = SERVICES["redis"]["command"]
    told = dict(zip(command[1::2], command[2::2], strict=True))
    assert told["--maxmemory-policy"] == "volatile-lru"
    assert told["--appendonly"] == "yes"
    assert told["--maxmemory"] == "512mb"
    assert SERVICES["redis"]["mem_limit"] == "1g"


def test_only_what_the_shop_calls_is_reached_from_other_machines() -> None:
    published = {
        port
        for service in SERVICES.values()
        for port in service.get("ports", [])
        if not port.startswith("127.0.0.1:")
    }
    assert published == {"8080:8080", "8090:8090"}


def test_each_image_names_its_version() -> None:
    images = {service["image"] for service in SERVICES.values()}
    assert [image for image in images if not re.search(r":v?\d", image)] == []


def test_secrets_are_not_told_by_the_environment_in_production() -> None:
    for name in ("serve", "sync", "postgres"):
        told = SERVICES[name]["environment"]
        assert [key for key in told if key.endswith(("_SECRET", "__PASSWORD"))] == []


@pytest.mark.parametrize("name", ["demo-serve", "demo-sync"])
def test_the_demo_is_configured_for_both_programs(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in SERVICES[name]["environment"].items():
        assert key.startswith(PREFIX)
        monkeypatch.setenv(key, value)
    service = price_settings.load(DEMO_FILE).service
    sync = sync_settings.load(DEMO_FILE).sync
    assert service.public.host == sync.intake.host == "0.0.0.0"  # noqa: S104 -- in a container
    assert service.admin.open_names is not None
    assert service.metrics is not None
    assert sync.metrics is not None
    assert targets()["sync"] == [sync.metrics.port]
    assert targets()["serve"] == [own_port(service.metrics.port, n + 1) for n in range(WORKERS)]


def test_the_sandbox_answers_to_the_names_that_prometheus_asks() -> None:
    assert SERVICES["sandbox"]["networks"]["default"]["aliases"] == [*targets()]
    assert SERVICES["demo-serve"]["network_mode"] == "service:sandbox"


def test_files_that_are_mounted_are_there() -> None:
    """The two that a person makes for production are in README.md."""
    own = {"./pricing-proxy.toml", "./secrets"}
    named = {
        volume.partition(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
    }
    folder = DEPLOY / "compose"
    missing = {
        path
        for path in named - own
        if path not in COMPOSE["volumes"] and not Path(folder / path).exists()
    }
    assert missing == set()
    readme = (DEPLOY / "README.md").read_text(encoding="utf-8")
    assert all(path.removeprefix("./") in readme for path in own)


def targets() -> dict[str, list[int]]:
    """Return the ports that Prometheus scrapes, by the host's name."""
    jobs = read_yaml("prometheus/prometheus.yml")["scrape_configs"]
    found: dict[str, list[int]] = {}
    for job in jobs:
        for target in job["static_configs"][0]["targets"]:
            host, _, port = target.partition(":")
            found.setdefault(host, []).append(int(port))
    return found
