"""How a command ends: by its own word, an error of ours, Ctrl-C or a closed pipe."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from malexbot.errors import EXIT_FAILED, EXIT_INTERRUPTED, MalexbotError


@contextmanager
def told() -> Iterator[None]:
    """What goes wrong is a line and an exit code, never a traceback."""
    try:
        yield
        sys.stdout.flush()
    except MalexbotError as error:
        click.echo(f"malexbot: {error}", err=True)
        raise click.exceptions.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        raise click.exceptions.Exit(EXIT_INTERRUPTED) from None
    except BrokenPipeError:
        # Who closes the pipe has seen enough; that is no failure.
        let_go()
        raise click.exceptions.Exit(0) from None
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        let_go()
        click.echo(f"malexbot: cannot write: {error.strerror}", err=True)
        raise click.exceptions.Exit(EXIT_FAILED) from None


def let_go() -> None:
    """What is still in the buffer goes nowhere, or the exit would fail on it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
