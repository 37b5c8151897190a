"""What people write, drawn: the part of Markdown that is read, and what stays text."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from malexbot.sandbox.fixtures import Mattermost
from tests.browser.chromium import Chromium, Tab

DRAW = """
import('/page/text.js').then(({ words }) => {
  const box = document.createElement('div');
  const began = performance.now();
  box.append(...words(%s, 'alice'));
  return [box.innerHTML, performance.now() - began];
})
"""
LINK = 'target="_blank" rel="noopener noreferrer"'
# One drawing of all that a message may hold; a machine may be busy.
LONGEST_MS = 1500


@pytest.fixture
def tab(chromium: Chromium, mattermost: Mattermost) -> Iterator[Tab]:
    with chromium.open(mattermost.url) as tab:
        yield tab
        assert tab.errors() == []


# All of a kind in one test: a tab takes longer to open than a text to draw.
def test_what_is_read(tab: Tab) -> None:
    for text, drawn in (
        ("plain", "<p>plain</p>"),
        ("one\ntwo", "<p>one<br>two</p>"),
        ("one\r\n\r\n\ntwo", "<p>one</p><p>two</p>"),
        (
            "**b** *i* __b__ _i_ ~~s~~",
            "<p><strong>b</strong> <em>i</em> <strong>b</strong> "
            "<em>i</em> <s>s</s></p>",
        ),
        ("**a *b* c**", "<p><strong>a <em>b</em> c</strong></p>"),
        ("`a **b**` ``c`d``", "<p><code>a **b**</code> <code>c`d</code></p>"),
        (
            "```sh\n<b>\n  x\n```\nend",
            '<pre tabindex="0"><code>&lt;b&gt;\n  x</code></pre><p>end</p>',
        ),
        ("```\nopen", '<pre tabindex="0"><code>open</code></pre>'),
        ("- a\n* b", "<ul><li>a</li><li>b</li></ul>"),
        ("3. a\n4) b", '<ol start="3"><li>a</li><li>b</li></ol>'),
        ("> a\n> b\nc", "<blockquote><p>a<br>b</p></blockquote><p>c</p>"),
        ("## Title", '<p class="heading">Title</p>'),
        (":tada: :unknown:", "<p>🎉 :unknown:</p>"),
        (
            "@bob, @alice. @all",
            '<p><span class="mention">@bob</span>, '
            '<span class="mention me">@alice</span>. '
            '<span class="mention me">@all</span></p>',
        ),
        (
            "see https://example.org/a_b_c?x=1&y, ok",
            f'<p>see <a href="https://example.org/a_b_c?x=1&amp;y" {LINK}>'
            "https://example.org/a_b_c?x=1&amp;y</a>, ok</p>",
        ),
        (
            "(https://example.org) [name](https://example.org/x)",
            f'<p>(<a href="https://example.org/" {LINK}>https://example.org</a>) '
            f'<a href="https://example.org/x" {LINK}>name</a></p>',
        ),
    ):
        assert tab.run(DRAW % json.dumps(text))[0] == drawn, text


def test_what_stays_as_it_is(tab: Tab) -> None:
    for text in (
        "2 * 3 * 4",
        "snake_case_name",
        "a ** b",
        "an_init_.py_",
        "mail@example.org",
        "#hashtag",
        "-no item",
        "`open",
        "**open",
        "[x](y)",
        "[x](javascript:alert(1))",
        "[x](data:text/html,hello)",
        "javascript:alert(1)",
        "https://",
        ":not an emoji:",
        ":constructor: :__proto__:",
    ):
        assert tab.run(DRAW % json.dumps(text))[0] == f"<p>{text}</p>"


def test_html_is_text(tab: Tab) -> None:
    for text in (
        "<img src=x onerror=alert(1)>",
        "<script>alert(1)</script>",
        "**<b onclick=alert(1)>x</b>**",
        '[<i>x</i>](https://example.org/"onmouseover="alert(1)//)',
        "`<svg onload=alert(1)>`",
        "> <iframe src=//example.org>",
        "- <style>*{display:none}</style>",
        "@<a> :<a>:",
    ):
        made = DRAW.replace(
            "return [box.innerHTML",
            "return [[...box.querySelectorAll('*')].map((each) => each.localName)",
        )
        known = {"p", "strong", "em", "code", "blockquote", "ul", "li", "a", "span"}
        assert set(tab.run(made % json.dumps(text))[0]) <= known, text


def test_no_text_takes_long(tab: Tab) -> None:
    size = 16_383
    for piece in (
        *("*", "_", "**", "`", "`` ` ", "[", "[a](", "~~a", "@", "@a", ":", ":a"),
        *("https://", "http://a ", "> ", "- ", "1. ", "#", "\n", "```\n", "**a *b "),
        *("_a ", "a_", "*a*", "[a](http://b) ", " ", "\t", "x", "🎉", "*a _b ~~c `"),
    ):
        text = (piece * size)[:size]
        assert tab.run(DRAW % json.dumps(text))[1] < LONGEST_MS, piece
