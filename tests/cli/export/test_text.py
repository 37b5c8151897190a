"""What people typed, as HTML that holds nothing but what we put there."""

from __future__ import annotations

import time
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from malexbot.cli.export.text import as_html


class Reader(HTMLParser):
    """Every tag with its attributes, and the text as it is seen."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError("a comment")


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("a < b & c", "a &lt; b &amp; c"),
        ("`x<y` z", "<code>x&lt;y</code> z"),
        ("**so** it is", "<b>so</b> it is"),
        ("```py\na\n\nb\n```\nend", "<pre>a\n\nb</pre>end"),
        ("```\nnever closed", "<pre>never closed</pre>"),
        (
            "see https://a.example/x?y=1&z=2.",
            'see <a rel="noopener noreferrer" href="https://a.example/x?y=1&amp;z=2"'
            ' class="bare">https://a.example/x?y=1&amp;z=2</a>.',
        ),
        (
            "[the plan](http://a.example/p)",
            '<a rel="noopener noreferrer" href="http://a.example/p">the plan</a>',
        ),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
    ],
)
def test_links_code_and_bold_words_are_shown_as_such(text: str, page: str) -> None:
    assert as_html(text) == page


@given(some.text("<>&\"'`*[]()ab:/h t\n") | some.text())
@example("<script>alert(1)</script><a href=\"x\" onclick='y'>")
@example('http://a.example/"onmouseover="x')
@example("[<b>](http://a.example/'><script>)")
@example("```\n</pre><script>\n```")
def test_no_text_makes_a_tag_of_its_own(text: str) -> None:
    page = Reader(as_html(text))
    assert page.open == []
    for tag, attributes in page.tags:
        assert tag in ("a", "b", "code", "pre")
        assert set(attributes) <= {"rel", "href", "class"}
        assert (attributes.get("href") or "http://").startswith(("http://", "https://"))


@pytest.mark.parametrize(
    "sign", ["[", "*", "`", "**a", "[a](", "http://", "```\n", "<"]
)
def test_no_text_takes_long(sign: str) -> None:
    began = time.process_time()
    as_html(sign * (64_000 // len(sign)))
    assert time.process_time() - began < 5
