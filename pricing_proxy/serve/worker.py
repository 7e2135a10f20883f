"""One of several workers: what `pricing-proxy serve --workers` starts, and nobody else.

    python -m pricing_proxy.serve.worker --number 2 --of 4 --board 3 --port 8080 [--config FILE]

It ends as `serve` does alone, with its exit codes.
"""

import argparse
from pathlib import Path

import typer

from pricing_proxy.command_line import settings_of
from pricing_proxy.serve.process import serve_here
from pricing_proxy.serve.worker_board import board_of
from pricing_proxy.serve.worker_place import WorkerPlace
from pricing_proxy.settings import load
from pricing_proxy.telemetry import logs


def main() -> None:
    """Serve until told to stop."""
    options = _options()
    settings = settings_of(load, options.config)
    telemetry = settings.telemetry
    logs.set_up(level=telemetry.log_level, style=telemetry.log_format, worker=options.number)
    place = WorkerPlace(
        number=options.number,
        board=board_of(options.board, options.of),
        public_port=options.port,
        is_replacement=options.replacement,
    )
    serve_here(settings, options.config, place)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="pricing-proxy worker", description=__doc__)
    add = parser.add_argument
    add("--number", type=int, required=True, help="which it is, from 1")
    add("--of", type=int, required=True, help="how many there are")
    add("--board", type=int, required=True, help="descriptor of what they share")
    add("--port", type=int, required=True, help="the public port that they share")
    add("--replacement", action="store_true", help="others serve already")
    add("--config", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except typer.Exit as ended:
        raise SystemExit(ended.exit_code) from None
