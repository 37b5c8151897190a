"""The `malexbot` command; each subcommand is a file, imported when it is called."""

from __future__ import annotations

import importlib
import os
from itertools import chain
from typing import Any

import click

from malexbot import __version__
from malexbot.cli.outcome import told
from malexbot.errors import EXIT_CODES

# In the order of `malexbot --help`: what a newcomer meets first stands first.
SECTIONS = {
    "First steps": ("demo", "check", "doctor", "install", "run"),
    "Look": ("status", "search", "stats", "jobs", "bus"),
    "Act": ("send", "backfill"),
    "Extend": ("route", "plugin", "commands"),
    "Keep": (
        "export",
        "database",
        "erase-user",
        "completion",
        "uninstall",
    ),
}
COMMANDS = tuple(chain.from_iterable(SECTIONS.values()))


class Commands(click.Group):
    """Imports a command only when it is wanted, and tells how it ended."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"{__name__}.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        with told():
            # https://no-color.org: click leaves colours out only off a terminal.
            color = False if os.environ.get("NO_COLOR") else None
            return super().make_context(*args, color=color, **more)

    def invoke(self, ctx: click.Context) -> Any:
        with told():
            return super().invoke(ctx)

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        width = max(map(len, COMMANDS))
        for title, names in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [
                        (name.ljust(width), command.get_short_help_str(formatter.width))
                        for name in names
                        if (command := self.get_command(ctx, name))
                    ]
                )

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Exit codes"):
            formatter.write_dl([(f"{code}", what) for code, what in EXIT_CODES.items()])


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="malexbot", message="%(prog)s %(version)s")
def main() -> None:
    """Archives Mattermost, answers, and never loses a message.

    malexbot COMMAND --help tells more, with examples. Results go to standard output,
    all else beside it; NO_COLOR is honoured.
    """
