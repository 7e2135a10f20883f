"""A process of the price service, alone or one of several: its loop, and its exit code."""

from pathlib import Path

import uvloop

from pricing_proxy.command_line import fail
from pricing_proxy.exit_codes import Exit
from pricing_proxy.listening.listener import ListenError
from pricing_proxy.serve.run import serve
from pricing_proxy.serve.worker_place import WorkerPlace
from pricing_proxy.settings import ConfigurationFiles, Settings
from pricing_proxy.shared_state.shop_claim import OtherShopError


def serve_here(settings: Settings, config: Path | None, place: WorkerPlace | None = None) -> None:
    """Serve until told to stop; end the command where nothing can be served.

    Args:
        settings: What to serve, and where.
        config: The file that they came from.
        place: Which of several workers this is; None for alone.
    """
    try:
        uvloop.run(serve(settings, ConfigurationFiles(config), place))
    except (ListenError, OtherShopError) as error:
        fail(str(error), Exit.MISTAKEN)
