"""Keys change while the service runs; a wrong file changes nothing and is seen."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from pricing_proxy.clock import SystemClock
from pricing_proxy.configuration.api_keys import hash_of
from pricing_proxy.serve.key_watch import KeyWatch
from pricing_proxy.settings import ConfigurationFiles, Settings
from tests.configuration.files import CONFIGURATION, SECRET, SECRET_VARIABLE, write
from tests.patience import PATIENCE_SECONDS

NEW_KEY = f"""
[[api_keys]]
name = "second"
sha256 = "{hash_of("the second key")}"
scopes = ["prices"]
"""
WRONG = CONFIGURATION.replace('["prices", "login"]', '["everything"]')
LOOK = timedelta(milliseconds=20)
NEVER = timedelta(hours=1)


class Watched:
    """A watch over a file, and what it applied."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.applied: list[Settings] = []
        self.watch: KeyWatch

    def write(self, text: str) -> None:
        write(self.file.parent, text)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not holds():  # noqa: ASYNC110 -- files change without telling
                await asyncio.sleep(0.005)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / SECRET_VARIABLE).write_text(SECRET)
    monkeypatch.setenv("PRICING_PROXY_SECRETS_DIR", str(secrets))
    return tmp_path


@asynccontextmanager
async def watching(folder: Path, *, every: timedelta = LOOK) -> AsyncIterator[Watched]:
    watched = Watched(write(folder))
    files = ConfigurationFiles(watched.file)
    watched.watch = KeyWatch(
        files,
        started=files.load(),
        apply=watched.applied.append,
        clock=SystemClock(),
        look_every=every,
    )
    async with watched.watch:
        yield watched


async def test_a_new_key_is_taken_without_a_restart(folder: Path) -> None:
    async with watching(folder) as watched:
        started_at = watched.watch.report().loaded_at
        watched.write(CONFIGURATION + NEW_KEY)
        await watched.until(lambda: bool(watched.applied))

        assert [key.name for key in watched.applied[0].api_keys] == ["shop-de", "second"]
        assert watched.watch.report().loaded_at >= started_at
        assert not watched.watch.report().needs_restart


async def test_a_changed_secret_is_a_change(folder: Path) -> None:
    async with watching(folder) as watched:
        (folder / "secrets" / SECRET_VARIABLE).write_text("another secret")
        await watched.until(lambda: bool(watched.applied))

        # A secret of the ERP's is no key: it waits for a restart, visibly.
        await watched.until(lambda: watched.watch.report().needs_restart)


async def test_a_wrong_file_keeps_the_keys_and_is_told(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with watching(folder) as watched:
        watched.write(WRONG)
        await watched.until(lambda: bool(watched.watch.report().mistakes))
        [mistake] = watched.watch.report().mistakes
        assert mistake.startswith("api_keys.0.scopes")
        assert watched.applied == []
        assert "the keys stay as they were" in caplog.text

        watched.write(CONFIGURATION + NEW_KEY)
        await watched.until(lambda: bool(watched.applied))
        assert watched.watch.report().mistakes == ()
        assert SECRET not in caplog.text


async def test_a_wrong_file_is_told_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with watching(folder) as watched:
        watched.write("not TOML")
        await watched.until(lambda: bool(watched.watch.report().mistakes))
        await asyncio.sleep(5 * LOOK.total_seconds())

        assert caplog.text.count("the keys stay as they were") == 1


async def test_a_file_that_is_gone_keeps_the_keys(folder: Path) -> None:
    async with watching(folder) as watched:
        watched.file.unlink()
        await watched.until(lambda: bool(watched.watch.report().mistakes))

        assert watched.applied == []


async def test_a_file_is_read_once_it_rests(folder: Path) -> None:
    """Half a file may be a right one with fewer keys."""
    async with watching(folder, every=NEVER) as watched:
        watched.write(CONFIGURATION + NEW_KEY)
        await watched.watch._look()
        assert watched.applied == []

        await watched.watch._look()
        assert len(watched.applied) == 1
        await watched.watch._look()
        assert len(watched.applied) == 1


async def test_a_signal_reads_at_once(folder: Path) -> None:
    async with watching(folder, every=NEVER) as watched:
        watched.write(CONFIGURATION + NEW_KEY)
        watched.watch.read_now()
        await watched.until(lambda: bool(watched.applied))

        assert len(watched.applied[0].api_keys) == 2


async def test_what_is_no_key_waits_for_a_restart_and_says_so(folder: Path) -> None:
    async with watching(folder, every=NEVER) as watched:
        watched.write(CONFIGURATION.replace('"EUR"', '"CHF"'))
        watched.watch.read_now()
        await watched.until(lambda: watched.watch.report().needs_restart)


async def test_the_watch_outlives_what_nobody_thought_of(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with watching(folder, every=NEVER) as watched:
        broken = True

        def apply(settings: Settings) -> None:
            if broken:
                raise RuntimeError("never thought of")
            watched.applied.append(settings)

        watched.watch._apply = apply
        watched.watch.read_now()
        await watched.until(lambda: "KeyWatch failed" in caplog.text)
        broken = False
        watched.watch.read_now()
        await watched.until(lambda: bool(watched.applied))
