"""`malexbot check`: is the configuration right, and what would malexbot do with it?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from malexbot.cli.options import config_option
from malexbot.config.load import load_with_warnings
from malexbot.config.model import Config, Mattermost
from malexbot.config.problems import LINE_WIDTH, clipped
from malexbot.config.schema import schema
from malexbot.config.show import show
from malexbot.plugins.loader import plug


@click.command()
@config_option
@click.option("--show", "is_shown", is_flag=True, help="Print it with its defaults.")
@click.option(
    "--schema", "is_schema", is_flag=True, help="Print its JSON Schema, for editors."
)
def command(config_file: Path, is_shown: bool, is_schema: bool) -> None:
    """Tell whether the configuration is right.

    The exit code is 78 if it is not. --show prints what is in effect as YAML, the
    secrets as ***.
    """
    if is_schema:
        click.echo(json.dumps(schema(), indent=2, ensure_ascii=False))
        return
    loaded = load_with_warnings(config_file, plug=plug)
    loaded.require_plugins()
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)
    if is_shown:
        click.echo(show(loaded.config), nl=False)
        return
    click.echo(f"{config_file} is fine")
    for line in _plan(loaded.config):
        click.echo(clipped(f"  {line}", LINE_WIDTH))


def _plan(config: Config) -> Iterator[str]:
    """What malexbot would do, in a few lines."""
    if config.mattermost is None:
        yield "listens to nothing"
    else:
        yield from _mattermost(config.mattermost)
    db = config.db
    place = f"its own, under {config.state_dir}"
    yield f"database:   {f'{db.name} on {db.host}:{db.port}' if db else place}"


def _mattermost(mattermost: Mattermost) -> Iterator[str]:
    yield f"Mattermost: {mattermost.api_url} and {mattermost.websocket_url}"
    yield f"channels:   {', '.join(mattermost.listen_channels) or 'none'}"
    for event, processors in mattermost.target_events_processors.items():
        if processors:
            yield f"on {event}: {', '.join(processors)}"
