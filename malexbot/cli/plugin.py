"""`malexbot plugin`: begins a plugin of your own, and lists those that are there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from malexbot.cli.options import InOrder, config_option
from malexbot.errors import Permanent


@click.group(cls=InOrder)
def command() -> None:
    """Begin a plugin of your own, or see what the plugins do.

    \b
    malexbot plugin new greet
    malexbot plugin list
    """


@command.command("new")
@click.argument("name")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("."),
    help="The folder to write to, by default this one; it is made if need be.",
)
def new(name: str, into: Path) -> None:
    """Write a plugin that works, with its tests.

    NAME is what it is called: small letters, digits and _. Nothing that is there is
    overwritten.

    \b
    malexbot plugin new greet
    malexbot plugin new rota --into /etc/malexbot/plugins
    """
    from malexbot.plugins.starter import files

    texts = dict(files(name))
    conftest = into / "conftest.py"
    if conftest.exists():
        texts.pop(conftest.name)
    for file in texts:
        if (into / file).exists():
            raise Permanent(f"{into / file} is there already; take another name")
    try:
        into.mkdir(parents=True, exist_ok=True)
        for file, text in texts.items():
            (into / file).write_text(text)
            click.echo(f"wrote {into / file}")
    except OSError as error:
        raise Permanent(f"{error.filename}: {error.strerror}") from None
    for line in _next(name, into):
        click.echo(line)


def _next(name: str, folder: Path) -> Iterator[str]:
    yield ""
    yield f"  try it           pytest {folder / f'test_{name}.py'}"
    yield f"  switch it on     plugins: [{(folder / name).resolve()}.py]"
    yield "  take it up       malexbot check && systemctl reload malexbot"
    yield "  tell Mattermost  malexbot commands register --admin-token-file FILE"


@command.command("list")
@config_option
def list_(config_file: Path) -> None:
    """List the functions of the plugins, and what sets them off.

    \b
    malexbot plugin list
    """
    from malexbot.config.load import load_with_warnings
    from malexbot.plugins.handler import Handler
    from malexbot.plugins.loader import plug

    loaded = load_with_warnings(config_file, plug=plug)
    handlers = loaded.config.plugged.handlers
    width = max((len(each.name) for each in handlers), default=0)
    for each in handlers:
        if isinstance(each, Handler):
            titles = ", ".join(trigger.title for trigger in each.triggers)
            click.echo(f"{click.style(each.name.ljust(width), bold=True)}  {titles}")
    for name in loaded.config.plugged.processors:
        click.echo(f"{click.style(name.ljust(width), bold=True)}  a class")
    for failure in loaded.failures:
        click.echo(f"switched off: {failure}", err=True)
    if not (handlers or loaded.config.plugged.processors or loaded.failures):
        click.echo("no plugins: name their files below `plugins`", err=True)
