"""What is said of runs, and how often everything is read."""

from dataclasses import replace
from datetime import timedelta

from sync.console.run_tables import next_step, rotation_text
from sync.serve.mirror_state import Rotation, rotations
from sync.settings import Sync
from sync.store.mirror_records import RunState
from sync.store.mirror_views import WholeRead
from tests.sync_alerts.mirror_runs import NOW, run

HOUR = timedelta(hours=1)
SYNC = Sync.model_validate(
    {
        "magento": {
            "url": "http://127.0.0.1:1",
            "consumer_key": "k" * 32,
            "consumer_secret": "s" * 32,
            "token": "t" * 32,
            "token_secret": "u" * 32,
        },
        "markets": {
            "b2b_de": {
                "website_id": 3,
                "store_ids": [3],
                "flows": ["products", "stock"],
                "orders": {
                    "start_at": "2026-01-01T00:00:00Z",
                    "shipping": {"*": {"mode": "10"}},
                    "payment": {"*": {"method": "CHECK"}},
                    "countries": {"DE": "DEU"},
                },
                "stock": {"stock_id": 3, "sources": {"berlin": ["13"]}, "rotation_minutes": 90},
            }
        },
    }
)


def test_stock_offers_no_undo_and_says_what_does_instead() -> None:
    """Absolute numbers of yesterday would oversell today."""
    wrote = run(7, RunState.DONE, counts={"written": 3})
    assert next_step(wrote).endswith("d365-sync runs undo 7")

    told = next_step(replace(wrote, flow="stock"))
    assert "undo" not in told
    assert told.endswith("d365-sync resync stock --market b2b_de")


def test_each_mirror_that_is_on_has_its_period_and_how_it_went() -> None:
    last = WholeRead("stock", "b2b_de", NOW, NOW + HOUR / 6, None)
    products, stock = rotations(SYNC, [last])

    assert (products.flow, products.last) == ("products", None)
    assert products.every == timedelta(hours=SYNC.mirror.full_hours)
    assert rotation_text(products, now=NOW).endswith("; never yet.")
    assert (stock.every, stock.last) == (timedelta(minutes=90), last)
    told = "All stock of b2b_de is read every 90 min; last 50 min ago, in 10 min."
    assert rotation_text(stock, now=NOW + HOUR) == told


def test_a_rotation_that_takes_longer_than_its_period_says_so() -> None:
    last = WholeRead("stock", "b2b_de", NOW, NOW + 3 * HOUR, NOW - 3 * HOUR)
    turn = Rotation(flow="stock", market="b2b_de", every=2 * HOUR, last=last)
    assert rotation_text(turn, now=NOW + 4 * HOUR) == (
        "All stock of b2b_de is read every 2 h; last 60 min ago, in 3 h, 3 h after the one before."
    )
