"""Markdown that no text can leave its place in."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as some
from markdown_it import MarkdownIt

from malexbot.cli.export.markdown import Markdown
from malexbot.storage.export import Kept, Reaction, Version
from tests.cli.export.made import BOOK, MINUTE, NOON, kept

# What a reader makes of it; the tables and strokes of GitHub too.
READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
OURS = ("blockquote", "p", "strong", "br", "a")
NASTY = """# no heading
1. no list
- nor this
> no quote
| a | b |
|---|---|
===
```
fence
~~~
<script>alert(1)</script> <!-- & &amp; &#35;
[a]: http://evil.example.org
![i](x) [l](y) **b** _i_ ~~s~~ `c` $m$ \\ \\* a\\
    indented
\ttab"""


def one(post: Kept) -> str:
    """A post that follows another one on its day."""
    before = kept(id="p0").place
    return Markdown(BOOK).row(post, before)


def read(text: str) -> str:
    return str(READER.render(text))


def test_chapters_days_and_threads_are_its_structure() -> None:
    writer, text, before = Markdown(BOOK), Markdown(BOOK).head(), None
    for post in (
        kept("root", id="p1"),
        kept("reply", id="p2", root_id="p1", user_id="u2", at=NOON + MINUTE),
        kept("next day", id="p3", at=NOON + 24 * 60 * MINUTE),
        kept("elsewhere", id="p4", channel_id="c2"),
    ):
        text += writer.row(post, before)
        before = post.place
    page = re.sub(r' · <a href="[^"]*">↗</a>', "", read(text))
    assert re.findall(r"<h(\d)>(.*?)</h", page) == [
        ("1", "Archive of chat.example.org"),
        ("2", "Town Square"),
        ("3", "2025-11-20"),
        ("3", "2025-11-21"),
        ("2", "Сад"),
        ("3", "2025-11-20"),
    ]
    assert (
        "<blockquote>\n<p><strong>alice</strong> · 12:00<br />\nroot</p>\n"
        "<blockquote>\n<p><strong>bob</strong> · 12:01<br />\nreply</p>\n"
        "</blockquote>\n</blockquote>\n" in page
    )
    assert page.count("<blockquote>") == 4


def test_all_that_belongs_to_a_post_is_there() -> None:
    page = read(
        one(
            kept(
                "now",
                edit_at=NOON + MINUTE,
                delete_at=NOON + 2 * MINUTE,
                versions=[Version(NOON, "then"), Version(NOON + 1, "")],
                reactions=[Reaction("u2", "custom_x", 1)],
                metadata={"files": [{"id": "f", "name": "a_b_.pdf", "size": 1500}]},
                props={"attachments": [{"title": "Build *17*"}]},
            )
        )
    )
    for told in (
        *("edited 12:01", "deleted 12:02", "now", "Build *17*", "📎 a_b_.pdf (1.5 kB)"),
        *(":custom_x: 1", "Before, 12:00:", "then", "/_redirect/pl/p1"),
    ):
        assert told in page


def test_a_reply_without_its_root_says_so() -> None:
    assert "beginning is not in this export" in one(kept("a", id="p2", root_id="gone"))


def test_names_make_no_structure_either() -> None:
    post = kept(props={"from_webhook": "true", "override_username": "**x**\n# h"})
    assert "<strong>**x** # h</strong>" in read(one(post))


def said(page: str) -> str:
    """The text of the post, as a reader sees it."""
    body = page.partition("↗</a>")[2].replace("<br />", "")
    return re.sub("<[^>]*>", "", body)


@given(some.text(some.characters(exclude_categories=["Cs", "Cc"]) | some.just("\n")))
@example(NASTY)
@example("\\1. a")
@example("12) a\n  - b\n+\n=\n-\n*")
@example("http://a.example/_*`x`_?a=<b>&amp;c)] http://[x](y)")
@example("a&copy;b &x")
@example("a|b\n:-|-:")
@example("a\n\nb\n   \nc")
def test_any_text_reads_as_it_was_typed(text: str) -> None:
    page = read(one(kept(text)))
    assert set(re.findall(r"<(\w+)", page)) <= set(OURS)
    assert page.count("<blockquote>") == page.count("<strong>") == 1
    shown = said(page)
    for sign, entity in (("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("&", "&amp;")):
        shown = shown.replace(entity, sign)
    assert shown.split() == text.split()
