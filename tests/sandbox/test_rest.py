"""What the recordings do not show of the REST side: who may, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from malexbot.sandbox.fixtures import Mattermost
from tests.sandbox.clients import Client, Rest, message

NOT_ALLOWED = "api.context.permissions.app_error"
UNKNOWN = "x" * 26


def refused(answer: Any, status: int, id: str = "") -> None:
    body = answer.json()
    assert answer.status_code == body["status_code"] == status, body
    assert body["id"] == id or not id
    assert body["detailed_error"] == ""


# Users and bots.


def test_only_an_admin_makes_bots_and_tokens_for_others(
    mattermost: Mattermost, bot: Rest, admin: Rest
) -> None:
    body = {"username": "second"}
    refused(bot("POST", "/bots", json=body), 403, NOT_ALLOWED)
    made = admin.post("/bots", body)
    path = f"/users/{made['user_id']}/tokens"
    refused(bot("POST", path, json={"description": "x"}), 403, NOT_ALLOWED)
    token = admin.post(path, {"description": "x"})
    with Rest(mattermost.url, token["token"]) as second:
        assert second.get("/users/me")["username"] == "second"
        refused(second("GET", f"/bots/{made['user_id']}"), 404)
    assert admin.get(f"/bots/{made['user_id']}")["username"] == "second"


def test_a_token_can_be_switched_off_and_on(
    mattermost: Mattermost, admin: Rest, bot: Rest
) -> None:
    made = admin.post(f"/users/{mattermost.town.bot}/tokens", {"description": "x"})
    body = {"token_id": made["id"]}
    with Rest(mattermost.url, made["token"]) as rest:
        admin.post("/users/tokens/disable", body)
        refused(rest("GET", "/users/me"), 401)
        admin.post("/users/tokens/enable", body)
        assert rest("GET", "/users/me").status_code == 200
        admin.post("/users/tokens/revoke", body)
        refused(rest("GET", "/users/me"), 401)
    refused(admin("POST", "/users/tokens/revoke", json=body), 404)
    assert bot.get("/users/me")["is_bot"]


def test_names_of_users_are_taken_once(admin: Rest) -> None:
    for path in ("/users", "/bots"):
        answer = admin("POST", path, json={"username": "alice"})
        refused(answer, 400, "app.user.save.username_exists.app_error")


def test_a_wrong_password_does_not_log_in(mattermost: Mattermost) -> None:
    mattermost.scene.add_user("carol", password="right")
    with Rest(mattermost.url) as rest:
        for password in ("wrong", ""):
            body = {"login_id": "carol", "password": password}
            refused(rest("POST", "/users/login", json=body), 401)
        body["password"] = "right"
        assert rest("POST", "/users/login", json=body).headers["Token"]


def test_nobody_changes_others(mattermost: Mattermost, alice: Rest) -> None:
    path = f"/users/{mattermost.town.bob}"
    refused(alice("PUT", path + "/patch", json={"nickname": "x"}), 403, NOT_ALLOWED)
    refused(alice("PUT", path + "/roles", json={"roles": "system_admin"}), 403)
    refused(alice("PUT", path + "/status", json={"status": "dnd"}), 403)
    assert alice.get(path + "/status")["status"] == "offline"


def test_a_renamed_user_is_found_by_the_new_name(
    mattermost: Mattermost, alice: Rest, client: Client
) -> None:
    mattermost.scene.rename_user(mattermost.town.bob, "robert")
    assert alice.get("/users/username/robert")["id"] == mattermost.town.bob
    refused(alice("GET", "/users/username/bob"), 404)
    assert client.until("user_updated")["data"]["user"]["username"] == "robert"
    body = alice.put("/users/me/patch", {"username": "alicia"})
    assert body["username"] == "alicia"


# Teams and channels.


def test_a_stranger_sees_no_team(mattermost: Mattermost) -> None:
    scene, town = mattermost.scene, mattermost.town
    stranger = scene.add_token(scene.add_user("stranger"))
    with Rest(mattermost.url, stranger) as rest:
        for path in ("", "/channels", f"/members/{town.alice}"):
            refused(rest("GET", f"/teams/{town.team}{path}"), 403, NOT_ALLOWED)
        refused(rest("GET", "/teams/name/malex"), 403, NOT_ALLOWED)
        refused(rest("GET", f"/channels/{town.channel}"), 403, NOT_ALLOWED)
        refused(rest("GET", f"/users/{town.alice}/teams"), 403, NOT_ALLOWED)


def test_what_is_not_there_is_404(bot: Rest) -> None:
    for path in ("/teams/name/none", f"/teams/{UNKNOWN}", f"/files/{UNKNOWN}"):
        refused(bot("GET", path), 404)


def test_members_of_a_team_come_and_go(mattermost: Mattermost, admin: Rest) -> None:
    town = mattermost.town
    path = f"/teams/{town.team}/members/{town.bob}"
    assert admin.get(path)["user_id"] == town.bob
    admin.delete(path)
    refused(admin("GET", path), 404)
    with Rest(mattermost.url, mattermost.scene.add_token(town.bob)) as bob:
        refused(bob("GET", f"/channels/{town.channel}/posts"), 403, NOT_ALLOWED)


def test_all_channels_in_one_call_is_a_thing_of_newer_servers(
    mattermost: Mattermost, bot: Rest
) -> None:
    old = bot("GET", "/users/me/channels")
    assert old.json()["id"] == "api.context.404.app_error"
    mattermost.settings.has_users_me_channels = True
    town = mattermost.town
    ids = {channel["id"] for channel in bot.get("/users/me/channels")}
    assert {town.channel, town.second, town.private, town.direct} <= ids


def test_a_link_to_a_post_brings_a_copy_of_it_on_newer_servers(
    mattermost: Mattermost, bot: Rest
) -> None:
    town, scene = mattermost.town, mattermost.scene
    linked = scene.post(town.channel, town.alice, "first")
    link = f"see {mattermost.url}/malex/pl/{linked}"
    scene.edit(linked, f"{link}: myself")
    path = f"/posts/{scene.post(town.second, town.bob, link)}"
    assert bot.get(path)["metadata"] == {}
    mattermost.settings.has_previews = True
    (embed,) = bot.get(path)["metadata"]["embeds"]
    told = embed["data"]
    assert (embed["type"], told["post_id"]) == ("permalink", linked)
    assert (told["team_name"], told["channel_id"]) == ("malex", town.channel)
    assert told["post"]["user_id"] == town.alice
    assert told["post"]["message"].endswith("myself")
    assert told["post"]["metadata"] == {}
    scene.delete(linked)
    assert bot.get(path)["metadata"] == {}


def test_archived_channels_leave_the_list(mattermost: Mattermost, bot: Rest) -> None:
    town = mattermost.town
    path = f"/users/me/teams/{town.team}/channels"
    mattermost.scene.archive_channel(town.second, town.admin)
    assert town.second not in {channel["id"] for channel in bot.get(path)}
    refused(bot("GET", f"/teams/{town.team}/channels/name/second"), 404)
    assert bot.get(f"/channels/{town.second}")["delete_at"] > 0
    mattermost.scene.restore_channel(town.second, town.admin)
    assert town.second in {channel["id"] for channel in bot.get(path)}


def test_a_channels_name_is_taken_once_a_team(
    mattermost: Mattermost, admin: Rest
) -> None:
    body = {"team_id": mattermost.town.team, "name": "general"}
    answer = admin("POST", "/channels", json=body)
    refused(answer, 400, "store.sql_channel.save_channel.exists.app_error")


def test_direct_and_group_channels_are_made_once(
    mattermost: Mattermost, alice: Rest
) -> None:
    town = mattermost.town
    pair = [town.alice, town.bot]
    assert alice.post("/channels/direct", pair)["id"] == town.direct
    three = [town.alice, town.bot, town.bob]
    first, second = (alice.post("/channels/group", three) for _ in range(2))
    assert first["id"] == second["id"] and first["type"] == "G"
    refused(alice("POST", "/channels/direct", json=[town.bob]), 400)
    refused(alice("POST", "/channels/direct", json=[town.bob, town.bot]), 403)


def test_a_private_channel_cannot_be_joined(mattermost: Mattermost) -> None:
    town = mattermost.town
    with Rest(mattermost.url, mattermost.scene.add_token(town.bob)) as bob:
        path = f"/channels/{town.private}/members"
        refused(bob("POST", path, json={"user_id": town.bob}), 403, NOT_ALLOWED)
        refused(bob("GET", f"{path}/{town.alice}"), 403, NOT_ALLOWED)


def test_who_is_in_is_not_added_twice(mattermost: Mattermost, admin: Rest) -> None:
    town = mattermost.town
    before = mattermost.scene.channel(town.channel)
    body = {"user_id": town.bob}
    assert admin.post(f"/channels/{town.channel}/members", body)["user_id"] == town.bob
    assert mattermost.scene.channel(town.channel) == before
    path = f"/channels/{town.private}/members/{town.bob}"
    refused(admin("GET", path), 404)


def test_changes_of_a_channel_are_told_in_words(
    mattermost: Mattermost, client: Client
) -> None:
    town, scene = mattermost.town, mattermost.scene
    for header in ("one", "two", ""):
        scene.change_channel(town.channel, town.alice, {"header": header})
    told = [message(f) for f in client.upto_reply() if f["event"] == "posted"]
    assert told == [
        "alice updated the channel header to: one",
        "alice updated the channel header from: one to: two",
        "alice removed the channel header (was: two)",
    ]


# Posts.


@pytest.mark.parametrize(
    "body",
    [[], "x", {"message": 5}, {"props": []}, {"file_ids": [1]}, {"root_id": {}}],
)
def test_a_post_of_wrong_types_is_refused(
    mattermost: Mattermost, bot: Rest, body: Any
) -> None:
    if isinstance(body, dict):
        body["channel_id"] = mattermost.town.channel
    refused(bot("POST", "/posts", json=body), 400)


def test_lone_surrogates_become_the_replacement_character(
    mattermost: Mattermost, bot: Rest
) -> None:
    channel = mattermost.town.channel
    raw = '{"channel_id":"%s","message":"a\\ud800b\\ud83d\\ude00"}' % channel
    made = bot("POST", "/posts", data=raw).json()
    assert made["message"] == "a\ufffdb\U0001f600"


def test_a_message_of_16383_emoji_passes(mattermost: Mattermost, bot: Rest) -> None:
    body = {"channel_id": mattermost.town.channel, "message": "\U0001f600" * 16383}
    assert bot("POST", "/posts", json=body).status_code == 201


def test_an_admin_may_date_a_post(
    mattermost: Mattermost, admin: Rest, bot: Rest
) -> None:
    body = {"channel_id": mattermost.town.channel, "message": "x", "create_at": 5}
    assert admin.post("/posts", body)["create_at"] == 5
    assert bot.post("/posts", body)["create_at"] > 5


def test_after_30_seconds_a_pending_id_is_free_again(
    mattermost: Mattermost, bot: Rest
) -> None:
    body = {
        "channel_id": mattermost.town.channel,
        "message": "x",
        "pending_post_id": "p",
    }
    first, second = (bot.post("/posts", body)["id"] for _ in range(2))
    mattermost.settings.dedupe_s = 0
    third = bot.post("/posts", body)["id"]
    assert first == second != third


def test_system_messages_are_not_edited(mattermost: Mattermost, admin: Rest) -> None:
    page = admin.get(f"/channels/{mattermost.town.channel}/posts")
    system = page["order"][0]
    assert page["posts"][system]["type"].startswith("system_")
    answer = admin("PUT", f"/posts/{system}/patch", json={"message": "x"})
    refused(answer, 400, "api.post.update_post.system_message.app_error")


def test_who_pins_unpins_and_deletes(
    mattermost: Mattermost, alice: Rest, bot: Rest
) -> None:
    town = mattermost.town
    made = mattermost.scene.post(town.channel, town.alice, "mine")
    bot.post(f"/posts/{made}/pin")
    pinned = f"/channels/{town.channel}/pinned"
    assert bot.get(pinned)["order"] == [made]
    bot.post(f"/posts/{made}/unpin")
    assert bot.get(pinned)["order"] == []
    refused(bot("DELETE", f"/posts/{made}"), 403, NOT_ALLOWED)
    assert alice.delete(f"/posts/{made}") == {"status": "OK"}


def test_a_put_needs_the_id_and_takes_away_what_it_lacks(
    mattermost: Mattermost, bot: Rest
) -> None:
    channel = mattermost.town.channel
    body = {"channel_id": channel, "message": "x", "props": {"k": "v"}}
    made = bot.post("/posts", body)["id"]
    refused(bot("PUT", f"/posts/{made}", json={"message": "y"}), 400)
    changed = bot.put(f"/posts/{made}", {"id": made, "message": "y"})
    assert (changed["message"], changed["props"]) == ("y", {})


def test_a_public_post_is_shown_to_the_team_and_a_private_one_is_not(
    mattermost: Mattermost,
) -> None:
    town, scene = mattermost.town, mattermost.scene
    public = scene.post(town.second, town.alice, "public")
    private = scene.post(town.private, town.alice, "private")
    with Rest(mattermost.url, scene.add_token(town.bob)) as bob:
        assert bob.get(f"/posts/{public}")["message"] == "public"
        refused(bob("GET", f"/posts/{private}"), 403, NOT_ALLOWED)


# Files.


def test_a_file_is_shown_with_its_post(
    mattermost: Mattermost, alice: Rest, bot: Rest
) -> None:
    town = mattermost.town
    path = f"/files?channel_id={town.channel}&filename=a.txt"
    file = alice("POST", path, data=b"content").json()["file_infos"][0]
    refused(bot("GET", f"/files/{file['id']}"), 403, NOT_ALLOWED)
    body = {"channel_id": town.channel, "file_ids": [file["id"]]}
    made = alice.post("/posts", body)
    assert bot("GET", f"/files/{file['id']}").content == b"content"
    (info,) = bot.get(f"/posts/{made['id']}/files/info")
    assert info["post_id"] == made["id"]


def test_a_file_belongs_to_one_post(mattermost: Mattermost, alice: Rest) -> None:
    town = mattermost.town
    path = f"/files?channel_id={town.channel}&filename=a.txt"
    file = alice("POST", path, data=b"x").json()["file_infos"][0]["id"]
    body = {"channel_id": town.channel, "file_ids": [file]}
    first, second = (alice.post("/posts", body) for _ in range(2))
    assert first["file_ids"] == [file]
    assert "file_ids" not in second


def test_a_file_too_large_is_refused(mattermost: Mattermost, alice: Rest) -> None:
    mattermost.settings.max_file_bytes = 3
    path = f"/files?channel_id={mattermost.town.channel}"
    refused(alice("POST", path + "&filename=a", data=b"1234"), 413)
    refused(alice("POST", path, data=b"1"), 400)
