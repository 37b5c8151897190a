"""The `malexbot` command; each subcommand is a file, imported when it is called."""

from __future__ import annotations

import importlib
import sys
from typing import IO, Any

import click

from malexbot import __version__
from malexbot.errors import MalexbotError

# In the order of `malexbot --help`: what a newcomer meets first stands first.
COMMANDS = (
    "demo",
    "check",
    "run",
    "database",
    "install",
    "uninstall",
)


class Told(click.ClickException):
    """An error of ours, shown as a line on stderr; its exit code is the error's."""

    def __init__(self, error: MalexbotError) -> None:
        super().__init__(str(error))
        self.exit_code = error.exit_code

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"malexbot: {self.format_message()}", file=file or sys.stderr)


class Commands(click.Group):
    """Imports a command only when it is wanted, so that each starts fast."""

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
            raise Told(error) from error


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="malexbot", message="%(prog)s %(version)s")
def main() -> None:
    """Archives Mattermost, answers, routes and notifies, and never loses a message."""
