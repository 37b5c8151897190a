"""`--send`: there and back, and nothing stays."""

from __future__ import annotations

import pytest

from malexbot.cli.doctor.sending import TEXT
from tests.cli.doctor.conftest import Patient


def posted(patient: Patient) -> list[tuple[str, bool]]:
    """What the bot has posted: where, and whether it is gone again."""
    town, world = patient.mattermost.town, patient.mattermost.scene.world
    return [
        (post.channel_id, not post.is_live)
        for post in world.posts
        if post.user_id == town.bot and post.message == TEXT
    ]


def test_nothing_is_sent_unasked(patient: Patient) -> None:
    names = [check["name"] for check in patient.examine()["checks"]]
    assert "send" not in names
    assert posted(patient) == []


def test_it_goes_to_the_first_channel_that_is_listened_to(patient: Patient) -> None:
    town = patient.mattermost.town
    patient.set(listen_channels=["*", "malex/second", town.channel])
    found = patient.check("send", "--send")
    assert found["state"] == "ok"
    assert "posted into malex/second, heard after" in found["what"]
    assert posted(patient) == [(town.second, True)]


def test_the_settings_and_the_command_line_name_another(patient: Patient) -> None:
    town = patient.mattermost.town
    patient.set(test_channel_id=town.private)
    assert patient.check("send", "--send")["state"] == "ok"
    found = patient.check("send", "--send", "--channel", "malex/second")
    assert found["state"] == "ok"
    assert posted(patient) == [(town.private, True), (town.second, True)]


def test_with_a_star_it_is_no_conversation(patient: Patient) -> None:
    patient.set(listen_channels=["*"], direct="archive")
    assert patient.check("send", "--send")["state"] == "ok"
    ((channel_id, _),) = posted(patient)
    assert patient.mattermost.scene.channel(channel_id)["type"] in "OP"


def test_a_channel_without_the_bot_is_told_with_its_cure(patient: Patient) -> None:
    town = patient.mattermost.town
    patient.mattermost.scene.leave(town.second, town.bot)
    found = patient.check("send", "--send", "--channel", town.second)
    assert (found["state"], "cannot post into" in found["what"]) == ("fault", True)
    assert found["cure"].startswith("/invite @malexbot there")
    found = patient.check("send", "--send", "--channel", "malex/nowhere")
    assert (found["state"], "malex/nowhere: 404" in found["what"]) == ("fault", True)


def test_what_cannot_be_deleted_is_named(patient: Patient) -> None:
    patient.mattermost.faults.fail(403, pattern="^DELETE /api/v4/posts")
    found = patient.check("send", "--send")
    assert "cannot delete it again" in found["what"]
    ((_, is_gone),) = posted(patient)
    assert not is_gone
    world = patient.mattermost.scene.world
    (post_id,) = (post.id for post in world.posts if post.message == TEXT)
    assert found["cure"].endswith(f"/_redirect/pl/{post_id}")


def test_what_may_have_been_posted_is_said_to_be_so(patient: Patient) -> None:
    """Saved, and its answer is cut off."""
    patient.mattermost.faults.strike(1, "after")
    found = patient.check("send", "--send")
    assert found["state"] == "fault"
    assert "did not say whether it posted into malex/general" in found["what"]
    assert found["cure"].endswith(TEXT)
    assert len(posted(patient)) == 1


def test_a_channel_is_only_for_sending(patient: Patient) -> None:
    result = patient.invoke("--channel", "malex/second")
    assert result.exit_code == 2
    assert "give both" in result.stderr


@pytest.mark.parametrize("name", ["posted", "post_deleted"])
def test_each_of_the_two_events_is_waited_for(
    patient: Patient, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that loses one of them is found out."""
    monkeypatch.setattr("malexbot.cli.doctor.sending.ARRIVES_S", 0.5)
    world = patient.mattermost.scene.world
    publish = world.publish
    world.publish = lambda event: publish(event) if event.name != name else None
    found = patient.check("send", "--send")
    assert "the websocket did not tell" in found["what"]
    ((_, is_gone),) = posted(patient)
    assert is_gone
