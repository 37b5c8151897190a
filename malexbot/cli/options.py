"""What several commands take: the same words for the same things everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from malexbot.cli.moments import Moment

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class InOrder(click.Group):
    """Lists its commands in the order in which they are written."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


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

channel_option = click.option(
    "--channel",
    metavar="CHANNEL",
    help="Only this one: its id, name, or team/name.",
)
user_option = click.option(
    "--user", metavar="NAME", help="Only what this person wrote: the name, or the id."
)


def since_option(
    *aliases: str, help: str = "Only what was written then or later"
) -> Decorator:
    """The beginning of a span."""
    return click.option(
        "--since",
        *aliases,
        "since",
        type=Moment(),
        metavar="TIME",
        help=f"{help}: 2026-01-31, 2026-01, '2026-01-31 18:00', yesterday, or 7d.",
    )


def until_option(*aliases: str) -> Decorator:
    """The end of a span: a day or a month that is named belongs to it."""
    return click.option(
        "--until",
        *aliases,
        "until",
        type=Moment(is_end=True),
        metavar="TIME",
        help="Only what was written until then; a day or a month to its end.",
    )


def json_option(what: str) -> Decorator:
    """What a program reads instead."""
    return click.option(
        "--json", "is_json", is_flag=True, help=f"For programs: {what}."
    )


def wait_option(is_default: bool) -> Decorator:
    """Whether the command ends once its order is in the queue, or is done."""
    return click.option(
        "--wait/--no-wait",
        "is_waiting",
        default=is_default,
        show_default=True,
        help="Wait until the daemon has done it; else leave it in the queue.",
    )
