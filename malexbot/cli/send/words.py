"""What a message says: words of the command line, of standard input or a template."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from malexbot.errors import Permanent
from malexbot.events import hushed

STDIN = "-"
# More than six of the longest posts; what a template may write, too.
MOST_CHARACTERS = 100_000


def words(
    text: Sequence[str], template: Path | None, values: Sequence[str], *, is_loud: bool
) -> str:
    """The message, quiet unless it may ping everybody; "" if there is none."""
    if template is not None and text:
        raise click.UsageError("Give TEXT or --template, not both.")
    if values and template is None:
        raise click.UsageError("--set is for --template.")
    if template is not None:
        said = filled(template, dict(map(value, values)))
    else:
        said = read() if list(text) == [STDIN] else " ".join(text)
    if len(said) > MOST_CHARACTERS:
        raise Permanent(
            f"the text is longer than {MOST_CHARACTERS} characters: send it as a file"
            " (--file)"
        )
    said = said.strip("\n") if said.strip() else ""
    return said if is_loud else hushed(said, "mattermost")


def read() -> str:
    """Standard input, no more of it than can be sent."""
    if sys.stdin.isatty():
        click.echo("the message, up to Ctrl-D:", err=True)
    told = sys.stdin.buffer.read(4 * MOST_CHARACTERS + 1)
    return told.decode("utf-8", "replace")


def value(written: str) -> tuple[str, str]:
    name, is_set, told = written.partition("=")
    if not is_set or not name.isidentifier():
        raise click.UsageError(f"--set {written}: it is NAME=VALUE, such as host=web1.")
    return name, told


def filled(template: Path, values: dict[str, str]) -> str:
    from malexbot.rules import RuleError, RuleFailed, Template

    try:
        text = template.read_text(encoding="utf-8")
        return Template(text, names=values).fill(values)
    except (RuleError, RuleFailed) as error:
        raise Permanent(f"{template}: {error} (--set NAME=VALUE)") from error
    except (OSError, UnicodeDecodeError) as error:
        raise Permanent(f"cannot read {template}: {error}") from error
