"""`malexbot search`: finds what was said."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from malexbot.cli.kept import demand_current, kept, one_channel, one_person, server
from malexbot.cli.moments import readable_ms
from malexbot.cli.options import (
    channel_option,
    config_option,
    json_option,
    since_option,
    until_option,
    user_option,
)
from malexbot.config.load import load
from malexbot.errors import Permanent

if TYPE_CHECKING:
    from malexbot.storage.database import Database
    from malexbot.storage.query import Question
    from malexbot.storage.search import Answer, Found
    from malexbot.storage.snippets import Piece

MOST = 1000
# A permalink ends with one.
_ID = re.compile(r"(?:.*/)?([a-z0-9]+)/?")


@click.command()
@config_option
@click.argument("words", nargs=-1, required=True)
@channel_option
@user_option
@since_option("--from")
@until_option("--to")
@click.option(
    "--thread", metavar="POST", help="Only in its thread: a permalink or an id."
)
@click.option("--deleted", is_flag=True, help="Find what was deleted, too.")
@click.option(
    "--limit",
    type=click.IntRange(1, MOST),
    default=20,
    metavar="N",
    show_default=True,
    help="How many to show.",
)
@json_option("an object a line")
def command(
    config_file: Path, words: tuple[str, ...], is_json: bool, **bounds: Any
) -> None:
    """Find posts by the words in them, the best ones first.

    Russian and English words are found in each of their forms, in attachments and
    names of files, too. Put the words in single quotes, so that the shell leaves
    them alone:

    \b
    malexbot search 'deploy server'       both words, anywhere in the post
    malexbot search '"deploy server"'     one right after the other
    malexbot search 'deploy -staging'     the one without the other
    malexbot search 'depl*'               words that begin so
    malexbot search 'deploy OR release'   one of them
    malexbot search 'релиз' --channel town-square --user anna --since 30d

    Times are read in the zone of this machine. With --json each post has id, link,
    create_at, edit_at, delete_at, channel_id, channel, user_id, user, root_id, text,
    and the snippet with the words that were found.
    """
    from malexbot.storage.search import Search

    config = load(config_file)
    with kept(config) as database:
        demand_current(database)
        question = ask(database, " ".join(words), **bounds)
        answer = Search(database).find(question)
    for found in answer.found:
        link = found.permalink(server(config))
        click.echo(as_json(found, link) if is_json else as_text(found, link))
    for line in remarks(answer, question):
        click.echo(line, err=True)


def ask(database: Database, text: str, **bounds: Any) -> Question:
    """The question, with ids for what people call by names."""
    from malexbot.storage.query import Question

    channel, user, thread = (bounds.pop(name) for name in ("channel", "user", "thread"))
    terms = {
        "channel_id": channel and one_channel(database, channel).id,
        "user_id": user and one_person(database, user).id,
        "thread_id": thread and thread_of(database, thread),
        "with_deleted": bounds.pop("deleted"),
        **bounds,
    }
    given = {name: value for name, value in terms.items() if value is not None}
    return Question(text=text, **given)


def thread_of(database: Database, text: str) -> str:
    """The id of the post that the thread of this one began with."""
    from malexbot.storage.search import find_thread

    found = _ID.fullmatch(text.strip())
    thread_id = find_thread(database, found[1]) if found else None
    if thread_id is None:
        raise Permanent(
            f"no post {text!r} is kept here: give its permalink, or the id at its end"
        )
    return thread_id


def as_text(found: Found, link: str) -> str:
    from malexbot.cli.report import clean

    who = click.style(clean(found.user or found.user_id or "somebody"), bold=True)
    where = click.style(clean(found.channel or found.channel_id), fg="cyan")
    when = readable_ms(found.create_at)[: len("2026-01-31 18:00")]
    states = "".join(
        click.style(f" ({state})", fg=colour)
        for state, colour, at_ms in (
            ("edited", "yellow", found.edit_at),
            ("deleted", "red", found.delete_at),
        )
        if at_ms
    )
    snippet = "".join(marked(found.snippet))
    return f"{when}  {who} in {where}{states}\n  {snippet}\n  {faint(link)}\n"


def marked(pieces: Sequence[Piece]) -> Iterator[str]:
    """The pieces of a snippet, those bright that were looked for."""
    from malexbot.cli.report import clean

    for text, is_match in pieces:
        told = clean(text)
        yield click.style(told, fg="yellow", bold=True) if is_match else told


def faint(text: str) -> str:
    return click.style(text, dim=True)


def as_json(found: Found, link: str) -> str:
    names = (
        *("create_at", "edit_at", "delete_at", "channel_id", "channel"),
        *("user_id", "user", "root_id", "text"),
    )
    told: dict[str, Any] = {"id": found.id, "link": link}
    told |= {name: getattr(found, name) for name in names}
    told["snippet"] = "".join(piece.text for piece in found.snippet)
    told["found"] = [piece.text for piece in found.snippet if piece.is_match]
    return orjson.dumps(told).decode()


def remarks(answer: Answer, question: Question) -> Iterator[str]:
    """What a person should know besides; a program reads it on no line of its own."""
    shown = len(answer.found)
    if shown == 0:
        yield nothing(question)
    elif answer.matches > shown or not answer.is_all:
        newest = (
            "" if answer.is_all else ", the newest ones: --until looks further back"
        )
        yield f"{shown} of {answer.matches} matches; --limit shows more{newest}"
    if answer.unsearched is None:
        yield (
            "the archive is still being indexed, older posts may be missing here;"
            " malexbot status tells how far it is"
        )
    elif answer.unsearched:
        yield (
            f"{answer.unsearched} posts came in just now and were not looked through;"
            " ask again in a moment"
        )


def nothing(question: Question) -> str:
    """What to try when nothing was found."""
    names = ("channel_id", "user_id", "thread_id", "since", "until")
    defaults = type(question)(text="")
    is_bounded = any(getattr(question, n) != getattr(defaults, n) for n in names)
    hints = ["fewer words" if " " in question.text.strip() else "another word"]
    if "*" not in question.text:
        hints.append("the beginning of one ('depl*')")
    if not question.with_deleted:
        hints.append("--deleted")
    if is_bounded:
        hints.append("no bounds on where, who and when")
    return f"nothing found; try {', or '.join(hints)}"
