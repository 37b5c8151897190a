from __future__ import annotations

import pytest

from malexbot.errors import MalexbotError
from malexbot.messengers.mattermost.client import Client
from malexbot.messengers.mattermost.people import (
    MEMBERSHIP_COUNTS_S,
    NO_LOCALE,
    PERSON_COUNTS_S,
    People,
)
from malexbot.sandbox.fixtures import Mattermost
from tests.support.fakes import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def people(client: Client, clock: Clock) -> People:
    return People(client, clock)


def test_who_may_read_where_is_what_the_server_says(
    mattermost: Mattermost, people: People
) -> None:
    town, scene = mattermost.town, mattermost.scene
    assert people.is_member(town.alice, town.channel)
    scene.leave(town.second, town.bob)
    assert not people.is_member(town.bob, town.second)


def test_it_is_asked_once_a_minute(
    mattermost: Mattermost, people: People, clock: Clock
) -> None:
    town = mattermost.town
    assert people.is_member(town.alice, town.channel)
    mattermost.scene.leave(town.channel, town.alice)
    assert people.is_member(town.alice, town.channel)
    clock.now += MEMBERSHIP_COUNTS_S
    assert not people.is_member(town.alice, town.channel)


def test_nobody_is_taken_for_a_member_by_mistake(
    mattermost: Mattermost, people: People
) -> None:
    mattermost.faults.fail(500)
    with pytest.raises(MalexbotError):
        people.is_member(mattermost.town.alice, mattermost.town.channel)


def test_a_channel_that_the_bot_sees_no_more_is_nobody_s(
    mattermost: Mattermost, people: People
) -> None:
    town = mattermost.town
    mattermost.scene.leave(town.private, town.bot, by=town.admin)
    assert not people.is_member(town.alice, town.private)


def test_languages_are_asked_for_and_kept(
    mattermost: Mattermost, people: People, clock: Clock
) -> None:
    alice = mattermost.town.alice
    assert people.known_locale(alice) == NO_LOCALE
    told = people.locale(alice)
    mattermost.faults.fail(500)
    assert people.locale(alice) == people.known_locale(alice) == told
    clock.now += PERSON_COUNTS_S
    assert people.locale(alice) == NO_LOCALE, "it was asked for again, in vain"


def test_names_are_those_of_who_was_met_or_is_asked_for(
    mattermost: Mattermost, people: People, clock: Clock
) -> None:
    town = mattermost.town
    people.meet(town.alice, "alice.now")
    assert people.name(town.alice) == "alice.now"
    assert people.name(town.bob) == "bob"
    mattermost.faults.fail(500)
    assert people.name(town.bob) == "bob"
    clock.now += PERSON_COUNTS_S
    assert people.name(town.bob) == ""
    mattermost.faults.heal()
    assert people.name(town.alice) == "alice"
    assert people.name("a" * 26) == ""


def test_a_channel_is_called_as_in_its_address(
    mattermost: Mattermost, people: People
) -> None:
    town = mattermost.town
    assert people.channel(town.channel) == "general"
    people.meet_at(town.second, "met")
    mattermost.faults.fail(500)
    assert people.channel(town.channel) == "general"
    assert people.channel(town.second) == "met"
    assert people.channel(town.private) == ""


def test_of_a_stranger_it_is_english(people: People) -> None:
    assert people.locale("a" * 26) == NO_LOCALE
