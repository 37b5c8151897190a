"""What who waits for an export sees: how far it is, how fast, how much longer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from malexbot.errors import Transient

# How often it is told.
TOLD_EVERY = 500


class Watch:
    """Nobody waits: nothing is told but that the database is away."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self._is_away = False

    def far(self, posts: int) -> None:
        self._is_away = False

    def waits(self, error: Transient) -> None:
        """Once for each time that it goes away."""
        if not self._is_away:
            self._say(f"the database is away, waiting for it: {error}")
        self._is_away = True


class Bar(Watch):
    """A bar on the terminal."""

    def __init__(
        self, say: Callable[[str], object], show: Callable[[int], object]
    ) -> None:
        super().__init__(say)
        self._show = show

    def far(self, posts: int) -> None:
        super().far(posts)
        self._show(posts)


@contextmanager
def watched(is_shown: bool, *, done: int, total: int) -> Iterator[Watch]:
    """A bar on stderr while it is shown; otherwise a line only if something is up."""
    if not is_shown:
        yield Watch(_say)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            rate = task.finished_speed or task.speed
            return Text(f"{rate:,.0f}/s" if rate else "", style="dim")

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} posts"),
        *(BarColumn(), TextColumn("{task.percentage:>3.0f} %"), Rate()),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=total, completed=done)
        yield Bar(
            lambda line: progress.console.print(line, markup=False, highlight=False),
            lambda posts: progress.update(task, completed=posts),
        )


def _say(line: str) -> None:
    import click

    click.echo(line, err=True)
