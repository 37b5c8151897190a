"""The recorded story of commands, buttons, dialogs and webhooks, told again.

The numbers are those of the recording's steps; what was not recorded as a request is
done in between.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from malexbot.sandbox.sandbox import Sandbox
from tests.sandbox import story
from tests.sandbox.clients import Client
from tests.sandbox.integration import Integration
from tests.sandbox.interplay import Interplay
from tests.sandbox.story import ADMIN, BOT, ONE, PRIVATE, TEAM, TWO

DIRECT = "fdbbe1n65jgh8neso1f5ndkhxy"
ROOT = "eaq1ry8tz7n6jxirf7ndfyzpbe"
CHOICE = "o7ykbyg49tbgbcbyrh1eogmuhh"
GET_COMMAND = "qd3fh6j9atgn8d5bxf9te6hrrr"
HOOK = "oau6se1xdpfuibmw3fitrfg4ey"
FORM_FILE = "kmqoz8tm9jy7jprd9dwb77t3so"
# An integration that is too late is given up so soon.
IMPATIENT_S = 0.2
EXPIRED_MS = 3_500
WHY = frozenset({"detailed_error"})


def tell(sandbox: Sandbox, integration: Integration) -> dict[str, list[str]]:
    """What differed, by the name of the excerpt."""
    replay = Interplay(sandbox, integration)
    try:
        story.set_up(replay)
        story.join(replay, PRIVATE, BOT)
        replay.given("admin", "POST", "/channels/direct", [ADMIN, BOT])
        with (
            Client(sandbox.url, replay.tokens["alice"]) as alice,
            Client(sandbox.url, replay.tokens["bot"]) as bot,
        ):
            replay.sockets = {"alice": alice, "bot": bot}
            commands(replay)
            late_answers(replay)
            lists(replay)
            buttons(replay)
            updates(replay)
            failures(replay)
            ephemeral(replay)
            dialogs(replay)
            outgoing(replay)
            incoming(replay)
            too_late(replay)
    finally:
        replay.close()
    return replay.found


def typing(
    replay: Interplay, text: str, channel_id: str = ONE, who: str = "alice"
) -> Callable[[], Any]:
    body = {"channel_id": channel_id, "team_id": TEAM, "command": text}
    return partial(replay.given, who, "POST", "/commands/execute", body)


def posting(
    replay: Interplay, who: str, channel_id: str, text: str, **more: Any
) -> Any:
    body = {"channel_id": channel_id, "message": text, **more}
    return replay.given(who, "POST", "/posts", body)


def offer(replay: Interplay, recorded: str, **more: str) -> None:
    """The bot posts the same buttons again, as the post of that id."""
    body = replay.rows["action_post_create"]["body"] | more
    made = replay.given("bot", "POST", "/posts", body)
    replay.same.bind(recorded, made["id"])


def commands(replay: Interplay) -> None:
    replay.ask("command_create_post_method", "command_create_get_method")
    for number, name in (
        ("01", "ephemeral"),
        ("02", "in_channel"),
        ("03", "plain_text"),
        ("04", "empty_json_body"),
        ("05", "empty_body"),
        ("06", "empty_object"),
        ("07", "bad_json"),
        ("08", "http_500"),
        ("09", "http_204"),
        ("10", "goto"),
    ):
        replay.step(number, f"command_execute_{name}")
    root = posting(replay, "alice", ONE, "a root")
    replay.same.bind(ROOT, root["id"])
    replay.step("11", "command_execute_in_thread")
    replay.step("12", do=typing(replay, "/malex priv", PRIVATE))
    replay.step("13", "command_execute_in_dm")
    text = "/MARCH first line\nsecond & line = ü 😀"
    replay.step("14", do=typing(replay, text))
    replay.step("15", "command_execute_get_method")
    replay.step("16", "command_execute_by_bot")
    replay.ask("error_command_unknown", "error_command_no_slash")


def late_answers(replay: Interplay) -> None:
    replay.step("19", do=typing(replay, "/malex later"))
    replay.step("20", "response_url_ephemeral")
    replay.step("21", "response_url_in_channel")
    replay.step("22", "response_url_plain_text")
    replay.step("23", "response_url_use_4")
    replay.step("24", "response_url_use_5")
    replay.ask("response_url_use_6", "response_url_use_7", "error_response_url_unknown")


def lists(replay: Interplay) -> None:
    move(replay, "http://127.0.0.1:1/none")
    # The ids in its address appear nowhere else.
    replay.ask("command_execute_connection_refused", loose=WHY)
    move(replay, "http://127.0.0.1:18080/slashget?x=1")
    replay.ask("commands_list", "commands_autocomplete", "command_regen_token")
    replay.ask("error_command_create_by_bot_403", "error_command_duplicate_trigger")


def move(replay: Interplay, url: str) -> None:
    body = replay.rows["command_create_get_method"]["body"]
    body = body | {"id": GET_COMMAND, "url": url}
    replay.given("admin", "PUT", f"/commands/{GET_COMMAND}", body)


def buttons(replay: Interplay) -> None:
    replay.step("29", "action_post_create")
    replay.ask("action_post_seen_by_bot", "action_post_seen_by_user")
    for number, name in (
        ("30", "button"),
        ("31", "notype"),
        ("32", "generated_id"),
        ("33", "id_with_dash"),
        ("34", "id_with_underscore"),
        ("36", "select"),
        ("37", "select_users"),
        ("38", "select_channels"),
        ("39", "select_bogus_value"),
        ("40", "select_no_value"),
        ("41", "ephemeral"),
    ):
        replay.step(number, f"action_do_{name}")


def updates(replay: Interplay) -> None:
    for number, post_id, name, after in (
        ("42", "mqi8tk8i1iy78xmwekecw9nsra", "update", "empty_props"),
        ("43", "ozsw1t999pguifyx1e7g5i4mje", "update_without_props", "without_props"),
        ("44", "4q13kuuhotry8xoqo3s3zq5iya", "update_attachments", "attachments"),
        ("45", "b9nqwm18938x98uspcgets937r", "update_without_message", ""),
    ):
        offer(replay, post_id)
        story.tick(replay)
        replay.step(number, f"action_do_{name}")
        replay.ask(f"action_post_after_update_{after or 'without_message'}")


def failures(replay: Interplay) -> None:
    for number, name in (
        ("46", "error_key"),
        ("47", "http_400"),
        ("48", "http_500"),
        ("49", "http_201"),
        ("50", "empty_body"),
        ("51", "not_json"),
        ("52", "json_as_text_plain"),
        ("53", "connection_dropped"),
        ("54", "connection_refused"),
    ):
        replay.step(number, f"action_do_{name}")
    offer(replay, "hdpjonrnz3yt9cs5gxseucs9gh", channel_id=DIRECT)
    replay.step("55", "action_do_in_dm")
    in_thread = partial(offer, replay, "e5p5rzm67ffo7fujsbh3ddu48e", root_id=ROOT)
    replay.step("56", "action_do_in_thread", do=in_thread)
    replay.ask("error_action_by_nonmember", "error_action_unknown_id")
    replay.ask("error_action_unknown_post")
    write_back(replay)


def write_back(replay: Interplay) -> None:
    """A post whose props are written as they were read."""
    integration = {"url": "http://127.0.0.1:18080/act"}
    action = {"id": "ok1", "type": "button", "name": "OK", "integration": integration}
    props = {"attachments": [{"text": "t", "actions": [action]}]}
    made = posting(replay, "bot", ONE, "x", props=props)
    replay.same.bind("wtkz96gfcinozc8c9xsfwmyf5o", made["id"])
    path = f"/posts/{made['id']}/patch"
    replay.given("bot", "PUT", path, {"props": made["props"]})
    replay.ask("action_after_props_written_back_stripped")


def ephemeral(replay: Interplay) -> None:
    replay.step("59", do=typing(replay, "/malex buttons"))
    name = "action_do_on_ephemeral_post_with_cookie"
    (whisper,) = (
        row
        for row in replay.sandbox.acts.whispers(_alice(replay))
        if row["message"] == "pick"
    )
    action = whisper["props"]["attachments"][0]["actions"][0]
    replay.same.exact[replay.rows[name]["body"]["cookie"]] = action["cookie"]
    replay.step("60", name)


def _alice(replay: Interplay) -> str:
    return replay.same.ids[story.ALICE]


def dialogs(replay: Interplay) -> None:
    press = partial(
        replay.given, "alice", "POST", f"/posts/{CHOICE}/actions/approve", {}
    )
    replay.step("61", do=press)
    replay.step("62", "dialog_open")
    replay.step("63", "dialog_open_same_trigger_no_token")
    for number, name in (
        ("64", "ok_empty"),
        ("65", "field_errors"),
        ("66", "general_error"),
        ("67", "http_500"),
    ):
        replay.step(number, f"dialog_submit_{name}")
    replay.step("68", "dialog_cancel")
    clock = replay.sandbox.clock
    clock.freeze(clock.now_ms() + EXPIRED_MS)
    replay.ask("error_dialog_open_trigger_expired", "error_dialog_open_trigger_garbage")
    replay.step("71", "command_execute_for_dialog")
    replay.step("72", "dialog_open_from_slash")


def outgoing(replay: Interplay) -> None:
    replay.ask("outgoing_webhook_create_form", "outgoing_webhook_create_json")
    # In seconds a time is only known if it is a whole one.
    clock = replay.sandbox.clock
    clock.freeze(clock.now_ms() // 1000 * 1000 + 1000)
    for number, who, channel, text in (
        ("73", "alice", TWO, "hello & = ü"),
        ("74", "alice", ONE, "#malexish do it"),
        ("75", "alice", ONE, "#malex comment"),
        ("76", "bot", ONE, "#malex from bot"),
        ("77", "alice", PRIVATE, "#malex private"),
    ):
        replay.step(number, do=partial(posting, replay, who, channel, text))
    made = replay.given("alice", "POST", f"/files?channel_id={TWO}&filename=o.txt", 7)
    replay.same.bind(FORM_FILE, made["file_infos"][0]["id"])
    file_ids = [FORM_FILE]
    replay.step(
        "78", do=partial(posting, replay, "alice", TWO, "file", file_ids=file_ids)
    )
    replay.step("79", do=partial(posting, replay, "alice", TWO, "500"))


def incoming(replay: Interplay) -> None:
    replay.ask("incoming_webhook_create")
    replay.step("80", "incoming_webhook_post_json")
    replay.step("81", "incoming_webhook_post_form")
    replay.step("82", "incoming_webhook_post_other_channel")
    replay.step("83", "incoming_webhook_post_to_user")
    replay.ask("error_incoming_webhook_empty", "error_incoming_webhook_bad_json")
    replay.ask("error_incoming_webhook_unknown")
    replay.ask("error_incoming_webhook_unknown_channel")
    row = {"is_door": True, "path": f"/hooks/{HOOK}", "body": {"text": "x" * 20_000}}
    replay.step("88", do=partial(replay.send, "", row))


def too_late(replay: Interplay) -> None:
    replay.sandbox.settings.integration_s = IMPATIENT_S
    replay.step("89", "action_do_timeout_31s", loose=WHY)
    replay.step("90", "command_execute_timeout_31s")
