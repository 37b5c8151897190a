"""`malexbot run`: the daemon itself, in the foreground."""

from __future__ import annotations

import faulthandler
import logging
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from malexbot.cli.options import config_option
from malexbot.config.load import load_with_warnings
from malexbot.runtime.logs import Logs
from malexbot.runtime.systemd import Notifier

if TYPE_CHECKING:
    from malexbot.app import BuildServices

log = logging.getLogger(__name__)


@click.command()
@config_option
def command(config_file: Path) -> None:
    """Run the daemon in the foreground, as systemd does.

    SIGTERM stops it after what is under way (a second one at once), SIGHUP reads
    the config again, SIGUSR1 logs where each thread stands.
    """
    leave(serve(config_file))


def serve(config_file: Path, build: BuildServices | None = None) -> int:
    """Run a daemon until it ends; `build` makes its services, if not the usual ones."""
    loaded = load_with_warnings(config_file)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")
    faulthandler.enable()
    logs = Logs()
    logs.set_up(loaded.config)
    logs.start()
    for problem in loaded.warnings:
        log.warning("%s", problem)

    # The parts are heavy; a bad config is told before they are imported.
    from malexbot.app import build_services
    from malexbot.daemon import Daemon

    daemon = Daemon(
        config_file=config_file,
        config=loaded.config,
        logs=logs,
        notifier=Notifier.take(),
        build=build or build_services,
    )
    return daemon.run()


def leave(exit_code: int) -> None:
    """Exit, at once if a thread was left behind: it must not hold the process."""
    logging.shutdown()
    if threading.active_count() > 1:
        os._exit(exit_code)
    sys.exit(exit_code)
