"""A post a line, under Mattermost's names."""

from __future__ import annotations

import json

from malexbot.cli.export.jsonl import Jsonl
from malexbot.storage.export import Reaction, Version
from tests.cli.export.made import BOOK, NOON, kept


def test_a_line_holds_all_that_is_kept_with_names_beside_the_ids() -> None:
    post = kept(
        "two\nlines \u2028 кот",
        versions=[Version(NOON, "first")],
        reactions=[Reaction("u2", "tada", 5)],
        props={"n": 1},
    )
    (line,) = Jsonl(BOOK).row(post, None).split("\n")[:-1]
    assert json.loads(line) == {
        **post.post,
        "channel_name": "Town Square",
        "user_name": "alice",
        "versions": [{"at": NOON, "message": "first"}],
        "reactions": [{"user_id": "u2", "emoji_name": "tada", "create_at": 5}],
        "files": [],
    }


def test_who_is_unknown_has_no_name() -> None:
    told = json.loads(Jsonl(BOOK).row(kept(user_id="u9", channel_id="c9"), None))
    assert (told["user_id"], told["user_name"]) == ("u9", "")
    assert told["channel_name"] == "c9"


def test_there_is_nothing_around_the_lines() -> None:
    assert Jsonl(BOOK).head() == Jsonl(BOOK).tail(None) == ""
