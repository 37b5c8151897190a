from __future__ import annotations

from collections.abc import Collection, Sequence

from malexbot.pipeline import sight
from malexbot.pipeline.sight import PersonsSearch
from malexbot.ports import Found


def found(number: int, channel: str) -> Found:
    return Found(f"p{number}", channel, channel, "bob", number, "…", "")


class Archive:
    """Has so many matches, best first, and notes whom it was asked about."""

    def __init__(self, matches: Sequence[Found], members: Collection[str]) -> None:
        self.matches = matches
        self.members = members
        self.rounds: list[set[str]] = []
        self.asked: list[str] = []
        self.search = PersonsSearch(match=self.match, is_member=self.is_member)

    def match(
        self, words: str, *, without: Collection[str], most: int
    ) -> Sequence[Found]:
        self.rounds.append(set(without))
        return [each for each in self.matches if each.channel_id not in without][:most]

    def is_member(self, user: str, channel_id: str) -> bool:
        assert user == "alice-id"
        self.asked.append(channel_id)
        return channel_id in self.members

    def ids(self, *, most: int = 10, skip: int = 0) -> list[str]:
        shown = self.search("alice-id", "words", most=most, skip=skip)
        return [each.post_id for each in shown]


def test_a_person_is_shown_the_posts_of_his_channels_only() -> None:
    matches = [found(1, "hers"), found(2, "his"), found(3, "hers"), found(4, "other")]
    assert Archive(matches, {"hers"}).ids() == ["p1", "p3"]


def test_what_is_not_his_does_not_hide_what_is() -> None:
    foreign = [found(n, "his") for n in range(sight.LOOKED_AT + 50)]
    archive = Archive([*foreign, found(999, "hers")], {"hers"})
    assert archive.ids() == ["p999"]
    assert archive.rounds == [set(), {"his"}]


def test_the_next_page_goes_on_where_the_last_one_ended() -> None:
    matches = [found(n, "hers" if n % 2 else "his") for n in range(20)]
    archive = Archive(matches, {"hers"})
    assert archive.ids(most=3) == ["p1", "p3", "p5"]
    assert archive.ids(most=3, skip=3) == ["p7", "p9", "p11"]
    assert archive.ids(most=3, skip=30) == []


def test_no_more_is_asked_than_it_takes() -> None:
    matches = [found(1, "hers"), found(2, "other")]
    archive = Archive(matches, {"hers", "other"})
    assert archive.ids(most=1) == ["p1"]
    assert archive.asked == ["hers"]


def test_it_comes_to_an_end_however_much_is_foreign() -> None:
    matches = [found(n, f"c{n}") for n in range(3000)]
    archive = Archive(matches, set())
    assert archive.ids() == []
    assert len(archive.asked) == len({*archive.asked}) == sight.MOST_ASKED
    crowded = [found(n, f"c{n // 500}") for n in range(9000)]
    archive = Archive(crowded, set())
    assert archive.ids() == []
    assert len(archive.rounds) == sight.ROUNDS
