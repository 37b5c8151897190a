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
from malexbot.plugins.loader import plug
from malexbot.runtime.logs import Logs
from malexbot.runtime.systemd import Notifier

if TYPE_CHECKING:
    from malexbot.app import Compose

log = logging.getLogger(__name__)


@click.command()
@config_option
def command(config_file: Path) -> None:
    """Run the daemon in the foreground, as systemd does.

    SIGTERM stops it after what is under way (a second one at once), SIGHUP reads
    the config again, SIGUSR1 logs where each thread stands.

    \b
    malexbot run --config ./malexbot.yaml
    """
    leave(serve(config_file))


def serve(config_file: Path, other: Compose | None = None) -> int:
    """Run a daemon until it ends; `other` composes it, if not as usual."""
    loaded = load_with_warnings(config_file, plug=plug)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")
    faulthandler.enable()
    logs = Logs()
    logs.set_up(loaded.config)
    logs.start()
    for problem in loaded.warnings:
        log.warning("%s", problem)
    for problem in loaded.failures:
        log.error("a plugin is switched off: %s", problem)

    # The parts are heavy; a bad config is told before they are imported.
    from malexbot.app import compose
    from malexbot.daemon import Daemon

    daemon = Daemon(
        config_file=config_file,
        config=loaded.config,
        logs=logs,
        notifier=Notifier.take(),
        compose=other or compose,
    )
    return daemon.run()


def leave(exit_code: int) -> None:
    """Exit, at once if a thread was left behind: it must not hold the process."""
    logging.shutdown()
    if threading.active_count() > 1:
        os._exit(exit_code)
    sys.exit(exit_code)
