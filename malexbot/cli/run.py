"""`malexbot run`: the daemon itself, in the foreground."""

from __future__ import annotations

import faulthandler
import logging
import os
import sys
import threading
from pathlib import Path

import click

from malexbot.cli.options import config_option
from malexbot.config.load import load
from malexbot.runtime.logs import Logs
from malexbot.runtime.systemd import Notifier


@click.command()
@config_option
def command(config_file: Path) -> None:
    """Run the daemon in the foreground, as systemd does.

    SIGTERM stops it after what is under way (a second one at once), SIGHUP reads
    the config again, SIGUSR1 logs where each thread stands.
    """
    faulthandler.enable()
    config = load(config_file)
    logs = Logs()
    logs.set_up(config)
    logs.start()

    # The parts are heavy; a bad config is told before they are imported.
    from malexbot.app import Daemon

    daemon = Daemon(
        config_file=config_file, config=config, logs=logs, notifier=Notifier.take()
    )
    leave(daemon.run())


def leave(exit_code: int) -> None:
    """Exit, at once if a thread was left behind: it must not hold the process."""
    logging.shutdown()
    if threading.active_count() > 1:
        os._exit(exit_code)
    sys.exit(exit_code)
