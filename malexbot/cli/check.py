"""`malexbot check`: is the configuration right, and what would malexbot do with it?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from malexbot.cli.options import config_option, json_option
from malexbot.config.load import load_with_warnings
from malexbot.config.model import Config, Mattermost
from malexbot.config.problems import LINE_WIDTH, ConfigProblems, Problem, clipped
from malexbot.config.schema import schema
from malexbot.config.show import show
from malexbot.errors import EXIT_CONFIG, Misconfigured
from malexbot.plugins.loader import plug


@click.command()
@config_option
@click.option("--show", "is_shown", is_flag=True, help="Print it with its defaults.")
@click.option(
    "--schema", "is_schema", is_flag=True, help="Print its JSON Schema, for editors."
)
@json_option("one object")
def command(config_file: Path, is_shown: bool, is_schema: bool, is_json: bool) -> None:
    """Tell whether the configuration is right.

    The exit code is 78 if it is not. --show prints what is in effect as YAML, the
    secrets as ***. --json prints one object: is_well; problems, each with file, line,
    path, text and hint; and warnings.

    \b
    malexbot check
    malexbot check --config ./malexbot.yaml --show
    malexbot check --schema > malexbot.schema.json
    """
    if is_schema:
        click.echo(json.dumps(schema(), indent=2, ensure_ascii=False))
        return
    if is_json:
        raise click.exceptions.Exit(_told_as_json(config_file))
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


def _told_as_json(config_file: Path) -> int:
    """The exit code; what is wrong is no error here, but the answer."""
    told: dict[str, Any] = {"is_well": True, "problems": [], "warnings": []}
    try:
        loaded = load_with_warnings(config_file, plug=plug)
        told["warnings"] = [str(warning) for warning in loaded.warnings]
        loaded.require_plugins()
    except ConfigProblems as error:
        told |= {"is_well": False, "problems": [asdict(p) for p in error.problems]}
    except Misconfigured as error:
        problem = Problem(config_file, None, "", error.what, error.cure or None)
        told |= {"is_well": False, "problems": [asdict(problem)]}
    click.echo(json.dumps(told, indent=2, default=str))
    return 0 if told["is_well"] else EXIT_CONFIG


def _plan(config: Config) -> Iterator[str]:
    """What malexbot would do, in a few lines."""
    if not (config.mattermost or config.vk):
        yield "listens to nothing"
    if config.mattermost:
        yield from _mattermost(config.mattermost)
    if config.vk:
        yield f"VK:         community {config.vk.group_id} at {config.vk.api_url}"
        yield from _events(config.vk.target_events_processors)
    if config.routes:
        yield f"routes:     {', '.join(rule.name for rule in config.routes)}"
    if config.redis:
        yield f"Redis:      {config.redis.url}, by {config.redis.mode}"
    if config.http:
        yield f"HTTP:       {', '.join(config.http)}"
    if config.plugged.handlers:
        yield f"plugins:    {', '.join(each.name for each in config.plugged.handlers)}"
    db = config.db
    place = f"its own, under {config.state_dir}"
    yield f"database:   {f'{db.name} on {db.host}:{db.port}' if db else place}"


def _mattermost(mattermost: Mattermost) -> Iterator[str]:
    yield f"Mattermost: {mattermost.api_url} and {mattermost.websocket_url}"
    yield f"channels:   {', '.join(mattermost.listen_channels) or 'none'}"
    yield from _events(mattermost.target_events_processors)


def _events(events: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for event, processors in events.items():
        if processors:
            yield f"on {event}: {', '.join(processors)}"
