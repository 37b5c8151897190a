"""What a person does with a bot, as a test of a plugin has it done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from malexbot.sandbox.fixtures import Mattermost
from malexbot.sandbox.process import SandboxProcess
from malexbot.sandbox.refusals import Refusal
from malexbot.sandbox.town import build
from tests.sandbox.clients import Client, Rest
from tests.sandbox.integration import Integration, Reply, Told

OFFER: dict[str, Any] = {"id": "yes", "name": "Yes", "style": "primary"}


@pytest.fixture
def integration() -> Iterator[Integration]:
    with Integration() as played:
        yield played


def deploy(mattermost: Mattermost, integration: Integration, **more: str) -> Any:
    town = mattermost.town
    url = f"{integration.url}/slash"
    return mattermost.acts.add_command(town.team, "deploy", url, town.admin, **more)


def offered(mattermost: Mattermost, integration: Integration, **more: Any) -> str:
    """A post of the bot with one button."""
    town = mattermost.town
    told = {"url": f"{integration.url}/act", "context": {"ref": "secret"}}
    action = OFFER | {"integration": told} | more
    props = {"attachments": [{"text": "Sure?", "actions": [action]}]}
    return mattermost.scene.post(town.channel, town.bot, "Sure?", props=props)


def open_dialog(mattermost: Mattermost, told: Told, **dialog: Any) -> Any:
    with Rest(mattermost.url) as nobody:
        asked = {"trigger_id": told.fields["trigger_id"], "dialog": dialog}
        asked["url"] = "http://" + dict(told.headers)["Host"] + "/dialog"
        return nobody.post("/actions/dialogs/open", asked)


def test_a_command_is_typed_and_its_answer_seen(
    mattermost: Mattermost, integration: Integration
) -> None:
    town, acts = mattermost.town, mattermost.acts
    made = deploy(mattermost, integration)
    integration.will(Reply.of(text="on its way"))
    answer = acts.execute(town.alice, town.channel, "/deploy to  @bob ~general")
    assert (answer["text"], answer["response_type"]) == ("on its way", "")
    told = integration.take().fields
    assert (told["token"], told["text"]) == (made["token"], "to  @bob ~general")
    assert (told["user_mentions_ids"], told["channel_mentions_ids"]) == (
        town.bob,
        town.channel,
    )
    (whisper,) = mattermost.wait_for_whispers(town.alice)
    assert whisper["message"] == "on its way"
    assert acts.whispers(town.bob) == []


def test_mentions_stay_beside_their_ids(
    mattermost: Mattermost, integration: Integration
) -> None:
    town, acts = mattermost.town, mattermost.acts
    deploy(mattermost, integration)
    acts.execute(town.alice, town.channel, "/deploy @bob, @alice. @nobody mail@bob")
    pairs = integration.take().pairs
    names = [value for name, value in pairs if name == "user_mentions"]
    ids = [value for name, value in pairs if name == "user_mentions_ids"]
    assert (names, ids) == (["bob", "alice"], [town.bob, town.alice])


def test_in_a_direct_channel_the_team_has_to_be_told(
    mattermost: Mattermost, integration: Integration
) -> None:
    town, acts = mattermost.town, mattermost.acts
    deploy(mattermost, integration)
    with pytest.raises(Refusal) as refused:
        acts.execute(town.alice, town.direct, "/deploy")
    assert refused.value.status == 403
    acts.execute(town.alice, town.direct, "/deploy", team_id=town.team)
    assert integration.take().fields["team_id"] == town.team


def test_a_newer_server_tells_of_the_thread(
    mattermost: Mattermost, integration: Integration
) -> None:
    town, acts = mattermost.town, mattermost.acts
    root_id = mattermost.scene.post(town.channel, town.bob, "a root")
    deploy(mattermost, integration)
    for is_newer, told in ((False, None), (True, root_id)):
        mattermost.settings.tells_root_id = is_newer
        acts.execute(town.alice, town.channel, "/deploy", root_id=root_id)
        assert integration.take().fields.get("root_id") == told


def test_a_stranger_types_nothing(
    mattermost: Mattermost, integration: Integration
) -> None:
    deploy(mattermost, integration)
    stranger = mattermost.scene.add_user("stranger")
    with pytest.raises(Refusal) as refused:
        mattermost.acts.execute(stranger, mattermost.town.channel, "/deploy")
    assert refused.value.status == 403
    assert integration.is_idle()


def test_a_button_is_pressed_and_its_post_changes(
    mattermost: Mattermost, integration: Integration
) -> None:
    town, acts = mattermost.town, mattermost.acts
    post_id = offered(mattermost, integration)
    assert acts.actions(post_id) == [OFFER]
    update = {"message": "Done.", "props": {}}
    integration.will(Reply.of(update=update, ephemeral_text="<http://x|thanks>"))
    acts.press(town.alice, post_id, "yes")
    assert integration.take().fields["context"] == {"ref": "secret"}
    assert mattermost.ledger.entries(contains="Done.")[0].id == post_id
    assert acts.actions(post_id) == []
    (whisper,) = acts.whispers(town.alice)
    assert (whisper["message"], whisper["root_id"]) == ("[thanks](http://x)", post_id)


def test_a_menu_tells_what_was_chosen(
    mattermost: Mattermost, integration: Integration
) -> None:
    town, acts = mattermost.town, mattermost.acts
    menu = {"type": "select", "data_source": "users"}
    post_id = offered(mattermost, integration, **menu)
    acts.press(town.alice, post_id, "yes", option=town.bob)
    told = integration.take().fields
    assert (told["type"], told["data_source"]) == ("select", "users")
    assert told["context"] == {"ref": "secret", "selected_option": town.bob}


def test_a_button_chooses_nothing(
    mattermost: Mattermost, integration: Integration
) -> None:
    post_id = offered(mattermost, integration, type="button")
    mattermost.acts.press(mattermost.town.alice, post_id, "yes", option="x")
    assert integration.take().fields["context"] == {"ref": "secret"}


def test_an_ephemeral_button_is_pressed_but_its_post_cannot_change(
    mattermost: Mattermost, integration: Integration
) -> None:
    town, acts = mattermost.town, mattermost.acts
    deploy(mattermost, integration)
    action = OFFER | {"integration": {"url": f"{integration.url}/act"}}
    card = {"text": "Sure?", "actions": [action]}
    integration.will(Reply.of(text="Sure?", attachments=[card]))
    answer = acts.execute(town.alice, town.channel, "/deploy")
    assert "integration" not in str(answer)
    integration.take()
    (whisper,) = acts.whispers(town.alice)
    integration.will(Reply.of(update={"message": "no"}, ephemeral_text="lost"))
    with pytest.raises(Refusal) as refused:
        acts.press(town.alice, whisper["id"], "yes")
    assert (refused.value.id, refused.value.status) == ("app.post.get.app_error", 404)
    assert integration.take().fields["post_id"] == whisper["id"]
    assert len(acts.whispers(town.alice)) == 1


def test_a_wrong_cookie_opens_nothing(
    mattermost: Mattermost, alice: Rest, integration: Integration
) -> None:
    post_id = offered(mattermost, integration)
    path = f"/posts/{post_id}/actions/yes"
    answer = alice("POST", path, json={"cookie": "stolen"})
    assert answer.status_code == 400
    assert integration.is_idle()


def test_a_deleted_post_has_no_buttons(
    mattermost: Mattermost, integration: Integration
) -> None:
    post_id = offered(mattermost, integration)
    mattermost.scene.delete(post_id)
    with pytest.raises(Refusal) as refused:
        mattermost.acts.press(mattermost.town.alice, post_id, "yes")
    assert refused.value.status == 404
    assert integration.is_idle()


def test_a_post_that_goes_while_its_button_is_pressed_cannot_change(
    mattermost: Mattermost, integration: Integration
) -> None:
    post_id = offered(mattermost, integration)

    def answer(told: Told) -> Reply:
        mattermost.scene.delete(post_id)
        return Reply.of(update={"message": "no"})

    integration.answer = answer
    with pytest.raises(Refusal) as refused:
        mattermost.acts.press(mattermost.town.alice, post_id, "yes")
    assert refused.value.status == 404


@pytest.mark.parametrize(
    "answer", ['{"update": 5}', '{"update": {"message": 5}}', "[]", '{"update": {']
)
def test_an_answer_that_does_not_fit_changes_nothing(
    mattermost: Mattermost, integration: Integration, answer: str
) -> None:
    post_id = offered(mattermost, integration)
    integration.will(Reply(answer))
    with pytest.raises(Refusal) as refused:
        mattermost.acts.press(mattermost.town.alice, post_id, "yes")
    assert refused.value.status == 400
    assert mattermost.ledger.entries(contains="Sure?")[0].text == "Sure?"


def test_a_dialog_is_opened_filled_in_and_complained_of(
    mattermost: Mattermost, integration: Integration
) -> None:
    town, acts = mattermost.town, mattermost.acts
    post_id = offered(mattermost, integration)

    def answer(told: Told) -> Reply:
        if told.target == "/act":
            open_dialog(mattermost, told, title="Why?", state="s", callback_id="c")
            return Reply()
        return Reply.of(errors={"why": "too short"})

    integration.answer = answer
    acts.press(town.alice, post_id, "yes")
    (dialog,) = mattermost.wait_for_dialogs(town.alice)
    assert dialog["dialog"]["title"] == "Why?"
    integration.take()
    shown = acts.submit(dialog["id"], town.channel, {"why": "x"})
    assert shown == {"errors": {"why": "too short"}}
    told = integration.take().fields
    assert (told["state"], told["callback_id"], told["submission"]) == (
        *("s", "c"),
        {"why": "x"},
    )
    acts.submit(dialog["id"], town.channel, is_cancelled=True)
    told = integration.take().fields
    assert (told["cancelled"], told["submission"]) == (True, {})


def test_a_trigger_opens_dialogs_for_a_moment_and_nobody_forges_one(
    mattermost: Mattermost, integration: Integration
) -> None:
    town = mattermost.town
    mattermost.acts.press(town.alice, offered(mattermost, integration), "yes")
    told = integration.take()
    assert open_dialog(mattermost, told, title="t") == {"status": "OK"}
    mattermost.settings.trigger_s = 0
    mattermost.clock.shift(1)
    again = open_dialog(mattermost, told, title="t")
    assert again["id"] == "interactive_message.decode_trigger_id.expired"
    mattermost.settings.trigger_s = 3
    forged = {"trigger_id": "YTpiOjk5OTk5OTk5OTk5OTk6ZA==", "url": "http://x"}
    with Rest(mattermost.url) as nobody:
        answer = nobody.post("/actions/dialogs/open", forged)
    assert answer["id"].endswith("verify_signature_failed")
    assert len(mattermost.acts.dialogs(town.alice)) == 1


def test_an_answer_may_follow_for_half_an_hour(
    mattermost: Mattermost, integration: Integration
) -> None:
    town = mattermost.town
    deploy(mattermost, integration)
    mattermost.acts.execute(town.alice, town.channel, "/deploy")
    url = integration.take().fields["response_url"]
    assert requests.post(url, json={"text": "one"}, timeout=10).text == "ok"
    mattermost.clock.shift(1800 * 1000)
    assert requests.post(url, json={"text": "two"}, timeout=10).status_code == 404
    assert [each["message"] for each in mattermost.acts.whispers(town.alice)] == ["one"]


def test_what_was_shown_and_its_buttons_outlive_a_kill(tmp_path: Path) -> None:
    server = SandboxProcess(state=tmp_path / "state")
    with Integration() as integration, server as control:
        town = build(control.scene)
        url = f"{integration.url}/slash"
        told = {"team_id": town.team, "trigger": "deploy", "creator_id": town.admin}
        control.acts.add_command(url=url, **told)
        action = OFFER | {"integration": {"url": url}}
        card = {"text": "Sure?", "actions": [action]}
        integration.will(Reply.of(attachments=[card]))
        typed = {"user_id": town.alice, "channel_id": town.channel}
        control.acts.execute(text="/deploy", **typed)
        server.kill()
        control = server.start()
        (whisper,) = control.acts.whispers(user_id=town.alice)
        integration.will(Reply())
        pressed = {"post_id": whisper["id"], "action_id": "yes"}
        control.acts.press(user_id=town.alice, **pressed)
        control.acts.execute(text="/deploy again", **typed)


def test_an_admin_whispers_with_buttons(
    mattermost: Mattermost, admin: Rest, integration: Integration, client: Client
) -> None:
    town = mattermost.town
    action = OFFER | {"integration": {"url": integration.url}}
    props = {"attachments": [{"actions": [action]}]}
    post = {"channel_id": town.channel, "message": "psst", "props": props}
    admin.post("/posts/ephemeral", {"user_id": town.bot, "post": post})
    heard = client.until("ephemeral_message")["data"]["post"]
    assert "cookie" in heard and "integration" not in heard
    (whisper,) = mattermost.acts.whispers(town.bot)
    mattermost.acts.press(town.bot, whisper["id"], "yes")
    assert integration.take().fields["user_id"] == town.bot
