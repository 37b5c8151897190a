"""What the archive keeps of posts, whatever comes in whatever order."""

from __future__ import annotations

from typing import Any

import pytest

from malexbot.ports import Parcel, Vanished
from malexbot.storage.journal import DatabaseJournal
from tests.storage.conftest import Look
from tests.storage.happenings import (
    deleted,
    deleted_row,
    edited,
    kept,
    old_version,
    passing,
    post,
    posted,
    reacted,
)

LATEST = "SELECT message, edit_at, delete_at FROM posts WHERE id = 'p1'"
VERSIONS = "SELECT message, edit_at FROM post_versions ORDER BY edit_at"


def test_a_post_is_kept_with_all_its_columns(
    journal: DatabaseJournal, look: Look
) -> None:
    said = post(
        message='tab\t, line\r\n, back\\slash "q" \\N é 🎉 \\.', type="custom_x"
    )
    journal.write([kept(posted(said))])
    columns = (
        "id, channel_id, user_id, root_id, type, message, create_at, update_at, raw"
    )
    assert look(f"SELECT {columns} FROM posts") == [
        tuple(getattr(said, name) for name in columns.split(", "))
    ]


def test_what_nobody_keeps_is_not_kept(journal: DatabaseJournal, look: Look) -> None:
    journal.write([passing(posted(post()), edited(post(edit_at=2000)))])
    assert look("SELECT * FROM posts") == []


def test_the_same_post_live_and_by_backfill_is_one(
    journal: DatabaseJournal, look: Look
) -> None:
    live, walked = posted(post()), posted(post(), origin="backfill")
    journal.write([kept(live, walked), kept(walked)])
    journal.write([kept(live)])
    assert look("SELECT count(*) FROM posts") == [(1,)]
    assert look(VERSIONS) == []


def test_an_edit_keeps_what_was_said_before(
    journal: DatabaseJournal, look: Look
) -> None:
    journal.write([kept(posted(post()))])
    journal.write([kept(edited(post(message="second", edit_at=2000)))])
    journal.write([kept(edited(post(message="third", edit_at=3000)))])
    assert look(LATEST) == [("third", 3000, 0)]
    assert look(VERSIONS) == [("hello", 0), ("second", 2000)]


def test_the_same_edit_twice_is_one_version(
    journal: DatabaseJournal, look: Look
) -> None:
    edit = kept(edited(post(message="second", edit_at=2000)))
    journal.write([kept(posted(post())), edit, edit])
    journal.write([edit])
    assert look(LATEST) == [("second", 2000, 0)]
    assert look(VERSIONS) == [("hello", 0)]


def test_an_older_text_that_comes_late_is_a_version_only(
    journal: DatabaseJournal, look: Look
) -> None:
    journal.write([kept(edited(post(message="third", edit_at=3000)))])
    journal.write([kept(posted(post(), origin="backfill"))])
    journal.write([kept(edited(post(message="second", edit_at=2000)))])
    assert look(LATEST) == [("third", 3000, 0)]
    assert look(VERSIONS) == [("hello", 0), ("second", 2000)]


def test_content_comes_only_from_rows_that_are_not_deleted(
    journal: DatabaseJournal, look: Look
) -> None:
    journal.write([kept(posted(post()))])
    journal.write([kept(deleted_row(at=9000, edit_at=5000, user_id="mallory"))])
    assert look(LATEST) == [("hello", 0, 9000)]
    assert look("SELECT user_id, update_at FROM posts") == [("alice", 1000)]
    assert look(VERSIONS) == []


def test_a_live_deletion_writes_no_other_column(
    journal: DatabaseJournal, look: Look
) -> None:
    journal.write([kept(posted(post()))])
    before = look("SELECT message, edit_at, update_at, raw, kept_from FROM posts")
    journal.write([kept(deleted(post(message="redacted", edit_at=5000)))])
    after = look("SELECT message, edit_at, update_at, raw, kept_from FROM posts")
    assert after == before
    assert look(LATEST) == [("hello", 0, 9000)]


@pytest.mark.parametrize(
    "late", [edited(post(message="x", edit_at=9999)), posted(post())]
)
def test_deleted_is_for_good(journal: DatabaseJournal, look: Look, late: Any) -> None:
    journal.write([kept(posted(post())), kept(deleted_row(at=9000))])
    journal.write([kept(late)])
    assert look("SELECT delete_at FROM posts") == [(9000,)]


def test_the_first_time_of_a_deletion_counts(
    journal: DatabaseJournal, look: Look
) -> None:
    journal.write([kept(posted(post())), kept(deleted(post(), at=9050))])
    journal.write([kept(deleted_row(at=9000))])
    journal.write([Parcel(marks=[Vanished("mattermost", "channel1", ["p1"], 9999)])])
    assert look("SELECT delete_at FROM posts") == [(9000,)]


def test_a_deleted_root_takes_its_replies_along(
    journal: DatabaseJournal, look: Look
) -> None:
    replies = [posted(post(f"r{n}", root_id="p1")) for n in range(2)]
    journal.write([kept(posted(post()), posted(post("p2")), *replies)])
    journal.write([passing(deleted(post()))])
    journal.write([kept(posted(post("r9", root_id="p1"), origin="backfill"))])
    assert look("SELECT id, delete_at FROM posts ORDER BY id") == [
        ("p1", 9000),
        ("p2", 0),
        ("r0", 9000),
        ("r1", 9000),
        ("r9", 9000),
    ]


def test_a_deleted_root_that_is_not_kept_takes_its_replies_along(
    journal: DatabaseJournal, look: Look
) -> None:
    journal.write([kept(posted(post("r1", root_id="p1")))])
    journal.write([passing(deleted(post()))])
    journal.write([kept(posted(post("r2", root_id="p1"), origin="backfill"))])
    assert look("SELECT id, delete_at FROM posts ORDER BY id") == [
        ("r1", 9000),
        ("r2", 9000),
    ]


def test_a_deletion_without_its_text_inserts_nothing(
    journal: DatabaseJournal, look: Look
) -> None:
    journal.write([kept(deleted_row()), passing(deleted(post("p2")))])
    assert look("SELECT * FROM posts") == []


def test_a_missed_post_is_kept_with_its_last_words(
    journal: DatabaseJournal, look: Look
) -> None:
    journal.write([kept(deleted(post(message="gone", edit_at=2000), at=9000))])
    journal.write([kept(posted(post(), origin="backfill"))])
    assert look(LATEST) == [("gone", 2000, 9000)]
    assert look(VERSIONS) == [("hello", 0)]


def test_a_deletion_overtakes_the_page_with_its_post(
    journal: DatabaseJournal, look: Look
) -> None:
    journal.write([passing(deleted(post()))])
    journal.write([kept(posted(post(), origin="backfill"))])
    assert look(LATEST) == [("hello", 0, 9000)]
    assert look("SELECT * FROM echoes") == []


def test_an_edit_and_a_reaction_overtake_the_page_with_their_post(
    journal: DatabaseJournal, look: Look
) -> None:
    journal.write([passing(edited(post(message="dull", edit_at=2000)), reacted())])
    journal.write([kept(posted(post(), origin="backfill"))])
    assert look(LATEST) == [("dull", 2000, 0)]
    assert look(VERSIONS) == [("hello", 0)]
    assert look("SELECT emoji FROM reactions") == [("tada",)]


def test_old_versions_are_versions_of_what_is_kept_only(
    journal: DatabaseJournal, look: Look
) -> None:
    journal.write([kept(edited(post(message="third", edit_at=3000)))])
    journal.write(
        [
            passing(
                old_version("p1", "first", 0, 2000),
                old_version("p1", "second", 2000, 3000),
                old_version("p2", "strange", 0, 3000),
            )
        ]
    )
    assert look(LATEST) == [("third", 3000, 0)]
    assert look(VERSIONS) == [("first", 0), ("second", 2000)]
    assert look("SELECT count(*) FROM posts") == [(1,)]


def test_a_text_that_was_heard_is_better_than_an_old_version_without_one(
    journal: DatabaseJournal, look: Look
) -> None:
    journal.write([kept(posted(post()))])
    edit = kept(edited(post(message="third", edit_at=3000)))
    hidden = (old_version("p1", "", 0, 2000), old_version("p1", "", 2000, 3000))
    journal.write([edit, passing(*hidden)])
    assert look(VERSIONS) == [("hello", 0), ("", 2000)]
    journal.write([kept(edited(post(message="second", edit_at=2000)))])
    journal.write([passing(*hidden)])
    assert look(VERSIONS) == [("hello", 0), ("second", 2000)]


def test_a_pin_adds_no_version(journal: DatabaseJournal, look: Look) -> None:
    journal.write([kept(posted(post()))])
    journal.write([kept(edited(post(update_at=5000, type="pinned")))])
    journal.write([passing(old_version("p1", "hello", 0, 5000))])
    assert look("SELECT update_at, type FROM posts") == [(5000, "pinned")]
    assert look(VERSIONS) == []


def test_a_pins_old_row_ahead_of_the_edit_it_repeats_is_no_version(
    journal: DatabaseJournal, look: Look
) -> None:
    journal.write([kept(posted(post()))])
    journal.write([passing(old_version("p1", "second", 2000, 5000))])
    journal.write([kept(edited(post(message="second", edit_at=2000)))])
    assert look(VERSIONS) == [("hello", 0)]


def test_once_kept_it_stays_kept(journal: DatabaseJournal, look: Look) -> None:
    journal.write([kept(posted(post()))])
    journal.write([passing(edited(post(message="dull", edit_at=2000)))])
    assert look(LATEST) == [("dull", 2000, 0)]
    assert look(VERSIONS) == [("hello", 0)]


def test_a_post_that_starts_to_match_is_kept_from_then_on(
    journal: DatabaseJournal, look: Look
) -> None:
    journal.write([passing(posted(post()))])
    journal.write([passing(edited(post(message="dull", edit_at=2000)))])
    journal.write([kept(edited(post(message="urgent", edit_at=3000)))])
    journal.write([passing(edited(post(message="calm", edit_at=4000)))])
    assert look(LATEST) == [("calm", 4000, 0)]
    assert look(VERSIONS) == [("urgent", 3000)]


def test_all_of_a_life_in_one_batch(journal: DatabaseJournal, look: Look) -> None:
    journal.write(
        [
            kept(posted(post()), edited(post(message="second", edit_at=2000))),
            passing(edited(post(message="third", edit_at=3000)), reacted()),
            passing(deleted(post(message="third", edit_at=3000))),
        ]
    )
    assert look(LATEST) == [("third", 3000, 9000)]
    assert look(VERSIONS) == [("hello", 0), ("second", 2000)]
    assert look("SELECT added_at FROM reactions") == [(2000,)]


def test_a_reaction_is_there_while_it_was_added_last(
    journal: DatabaseJournal, look: Look
) -> None:
    journal.write([kept(posted(post())), passing(reacted(at=2000))])
    journal.write([passing(reacted(at=3000, removed=True), reacted(emoji="eyes"))])
    journal.write([passing(reacted(at=2000), reacted("p2"))])
    assert look("SELECT emoji, added_at > removed_at FROM reactions ORDER BY 1") == [
        ("eyes", True),
        ("tada", False),
    ]


def test_what_the_server_does_not_have_any_more_was_deleted(
    journal: DatabaseJournal, look: Look
) -> None:
    journal.write([kept(posted(post()), posted(post("p2")))])
    journal.write([Parcel(marks=[Vanished("mattermost", "channel1", ["p1"], 7000)])])
    assert look("SELECT id, delete_at FROM posts ORDER BY id") == [
        ("p1", 7000),
        ("p2", 0),
    ]
