"""What is found, in what order, and that any text is answered.

Each post is found by the index and, before that, by a look at what is not indexed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from malexbot.events import Event, Post
from malexbot.storage import matching
from malexbot.storage.database import Database
from malexbot.storage.dsn import Dsn
from malexbot.storage.indexing import Indexing
from malexbot.storage.journal import DatabaseJournal
from malexbot.storage.leadership import Leadership
from malexbot.storage.migrate import migrate
from malexbot.storage.query import Question, Unsearchable
from malexbot.storage.search import Answer, Search, find_thread
from tests.storage.conftest import Look
from tests.storage.happenings import deleted, edited, kept, post, posted
from tests.support.postgres import Server

Keep = Callable[..., None]
Find = Callable[..., list[str]]


@pytest.fixture(params=["by the index", "by a look at the rest"])
def keep(
    request: pytest.FixtureRequest,
    journal: DatabaseJournal,
    database: Database,
    leadership: Leadership,
    monkeypatch: pytest.MonkeyPatch,
) -> Keep:
    """Archives events; they are to be found in this way only."""
    indexing = Indexing(database, epoch=lambda: leadership.epoch, written=lambda: 0)
    is_indexed = request.param == "by the index"
    if is_indexed:
        monkeypatch.setattr(matching, "TAIL", 0)

    def write(*what: Post | Event) -> None:
        events = [posted(each) if isinstance(each, Post) else each for each in what]
        journal.write([kept(*events)])
        if is_indexed:
            indexing.catch_up()

    return write


@pytest.fixture
def find(database: Database) -> Find:
    def ids(text: str, **bounds: Any) -> list[str]:
        return [f.id for f in ask(database, text, **bounds).found]

    return ids


def ask(database: Database, text: str, **bounds: Any) -> Answer:
    return Search(database).find(Question(text=text, **bounds))


def test_words_are_found_in_each_of_their_forms(keep: Keep, find: Find) -> None:
    keep(
        post("en", "We are deploying the new servers"),
        post("ru", "Серверы упали, ёлки!"),
        post("both", "задеплоили server, ошибка"),
    )
    assert find("deployed") == ["en"]
    assert find("SERVER") == ["both", "en"]
    assert find("сервером") == ["ru"]
    assert find("Елка") == find("ёлкой") == ["ru"]
    assert find("ошибками servers") == ["both"]
    assert find("deployed ошибка") == []


def test_words_within_addresses_and_names_are_found(keep: Keep, find: Find) -> None:
    keep(post("p1", "see https://git.example.org/team/app_core/-/issues/42 @anna"))
    for text in ("issues", "example", "git.example.org", "core", "42", "@anna", "#42"):
        assert find(text) == ["p1"], text
    assert find("example.com") == find("git.org") == []


def test_quotes_ask_for_words_in_a_row(keep: Keep, find: Find) -> None:
    keep(post("p1", "the build has failed"), post("p2", "failed to build"))
    assert sorted(find("build failed")) == ["p1", "p2"]
    assert find('"build has failed"') == ["p1"]
    assert find('"failed to build"') == ["p2"]
    assert find('"build failing"') == []


def test_a_minus_leaves_out(keep: Keep, find: Find) -> None:
    keep(post("p1", "deploy to staging"), post("p2", "deploy to production, сборка"))
    assert find("deploy -staging") == ["p2"]
    assert find("deploy -сборки") == ["p1"]
    assert find('deploy -"to staging"') == ["p2"]
    assert find("deploy -prod*") == ["p1"]


@pytest.mark.parametrize(
    ("prefix", "is_found"),
    [
        ("depl*", True),
        ("deploy*", True),
        ("deploym*", True),
        ("deployments*", True),
        ("deploynever*", False),
        ("настро*", True),
        ("настройками*", True),
        ("настроение*", False),
        ('"new depl*"', True),
        ('"old depl*"', False),
        ("example.or*", True),
        ("'*", None),
        ("\\x' | yy*", False),
    ],
)
def test_a_star_asks_for_a_beginning(
    keep: Keep, find: Find, prefix: str, is_found: bool | None
) -> None:
    keep(post("p1", "new deployment, новые настройки: example.org"))
    if is_found is None:
        with pytest.raises(Unsearchable):
            find(prefix)
    else:
        assert find(prefix) == (["p1"] if is_found else [])


def test_either_of_two(keep: Keep, find: Find) -> None:
    keep(post("p1", "deploy"), post("p2", "релиз новый"), post("p3", "релиз"))
    assert sorted(find("deploy OR релиз новый")) == ["p1", "p2"]


def test_the_newest_text_is_found_and_what_it_was_is_not(
    keep: Keep, find: Find
) -> None:
    keep(post("p1", "before"))
    assert find("before") == ["p1"]
    keep(edited(post("p1", "afterwards", edit_at=2000)))
    assert find("before") == []
    assert find("afterwards") == ["p1"]


def test_what_was_deleted_is_found_only_when_asked_for(keep: Keep, find: Find) -> None:
    keep(post("p1"), post("p2", "hello too", root_id="p1"), post("p3"))
    keep(deleted(post("p1")))
    assert find("hello") == ["p3"]
    assert sorted(find("hello", with_deleted=True)) == ["p1", "p2", "p3"]


def test_it_is_bounded_by_channel_person_and_time(keep: Keep, find: Find) -> None:
    keep(
        post("p1", channel_id="c1", user_id="anna", create_at=100),
        post("p2", channel_id="c2", user_id="anna", create_at=200),
        post("p3", channel_id="c2", user_id="boris", create_at=300),
    )
    assert find("hello", channel_id="c2") == ["p3", "p2"]
    assert find("hello", user_id="anna") == ["p2", "p1"]
    assert find("hello", channel_id="c2", user_id="anna") == ["p2"]
    assert find("hello", since=200) == ["p3", "p2"]
    assert find("hello", until=200) == ["p1"]
    assert find("hello", user_id="o'neill \\ & !") == []
    assert find("hello", channel_id="c3") == []


def test_it_is_bounded_by_thread(keep: Keep, find: Find, database: Database) -> None:
    keep(
        post("root"),
        post("p2", root_id="root", create_at=2000),
        post("p3", root_id="lost", create_at=3000),
        post("p4"),
    )
    assert find("hello", thread_id="root") == ["p2", "root"]
    assert find("hello", thread_id="lost") == ["p3"]
    assert find_thread(database, "root") == find_thread(database, "p2") == "root"
    assert find_thread(database, "lost") == "lost"
    assert find_thread(database, "p5") is None


def test_the_best_match_comes_first_and_then_the_newest(keep: Keep, find: Find) -> None:
    keep(
        post("far", "deploy one two three four five six seven the server"),
        post("near", "deploy the server", create_at=500),
        post("old", "release", create_at=100),
        post("new", "release", create_at=900),
    )
    assert find("deploy server") == ["near", "far"]
    assert find("release") == ["new", "old"]
    assert find("release", limit=1) == ["new"]


def test_a_post_is_told_with_its_names_and_the_place_that_fits(
    keep: Keep, database: Database, look: Look
) -> None:
    look(
        "INSERT INTO channels (source, channel_id, name, display_name, team)"
        " VALUES ('mattermost', 'channel1', 'town', 'Town Square', 'crew')"
    )
    text = f"{'so it begins. ' * 60} the Servers: DOWN. {'so it ends. ' * 60}"
    keep(post("p1", text), post("p2", "server down?", channel_id="c2"))
    short, long = ask(database, '"server down"').found
    assert (long.user, long.channel, long.team) == ("alice", "Town Square", "crew")
    assert long.text == text
    assert [p.text for p in long.snippet if p.is_match] == ["Servers", "DOWN"]
    assert len("".join(p.text for p in long.snippet)) < 250
    assert long.permalink("https://chat") == "https://chat/crew/pl/p1"
    assert (short.channel, short.team) == ("", "")
    assert short.permalink("https://chat") == "https://chat/_redirect/pl/p2"


def test_what_attachments_say_is_found_and_shown(
    keep: Keep, database: Database
) -> None:
    raw = {"props": {"attachments": [{"text": "Build failed"}]}}
    keep(post("p1", "")._replace(raw=orjson.dumps(raw).decode()))
    (found,) = ask(database, "failing").found
    assert [p.text for p in found.snippet if p.is_match] == ["failed"]


def test_what_the_server_says_itself_is_not_found(keep: Keep, find: Find) -> None:
    keep(post("p1", type="system_join_channel"), post("p2"))
    assert find("hello") == ["p2"]


def test_common_words_are_found_but_beside_others_they_only_help(
    keep: Keep, find: Find
) -> None:
    keep(
        post("down", "the server went down", create_at=1000),
        post("up", "server is up", create_at=2000),
        post("of", "ошибка сервера", create_at=3000),
        post("on", "ошибка на сервере, нет?", create_at=2500),
    )
    assert find("down") == ["down"]
    assert find("server down") == ["down", "up"]
    assert find('"server down"') == []
    assert find('"went down"') == ["down"]
    assert find("server -up") == ["down"]
    assert find("ошибка на сервере") == ["on", "of"]
    assert find("the -up") == ["down"]


def test_only_the_newest_matches_are_ranked(
    keep: Keep, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(*(post(f"p{n}", create_at=n) for n in range(1, 6)))
    answer = ask(database, "hello", limit=2)
    assert (len(answer.found), answer.matches, answer.is_all) == (2, 5, True)
    monkeypatch.setattr(matching, "NEWEST", 5)
    assert not ask(database, "hello").is_all


def test_how_much_was_not_looked_at_is_told(
    journal: DatabaseJournal,
    database: Database,
    look: Look,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(matching, "TAIL", 2)
    for n in range(5):
        journal.write([kept(posted(post(f"p{n}")))])
    answer = ask(database, "hello")
    assert sorted(f.id for f in answer.found) == ["p3", "p4"]
    assert answer.unsearched == 3
    look("DELETE FROM unindexed")
    assert ask(database, "hello").unsearched == 0
    look("INSERT INTO unindexed (post_ids) VALUES (NULL)")
    assert ask(database, "hello").unsearched is None


def test_a_post_that_is_indexed_and_noted_anew_is_found_once(
    journal: DatabaseJournal, database: Database, leadership: Leadership
) -> None:
    journal.write([kept(posted(post("p1", "before")))])
    Indexing(database, epoch=lambda: leadership.epoch, written=lambda: 0).catch_up()
    journal.write([kept(edited(post("p1", "before, after", edit_at=2000)))])
    assert [f.id for f in ask(database, "before").found] == ["p1"]
    journal.write([kept(edited(post("p1", "after", edit_at=3000)))])
    assert ask(database, "before").found == []


MESSAGES = ["deploy server", "ошибка сборки", "a b c " * 100, "", "' \\ : & |"]


@pytest.fixture
def some_posts(journal: DatabaseJournal, database: Database) -> Database:
    events = [posted(post(f"p{n}", text)) for n, text in enumerate(MESSAGES)]
    journal.write([kept(*events)])
    return database


SIGNS = st.characters(exclude_categories=[])
PARTS = st.sampled_from(
    ['"', "-", "*", "'", "\\", ":", "&", "|", "!", "(", ")", "<->", "OR", "deploy"]
    + [" ", "ошибка", "the", "\0", "\ud800", "%s", "%", "ё*", "a*", "не", "1e5", "İ"]
)


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=st.text(SIGNS, max_size=40) | st.lists(PARTS, max_size=12).map("".join))
def test_any_text_is_answered(some_posts: Database, text: str) -> None:
    try:
        answer = ask(some_posts, text)
    except Unsearchable as reason:
        assert str(reason)
    else:
        assert all(found.text is not None for found in answer.found)


def test_case_does_not_depend_on_the_locale_of_the_database(postgres: Server) -> None:
    dsn: Dsn = postgres.create("TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
    leadership = Leadership(dsn)
    try:
        with Database(dsn) as opened:
            migrate(opened)
            assert leadership.try_take()
            journal = DatabaseJournal(leadership)
            journal.write([kept(posted(post("p1", "СЕРВЕР😀Ёлка ÄRGER")))])
            Indexing(opened, epoch=lambda: leadership.epoch, written=lambda: 0)
            for text in ("серверы", "Елка", "ärger"):
                assert [f.id for f in ask(opened, text).found] == ["p1"]
    finally:
        leadership.close()
        postgres.drop(dsn)
