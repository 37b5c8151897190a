"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path

import click

config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    default=Path("/etc/malexbot.yaml"),
    envvar="MALEXBOT_CONFIG",
    show_default=True,
    show_envvar=True,
    help="The configuration file.",
)
