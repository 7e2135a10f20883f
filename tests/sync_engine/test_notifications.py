"""Whether a notification arrives; PgBouncer in transaction mode loses it, like another database."""

import pytest

from sync.engine import notifications
from sync.engine.notifications import hears_notifications


async def test_a_server_itself_hands_over_what_it_is_told(database_url: str) -> None:
    assert await hears_notifications(database_url)


async def test_what_is_told_elsewhere_is_not_heard(
    database_url: str, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Notifications stay within a database, as they stay with a pooler's own connection."""
    monkeypatch.setattr(notifications, "_PATIENCE_SECONDS", 0.2)
    assert not await notifications._hears(database_url, empty_database_url)
