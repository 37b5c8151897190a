"""html: one page to read, to search in, to print and to keep; it loads nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from html import escape

from malexbot.cli.export.book import (
    Book,
    attached,
    clock,
    counted,
    day,
    exact,
    is_system,
)
from malexbot.cli.export.style import STYLE
from malexbot.cli.export.text import as_html
from malexbot.storage.export import Kept, Place

_HEAD = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
style-src 'sha256-{style_hash}'; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body id="top">
<h1>{title}</h1>
<p class="about">{about}</p>
"""


class Html:
    """A chapter a channel, in it days, threads and posts, each with its own anchor.

    What people wrote is escaped, and the page's policy forbids scripts, forms and
    whatever would be loaded, should anything ever slip through.
    """

    def __init__(self, book: Book) -> None:
        self._book = book
        self._shares = {share.channel_id: share for share in book.shares}

    def head(self) -> str:
        book = self._book
        digest = hashlib.sha256(STYLE.encode()).digest()
        about = f"{counted(book.posts, 'post')}, {book.span}" if book.posts else ""
        page = _HEAD.format(
            style_hash=base64.b64encode(digest).decode(),
            style=STYLE,
            title=escape(book.title),
            about=escape(about or "No posts."),
        )
        return page + ("".join(self._contents()) if len(book.shares) > 1 else "")

    def row(self, kept: Kept, before: Place | None) -> str:
        place = kept.place
        told = [*self._opened(place, before), *self._post(kept)]
        return "".join(told)

    def tail(self, before: Place | None) -> str:
        end = "</article>\n</section>\n" if before else ""
        return f"{end}<footer>Made by malexbot.</footer>\n</body>\n</html>\n"

    def _contents(self) -> Iterator[str]:
        yield '<nav aria-label="Channels">\n'
        for share in self._book.shares:
            name = escape(self._book.channel(share))
            number = counted(share.posts, "post").partition(" ")[0]
            yield f'<a href={quoted("#" + _chapter(share.channel_id))}>{name}'
            yield f" <span>{number}</span></a>\n"
        yield "</nav>\n"

    def _opened(self, place: Place, before: Place | None) -> Iterator[str]:
        """The chapter, the day and the thread that begin with this post."""
        is_day = before is None or day(before.began_at) != day(place.began_at)
        if before is None or before.channel_id != place.channel_id:
            yield "</article>\n</section>\n" if before else ""
            yield self._chapter(place)
            is_day, before = True, None
        if before and before.thread_id == place.thread_id:
            return
        yield "</article>\n" if before else ""
        yield f"<h3>{day(place.began_at)}</h3>\n" if is_day else ""
        yield "<article>\n"
        if place.is_reply:
            yield '<p class="begins">The beginning of this thread is not here.</p>\n'

    def _chapter(self, place: Place) -> str:
        share = self._shares.get(place.channel_id)
        name = self._book.channel(share) if share else place.channel_id
        number = f"<small>{counted(share.posts, 'post')}</small>" if share else ""
        anchor = quoted(_chapter(place.channel_id))
        return (
            f"<section id={anchor}>\n<h2>{escape(name)} {number}"
            '<a class="up" href="#top" aria-label="To the top">↑</a></h2>\n'
        )

    def _post(self, kept: Kept) -> Iterator[str]:
        post, place = kept.post, kept.place
        kinds = ["post"] + ["reply"] * place.is_reply + ["system"] * is_system(post)
        kinds += ["deleted"] * bool(post["delete_at"])
        yield f'<div class={quoted(" ".join(kinds))} id={quoted(place.id)}>\n'
        yield from self._by(kept)
        if post["message"]:
            yield f'<div class="text">{as_html(post["message"])}</div>\n'
        if extra := attached(post):
            yield f'<div class="extra">{as_html(extra)}</div>\n'
        yield from self._files(kept)
        yield from self._marks(kept)
        yield from self._versions(kept)
        yield "</div>\n"

    def _by(self, kept: Kept) -> Iterator[str]:
        post, began = kept.post, day(kept.place.began_at)
        at = post["create_at"]
        yield f'<p class="by"><b>{escape(self._book.author(post))}</b> '
        yield f'<a href={quoted("#" + post["id"])}>{_time(at, began)}</a>'
        if post["edit_at"]:
            yield f" <span>edited {_time(post['edit_at'], day(at))}</span>"
        if post["delete_at"]:
            yield ' <span class="gone">deleted'
            yield f" {_time(post['delete_at'], day(at))}</span>"
        if link := self._book.permalink(post["id"]):
            yield f' <a class="link" rel="noopener noreferrer" href={quoted(link)}'
            yield ' title="On the server" aria-label="On the server">↗</a>'
        yield "</p>\n"

    def _files(self, kept: Kept) -> Iterator[str]:
        if told := list(self._book.files(kept)):
            yield '<ul class="files">'
            for file in told:
                size = f" · {file.size}" if file.size else ""
                name = escape(file.name)
                if file.link:
                    name = f"<a href={quoted(file.link)}>{name}</a>"
                yield f"<li>📎 {name}{size}</li>"
            yield "</ul>\n"

    def _marks(self, kept: Kept) -> Iterator[str]:
        if marks := list(self._book.marks(kept)):
            yield '<ul class="marks">'
            for sign, people in marks:
                who = quoted(", ".join(people))
                yield f"<li title={who}>{escape(sign)} {len(people)}</li>"
            yield "</ul>\n"

    def _versions(self, kept: Kept) -> Iterator[str]:
        if not kept.versions:
            return
        at = kept.post["create_at"]
        number = counted(len(kept.versions), "earlier version")
        yield f"<details><summary>{number}</summary>\n"
        for version in kept.versions:
            yield f'<div class="text">{_time(version.at, day(at))}\n'
            yield f"{as_html(version.message)}</div>\n"
        yield "</details>\n"


def _chapter(channel_id: str) -> str:
    return f"channel-{channel_id}"


def _time(at_ms: int, of: str) -> str:
    return f"<time datetime={quoted(exact(at_ms))}>{clock(at_ms, of)}</time>"


def quoted(text: str) -> str:
    """As the value of an attribute."""
    return '"' + escape(text) + '"'
