"""The `malexbot` command; each subcommand is a file, imported when it is called."""

from __future__ import annotations

import importlib
from typing import Any

import click

from malexbot import __version__
from malexbot.errors import MalexbotError

# In the order of `malexbot --help`: what a newcomer meets first stands first.
COMMANDS = (
    "demo",
    "check",
    "doctor",
    "run",
    "status",
    "send",
    "jobs",
    "backfill",
    "export",
    "stats",
    "search",
    "database",
    "install",
    "uninstall",
)


class Commands(click.Group):
    """Imports a command only when it is wanted; tells an error of ours as a line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(
            f"{__name__}.{cmd_name}"
        ).command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except MalexbotError as error:
            click.echo(f"malexbot: {error}", err=True)
            ctx.exit(error.exit_code)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="malexbot", message="%(prog)s %(version)s")
def main() -> None:
    """Archives Mattermost, answers, and never loses a message."""
