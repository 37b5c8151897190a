from __future__ import annotations

import pytest

from malexbot.ports import Found
from malexbot.storage.database import Database
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.matches import Matches
from malexbot.storage.query import Unsearchable
from tests.storage.happenings import kept, post, posted


@pytest.fixture
def matches(journal: DatabaseJournal, database: Database) -> Matches:
    said = [
        post("p1", "the deploy is done"),
        post("p2", "deploy it", channel_id="c2"),
        post("p3", "nothing else"),
    ]
    journal.write([kept(*map(posted, said))])
    return Matches(database, server="https://mm.example.org")


def test_a_handler_is_given_what_it_can_show(matches: Matches) -> None:
    found = {each.post_id: each for each in matches("deploying", most=10)}
    assert found.keys() == {"p1", "p2"}
    first = found["p1"]
    assert isinstance(first, Found)
    assert first.snippet == "the **deploy** is done"
    assert first.link == "https://mm.example.org/_redirect/pl/p1"
    assert first.channel_id and first.said_at


def test_channels_can_be_left_out(matches: Matches) -> None:
    assert [f.post_id for f in matches("deploy", without=["c2"], most=10)] == ["p1"]
    assert matches("deploy", without=["c2", "channel1"], most=10) == []
    assert len(matches("deploy", most=1)) == 1


def test_what_asks_for_nothing_is_told(matches: Matches) -> None:
    with pytest.raises(Unsearchable):
        matches("!!", most=10)
