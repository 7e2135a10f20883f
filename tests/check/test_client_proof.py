"""What `check` says of by what the app proves who it is, and until when that is good."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pricing_proxy.clock import SystemClock
from pricing_proxy.configuration.entra_apps import ClientCertificate, EntraApp
from pricing_proxy.diagnosis.board import RowState
from pricing_proxy.diagnosis.client_proof import proof_finding
from pricing_proxy.sandbox.app_proofs import AppProofs
from tests.check.conftest import World
from tests.check.patience import findings, red

ROW = "app proves who it is"
DAY = timedelta(days=1)


def by_certificate(world: World, lives: timedelta) -> None:
    made = world.sandbox.proofs.make_certificate("demo-pricing", lives=lives, keep_old=False)
    del world.environment["pricing_client_secret"]
    world.environment["pricing_certificate_file"] = str(made.file)


def by_token(world: World, lives: timedelta, **claims: Any) -> None:
    made = world.sandbox.proofs.make_token("demo-pricing", lives=lives, claims=claims)
    del world.environment["pricing_client_secret"]
    world.environment["pricing_federated_token_file"] = str(made.file)


@pytest.mark.parametrize(
    ("prove", "state", "told"),
    [
        (lambda _: None, RowState.OK, "by a secret"),
        (
            lambda world: by_certificate(world, 365 * DAY),
            RowState.OK,
            "by a certificate (CN=demo-pricing, SHA-256 ",
        ),
        (lambda world: by_certificate(world, 29 * DAY), RowState.WARNED, "good for 28 days more"),
        (
            lambda world: by_token(world, DAY / 24),
            RowState.OK,
            "for system:serviceaccount:demo:demo-pricing, good for 59 min more",
        ),
    ],
)
async def test_good_proof_is_shown_with_its_end(
    world: World, prove: Callable[[World], None], state: RowState, told: str
) -> None:
    prove(world)
    report = await world.check()

    assert red(report) == {}
    assert findings(report)[ROW].state is state
    assert told in findings(report)[ROW].found
    assert findings(report)["token issued"].state is RowState.OK


@pytest.mark.parametrize(
    ("prove", "told", "next_step"),
    [
        (lambda world: by_certificate(world, -DAY), "that ended", "Make another certificate"),
        (lambda world: by_token(world, -DAY), "that ended", "puts no new one"),
    ],
)
async def test_proof_that_has_ended_is_the_one_red_row_and_entra_is_not_asked(
    world: World, prove: Callable[[World], None], told: str, next_step: str
) -> None:
    prove(world)
    report = await world.check()

    assert list(red(report)) == [ROW]
    assert told in findings(report)[ROW].found
    assert next_step in findings(report)[ROW].next_step
    assert findings(report)["token issued"].needs == ROW
    assert findings(report)["F&O accepts the token"].needs == ROW
    assert world.sandbox.systems["entra"].calls.counts()["total"] == 0


def test_key_that_every_user_can_read_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = AppProofs(tmp_path, clock=SystemClock()).make_certificate(
        "demo-pricing", lives=365 * DAY, keep_old=False
    )
    app = EntraApp(
        kind="pricing", client_id="demo-pricing", proof=ClientCertificate(file=made.file)
    )
    # Folders of tests are closed to others.
    monkeypatch.setattr(Path, "parents", property(lambda _: ()))
    for mode, state in ((0o644, RowState.WARNED), (0o640, RowState.OK)):
        made.file.chmod(mode)
        found = proof_finding(app, here="environments.erp", now=SystemClock().utc())
        assert found.state is state
        assert (str(made.file) in found.found) is (state is RowState.WARNED)


async def test_file_that_cannot_be_read_is_named_by_its_key(world: World) -> None:
    by_certificate(world, 365 * DAY)
    world.environment["pricing_certificate_file"] = "/nowhere.pem"
    failed = red(await world.check())

    assert list(failed) == [ROW]
    assert failed[ROW].next_step == (
        "Correct environments.sandbox.pricing_certificate_file, or the file"
    )


async def test_token_for_another_audience_is_a_warning_beside_what_entra_says(
    world: World,
) -> None:
    """Other clouds name the audience otherwise: only Entra ID knows."""
    by_token(world, DAY, aud=["https://kubernetes.default.svc"])
    report = await world.check()

    assert findings(report)[ROW].state is RowState.WARNED
    assert list(red(report)) == ["token issued"]
    assert "AADSTS700212" in findings(report)["token issued"].found


async def test_certificate_that_the_tenant_refuses_has_its_next_step(world: World) -> None:
    by_certificate(world, 365 * DAY)
    await world.turn("entra", proof_faults={"certificate": "unknown"})
    failed = red(await world.check())

    assert list(failed) == ["token issued"]
    assert "not registered with the app" in failed["token issued"].next_step
