"""The command `pricing-proxy serve`."""

import uvloop

from pricing_proxy.command_line import Config, fail, settings_of
from pricing_proxy.exit_codes import Exit
from pricing_proxy.listening.listener import ListenError
from pricing_proxy.serve.run import serve
from pricing_proxy.settings import ConfigurationFiles, load
from pricing_proxy.shared_state.shop_claim import OtherShopError
from pricing_proxy.telemetry import logs


def serve_command(config: Config = None) -> None:
    """Serve prices until stopped.

    The shop calls the public listener (port 8080); `/status`, `/metrics`, `/docs` and
    invalidations are on the admin listener (port 8081, this machine only by default).
    """
    settings = settings_of(load, config)
    logs.set_up(level=settings.telemetry.log_level, style=settings.telemetry.log_format)
    try:
        uvloop.run(serve(settings, ConfigurationFiles(config)))
    except (ListenError, OtherShopError) as error:
        fail(str(error), Exit.MISTAKEN)
