"""One page with chapters, threads and anchors, in which nothing runs."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

from malexbot.cli.export.book import Book
from malexbot.cli.export.html import Html
from malexbot.cli.export.jsonl import Jsonl
from malexbot.cli.export.markdown import Markdown
from malexbot.ports.files import FileWanted
from malexbot.storage.contents import Contents
from malexbot.storage.export import Kept, Place, Reaction, Version
from malexbot.storage.files import KnownFile
from tests.cli.export.made import BOOK, GARDEN, MINUTE, NOON, kept
from tests.cli.export.test_text import Reader

EVIL = '"><script>alert(1)</script><img src=x onerror=y>'
VOID = ("meta", "!doctype")


def page(*posts: Kept, book: Book = BOOK) -> str:
    writer, before = Html(book), None
    text = writer.head()
    for post in posts:
        text += writer.row(post, before)
        before = post.place
    return text + writer.tail(before)


def test_what_belongs_together_stands_together() -> None:
    text = page(
        kept("root", id="p1"),
        kept("reply", id="p2", root_id="p1", user_id="u2", at=NOON + MINUTE),
        kept("next day", id="p3", at=NOON + 24 * 60 * MINUTE),
        kept("elsewhere", id="p4", channel_id="c2"),
    )
    order = (
        r'<(section|h2|h3|article|/article|/section)\b|class="(post[^"]*)" id="(\w+)"'
    )
    found = ["".join(parts) for parts in re.findall(order, text)]
    assert found == [
        *("section", "h2", "h3", "article", "postp1", "post replyp2", "/article"),
        *("h3", "article", "postp3", "/article", "/section"),
        *("section", "h2", "h3", "article", "postp4", "/article", "/section"),
    ]


def test_the_contents_lead_to_the_chapters() -> None:
    text = page(kept(id="p1"), kept(id="p4", channel_id="c2"))
    for channel_id, name in (("c1", "Town Square"), ("c2", "Сад")):
        assert f'<a href="#channel-{channel_id}">{name} <span>' in text
        assert f'<section id="channel-{channel_id}">' in text
    assert "<nav" not in page(book=Book([GARDEN], {}))


def test_each_post_has_an_anchor_and_its_place_on_the_server() -> None:
    text = page(kept(id="p7"))
    assert 'id="p7"' in text and 'href="#p7"' in text
    assert 'href="https://chat.example.org/_redirect/pl/p7"' in text
    assert "_redirect" not in page(kept(id="p7"), book=Book([], {}))


def test_all_that_belongs_to_a_post_is_there() -> None:
    text = page(
        kept(
            "now",
            edit_at=NOON + MINUTE,
            delete_at=NOON + 2 * MINUTE,
            versions=[Version(NOON, "then")],
            reactions=[Reaction("u1", "+1", 1), Reaction("u2", "+1", 2)],
            metadata={"files": [{"id": "f", "name": "a.pdf", "size": 1500}]},
            props={"attachments": [{"title": "Build 17"}]},
        ),
        kept("alice joined", id="p2", type="system_join_channel"),
        kept("late", id="p3", root_id="gone"),
    )
    for told in (
        *(">edited <time", ">12:01</time>", '"gone">deleted', ">12:02</time>"),
        *('<div class="post deleted"', "1 earlier version</summary>", ">then</div>"),
        *('<li title="alice, bob">👍 2</li>', "📎 a.pdf · 1.5 kB", "Build 17"),
        *('<div class="post system"', "beginning of this thread is not here"),
    ):
        assert re.search(re.escape(told).replace("then", r"[^<]*<?.*?then"), text), told


def everywhere(text: str) -> str:
    """A page with this text wherever people have a say."""
    share = GARDEN.__class__("c1", "O", text, text, 2, NOON, NOON)
    book = Book([share, GARDEN], {"u1": text, "u2": text}, "https://chat.example.org")
    post = kept(
        text,
        versions=[Version(NOON, text)],
        reactions=[Reaction("u2", text, 1)],
        metadata={"files": [{"id": text, "name": text, "size": 5}]},
        props={
            "from_webhook": "true",
            "override_username": text,
            "attachments": [{"title": text, "text": text}],
        },
    )
    return page(post, book=book)


class Page(Reader):
    """Tags that have no end are none that is open."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        super().handle_starttag(tag, attrs)
        if tag in VOID:
            self.open.pop()


def test_a_kept_file_is_linked_where_it_lies(tmp_path: Path) -> None:
    contents = Contents(tmp_path / "my files", reserve_bytes=0)
    contents.make()
    wanted = FileWanted("p1", "f1", 5)
    with contents.part(wanted) as part:
        part.write(b"hello")
    sha256, _ = contents.digest(wanted)
    contents.take(wanted, sha256)
    told = [{"id": id_, "name": f"{id_}.pdf", "size": 5} for id_ in ("f1", "f2", "f3")]
    known = [
        KnownFile("f1", "kept", sha256, 5),
        KnownFile("f2", "gone", None, 5),
        KnownFile("f3", "kept", "ab" * 32, 5),
    ]
    post = kept("see", metadata={"files": told})._replace(files=known)
    book = replace(BOOK, contents=contents)
    where = contents.path(sha256).as_uri()
    text = page(post, book=book)
    links = [dict(attrs).get("href") for tag, attrs in Page(text).tags if tag == "a"]
    assert links.count(where) == 1 and "my%20files" in where
    assert ">f1.pdf</a> · 5 B</li><li>📎 f2.pdf · 5 B</li><li>📎 f3.pdf ·" in text
    assert f"📎 [f1.pdf]({where}) (5 B)" in Markdown(book).row(post, None)
    line = json.loads(Jsonl(book).row(post, None))
    assert line["files"] == [
        {
            **{"id": "f1", "state": "kept", "sha256": sha256, "size": 5},
            "path": str(contents.path(sha256)),
        },
        {**{"id": "f2", "state": "gone", "sha256": None, "size": 5}, "path": None},
        {**{"id": "f3", "state": "kept", "sha256": "ab" * 32, "size": 5}, "path": None},
    ]


def test_nothing_that_people_write_becomes_html() -> None:
    evil, good = Page(everywhere(EVIL)), Page(everywhere("good"))
    assert evil.open == good.open == []
    assert [tag for tag, _ in evil.tags] == [tag for tag, _ in good.tags]
    assert [list(names) for _, names in evil.tags] == [
        list(names) for _, names in good.tags
    ]


def test_the_page_forbids_what_it_does_not_need() -> None:
    policy = dict(Page(page()).tags[3][1])
    assert policy["http-equiv"] == "Content-Security-Policy"
    told = policy["content"] or ""
    assert told.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in told and "script-src" not in told
    assert "style=" not in page(kept())


def test_nothing_is_loaded_from_anywhere() -> None:
    assert not re.search(r"<(img|script|link|iframe)\b|url\(|@import", page(kept()))


def test_a_page_that_is_cut_and_gone_on_with_is_the_same() -> None:
    posts = [kept(id="p1"), kept(id="p2", root_id="p1"), kept(id="p3")]
    writer, before = Html(BOOK), None
    rows: list[tuple[str, Place]] = []
    for post in posts:
        rows.append((writer.row(post, before), post.place))
        before = post.place
    again = Html(BOOK).row(posts[2], rows[1][1])
    assert again == rows[2][0]


def test_the_parser_of_these_tests_sees_what_is_wrong() -> None:
    assert isinstance(Page("<p></p>"), HTMLParser)
    assert Page("<p><script>").open == ["p", "script"]
