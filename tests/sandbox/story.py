"""The recorded story, told again: each step asks what was asked of the real server.

The long ids are those of the recording; `given` are the steps in between that
were not recorded as requests.
"""

from __future__ import annotations

import time
from unittest.mock import patch

from malexbot.sandbox import limit
from malexbot.sandbox.sandbox import Sandbox
from tests.sandbox.clients import Client
from tests.sandbox.replay import Replay

ADMIN = "snkqg6rb97yg3f9y6sg79hyf6c"
ALICE = "o7pqbb9yi3gkdybrbuee6nuq6r"
BOB = "iqjg4wtrs7rbby6mubhoddzknr"
BOT = "a5ksjxpxfiy1j8ckt5566t8ibr"
TEAM = "mu6h6wdw5783fbih7mx6rdm1sw"
ONE = "gjrw6j4f7tye3bo7g58bhmy7ra"
TWO = "x5nxumcd3j8gpd411wsij9rath"
THREE = "sr83d6phiigxx87na3p443x4jc"
PRIVATE = "ethq7qyy1jb89bdp3yx4ecewth"
NEW = "os8o1ix7ntfbimw1hp8pbtbp7e"
ROOT = "shkasjkqu3ytxg9897x99foyiw"
BOTS_POST = "7bqei3h6uigj7n6c9frr3yxfmw"
SINCE = "8b3ak9i8w3ytfq6qf6kckbtcic"
PAGING = "xoksihubafbtmq4tif1feeipny"
_STEP_MS = 25

COUNTS = frozenset({"total_msg_count", "total_msg_count_root", "last_post_at"})
READ_MARKS = frozenset(
    {"last_viewed_at", "msg_count", "msg_count_root", "mention_count"}
) | {"mention_count_root"}


def tell(sandbox: Sandbox) -> dict[str, list[str]]:
    """What differed, by the name of the excerpt."""
    replay = Replay(sandbox)
    try:
        set_up(replay)
        with Client(sandbox.url, replay.tokens["bot"]) as bot:
            bot.receive()  # hello
            bot.receive()  # online
            posts(replay, bot)
            channels(replay, bot)
            people(replay, bot)
        reads(replay)
        pages(replay)
        since(replay)
        errors(replay)
        limits(replay)
        ends(replay)
    finally:
        replay.close()
    return replay.found


def tick(replay: Replay) -> None:
    """Some time goes by, so that no two steps share a millisecond."""
    clock = replay.sandbox.clock
    clock.freeze(clock.now_ms() + _STEP_MS)


def set_up(replay: Replay) -> None:
    replay.ask("setup_01_create_first_user_becomes_admin")
    session = replay.given(
        "", "POST", "/users/login", {"login_id": "admin", "password": "passw0rd-mm"}
    )
    assert session["username"] == "aaron"
    replay.ask("setup_02_login")
    sandbox, same = replay.sandbox, replay.same
    replay.tokens["?cx1ka5ozrfgp7x7tqumb96axea"] = sandbox.scene.add_token(
        same.ids[ADMIN]
    )
    replay.ask("setup_03_create_admin_token")
    replay.tokens["admin"] = same.ids["bkqbh95z87rriewr4376rkcwoc"]
    replay.ask("setup_04_create_team")
    for name in ("ch-one", "ch-two", "ch-three"):
        replay.ask(f"setup_05_create_channel_{name}")
    replay.ask("setup_06_create_private_channel")
    for name in ("alice", "bob"):
        replay.ask(f"setup_07_create_user_{name}", f"setup_08_create_token_{name}")
    replay.ask("setup_09_create_bot", "setup_10_create_bot_token")
    replay.tokens["alice"] = same.ids["zjnpf4ymti8d9mhy8zm4rsyrar"]
    replay.tokens["bob"] = same.ids["b3u3uqchf7b9bxb79d9ye9gh7r"]
    replay.tokens["bot"] = same.ids["xzirw4cxjpy1bdm95fccbaywbh"]
    roles = {"roles": "system_user system_user_access_token"}
    for user in (ALICE, BOB):
        replay.given("admin", "PUT", f"/users/{user}/roles", roles)
        body = {"team_id": TEAM, "user_id": user}
        replay.given("admin", "POST", f"/teams/{TEAM}/members", body)
    replay.ask("setup_11_add_team_member")
    for channel in (ONE, TWO, THREE, PRIVATE):
        join(replay, channel, ALICE)
    for channel in (ONE, TWO, THREE):
        join(replay, channel, BOT)
    replay.ask("setup_12_add_channel_member", "setup_13_create_direct_channel")


def join(replay: Replay, channel: str, user: str, who: str = "admin") -> None:
    replay.given(who, "POST", f"/channels/{channel}/members", {"user_id": user})


def post(replay: Replay, who: str, channel: str, message: str, root: str = "") -> str:
    body = {"channel_id": channel, "message": message, "root_id": root}
    return str(replay.given(who, "POST", "/posts", body)["id"])


def posts(replay: Replay, bot: Client) -> None:
    """Frames 029 to 043: written, edited, reacted to, deleted, with files."""
    steps = [
        ("post_create", "029"),
        ("post_create_in_thread", "030"),
        ("post_create_by_bot", "031"),
        ("post_create_reply_to_bot", "032"),
        ("post_patch", "033"),
        ("post_put", "034"),
        ("reaction_create", "035"),
        ("reaction_create_by_bot", "036"),
    ]
    for name, number in steps:
        tick(replay)
        replay.ask(name)
        replay.expect(bot, number)
    replay.ask("reactions_get")
    for name, number in [
        ("reaction_delete", "037"),
        ("post_pin", "038"),
        ("post_delete", "039"),
    ]:
        tick(replay)
        replay.ask(name)
        replay.expect(bot, number)
    tick(replay)
    post(replay, "alice", ONE, "another reply", ROOT)
    assert bot.receive()["seq"] == 13
    tick(replay)
    replay.ask("post_delete_root")
    replay.expect(bot, "040")
    replay.ask("file_upload_multipart", "file_upload_raw_body")
    tick(replay)
    replay.ask("post_create_with_file")
    replay.expect(bot, "041")
    replay.ask("file_upload_image")
    tick(replay)
    replay.ask("post_create_with_image")
    replay.expect(bot, "042")
    replay.ask("post_create_dm")
    replay.expect(bot, "043")


def channels(replay: Replay, bot: Client) -> None:
    """Frames 044 to 072: channels come, change and go, and people in them."""
    replay.ask("channel_direct_create", "post_create_first_dm_from_bob")
    replay.expect(bot, "044", "045")
    replay.ask("channel_group_create")
    replay.expect(bot, "046")
    tick(replay)
    replay.ask("channel_create", "channel_member_add")
    replay.expect(bot, "047", "048")
    join(replay, NEW, BOB)
    replay.expect(bot, "049", "050")
    replay.ask("channel_member_remove")
    replay.expect(bot, "051", "052")
    join(replay, NEW, BOB, "bob")
    replay.expect(bot, "053", "054")
    tick(replay)
    replay.given("bob", "DELETE", f"/channels/{NEW}/members/{BOB}")
    replay.expect(bot, "055", "056")
    tick(replay)
    replay.ask("channel_patch")
    replay.expect(bot, "057", "058", "059")
    replay.given("admin", "DELETE", f"/channels/{NEW}/members/{BOT}")
    replay.expect(bot, "060")
    replay.ask("channel_join_self")
    replay.expect(bot, "061", "062")
    replay.ask("channel_create_private_by_bot")
    replay.expect(bot, "063", "064")
    replay.ask("channel_delete")
    replay.expect(bot, "065", "066")
    replay.ask("error_post_to_archived_channel")
    replay.given("admin", "POST", f"/channels/{NEW}/restore")
    replay.expect(bot, "067", "068")
    replay.ask("typing_rest")
    replay.expect(bot, "069")
    with Client(replay.sandbox.url, replay.tokens["alice"]) as alice:
        alice.upto_reply()
        data = replay.same.ours({"channel_id": ONE, "parent_id": BOTS_POST})
        alice.send(seq=1, action="user_typing", data=data)
        assert alice.receive() == {"status": "OK", "seq_reply": 1}
        replay.expect(bot, "070")
        replay.ask("channel_view")
        viewed = alice.until("channel_viewed")
        viewed["seq"] = 1
        frame = replay.frames["071_channel_viewed_by_user__user_sees__channel_viewed"]
        found = replay.same.differences(frame["frame"], viewed)
        replay.found[frame["name"]] = found
    replay.ask("channel_view_by_bot")
    replay.expect(bot, "072")


def people(replay: Replay, bot: Client) -> None:
    """Frames 073 to 092: mentions, statuses, teams, posts of other kinds."""
    replay.ask("post_create_with_mention")
    replay.expect(bot, "073")
    post(replay, "alice", ONE, "@malexbot again", BOTS_POST)
    replay.expect(bot, "074")
    replay.ask("post_create_at_channel")
    replay.expect(bot, "075")
    post(replay, "alice", ONE, "@here now")
    replay.expect(bot, "076")
    post(replay, "alice", TWO, "@bob are you there? #tag")
    replay.expect(bot, "077")
    post(replay, "alice", PRIVATE, "secret")
    replay.expect(bot, "078")
    replay.ask("post_ephemeral_by_admin", "post_ephemeral_by_bot")
    replay.expect(bot, "079")
    replay.ask("status_put")
    replay.expect(bot, "080")
    body = {"user_id": BOT, "status": "online"}
    replay.given("bot", "PUT", f"/users/{BOT}/status", body)
    replay.expect(bot, "081")
    replay.ask("user_patch")
    replay.expect(bot, "082")
    team = replay.given("admin", "POST", "/teams", {"name": "other", "type": "O"})
    replay.same.bind("qz6r8m5cui8tmyw7xt61rit9uc", team["id"])
    # Frames 083 and 084 were those of preferences, which the sandbox has not.
    advance(replay, bot, 2)
    replay.ask("team_member_add")
    replay.expect(bot, "085", "086")
    replay.ask("team_member_remove")
    replay.expect(bot, "087")
    replay.given("admin", "POST", "/users", {"username": "newcomer", "password": "x"})
    replay.expect(bot, "088")
    replay.ask("post_create_with_props_and_type")
    replay.expect(bot, "089")
    replay.ask("post_create_with_attachment")
    replay.expect(bot, "090")
    # Frame 091 was that of a read mark.
    advance(replay, bot, 1)
    tick(replay)
    replay.ask("post_patch_by_bot_props")
    replay.expect(bot, "092")


def advance(replay: Replay, bot: Client, count: int) -> None:
    """Events that count, though they are not compared."""
    for _ in range(count):
        replay.sandbox.scene.typing(replay.same.ids[ONE], replay.same.ids[ALICE])
        assert bot.receive()["event"] == "typing"


def reads(replay: Replay) -> None:
    replay.ask("users_me_bot", "user_get", "user_get_by_username")
    replay.ask("users_by_ids", loose=frozenset({"update_at"}))
    replay.ask("users_by_usernames", "bot_get")
    replay.ask("users_me_teams", "team_get", "team_by_name")
    replay.ask("channel_get", "channel_get_dm", "channel_by_name", loose=COUNTS)
    replay.ask("channel_by_team_and_channel_name", loose=COUNTS)
    replay.ask("channel_stats", "channel_pinned")
    replay.ask("channel_member_me", loose=READ_MARKS)
    replay.ask("config_client_old", loose=frozenset({"SiteName", "SiteURL"}))
    replay.ask("system_ping", "wrong_token_on_public_endpoint")
    replay.ask("file_get", "file_info")


def pages(replay: Replay) -> None:
    """A quiet channel of 15 posts, page by page."""
    make_channel(replay, PAGING, "paging1795226392055", "Paging")
    for number in range(12):
        tick(replay)
        post(replay, "alice", PAGING, f"p{number:02d}")
    replay.ask("posts_page_0_per_page_5", "posts_page_1_per_page_5")
    replay.ask("posts_page_2_last", "posts_page_beyond_end", "posts_etag_304")
    replay.ask("posts_before", "posts_after", "posts_after_page_1")
    replay.ask("posts_after_unknown_id", "error_posts_after_bad_id")


def make_channel(replay: Replay, channel: str, name: str, title: str) -> None:
    body = {"team_id": TEAM, "name": name, "display_name": title, "type": "O"}
    made = replay.given("admin", "POST", "/channels", body)
    replay.same.bind(channel, made["id"])
    for user in (ALICE, BOT):
        tick(replay)
        join(replay, channel, user)


def since(replay: Replay) -> None:
    """One thing after the other changes, and `since` tells it."""
    clock, same = replay.sandbox.clock, replay.same
    make_channel(replay, SINCE, "since1795226391536", "Since")
    ids = []
    for number in range(6):
        tick(replay)
        ids.append(post(replay, "alice", SINCE, f"m{number}"))
    first, edited, deleted, reacted, pinned, root = ids
    same.bind("bh6r9u7f77rbdmzip4yutrd9qh", root)
    same.bind("zb1g8qyam3d6ucmz917cp6t3tw", deleted)
    tick(replay)
    post(replay, "alice", SINCE, "r1", first)
    marks = {1795226391759: clock.now_ms()}
    same.moments.update(marks)
    replay.ask("posts_since_nothing_new")
    tick(replay)
    replay.given("alice", "PUT", f"/posts/{edited}/patch", {"message": "m1 edited"})
    replay.ask("posts_since_after_edit")
    same.moments[1795226391826] = clock.now_ms()
    tick(replay)
    replay.given("alice", "DELETE", f"/posts/{deleted}")
    replay.ask("posts_since_after_delete")
    same.moments[1795226391851] = clock.now_ms()
    tick(replay)
    body = {"user_id": ALICE, "post_id": reacted, "emoji_name": "smile"}
    replay.given("alice", "POST", "/reactions", body)
    replay.ask("posts_since_after_reaction")
    tick(replay)
    one = f"/users/{ALICE}/posts/{reacted}/reactions/smile"
    replay.given("alice", "DELETE", one)
    tick(replay)
    replay.given("alice", "POST", f"/posts/{pinned}/pin")
    same.moments[1795226391930] = clock.now_ms()
    tick(replay)
    reply = post(replay, "alice", SINCE, "r2", root)
    tick(replay)
    post(replay, "alice", SINCE, "m6")
    replay.ask("posts_since_new_reply_and_post")
    tick(replay)
    replay.given("alice", "DELETE", f"/posts/{reply}")
    tick(replay)
    replay.given("alice", "DELETE", f"/posts/{first}")
    replay.ask("posts_since_1_everything", "posts_page_without_deleted")
    replay.ask("post_thread", "error_get_deleted_post")
    replay.ask("error_posts_since_not_a_number")


def errors(replay: Replay) -> None:
    """Each refusal, with its id and status."""
    same = replay.same
    same.bind("dntcmfahft8rt8ygbagc7si6hr", post(replay, "bot", ONE, "mine"))
    reply = post(replay, "bot", ONE, "reply", "dntcmfahft8rt8ygbagc7si6hr")
    same.bind("7a7jms8q8pdyxeogbe63apej9o", reply)
    gone = post(replay, "alice", ONE, "gone")
    replay.given("alice", "DELETE", f"/posts/{gone}")
    same.bind("3z8hm47amby6xpcqmabn8bhc6a", gone)
    same.bind("fxxzjcfoe3gh3f6kstzwcy6z9h", post(replay, "bot", THREE, "long"))
    for recorded, kind in (
        ("u4hsz5n1ub84tr45s1jgoazi8c", "P"),
        ("dhb86879ej8w7yc3iz8qsy8mcw", "O"),
    ):
        body = {"team_id": TEAM, "name": f"far-{kind.lower()}", "type": kind}
        same.bind(recorded, replay.given("admin", "POST", "/channels", body)["id"])
    replay.ask(*(name for name in sorted(replay.rows) if _is_plain_error(name)))
    replay.ask("post_to_public_channel_without_membership", "post_with_nul")
    replay.ask("post_empty_message", "post_with_spoofed_props")
    replay.ask("post_with_unknown_file", "cookie_post_without_csrf")
    replay.ask("reaction_unknown_emoji", "reaction_twice", "reaction_delete_missing")
    replay.sandbox.settings.is_developer = False
    replay.ask("error_401_wrong_token_developer_off", "error_404_channel_developer_off")
    replay.sandbox.settings.is_developer = True


def _is_plain_error(name: str) -> bool:
    """Those that need no special state."""
    special = ("429", "developer_off", "bot_disabled", "archived", "get_deleted")
    asked = ("bad_id", "not_a_number")
    return name.startswith("error_") and not any(
        part in name for part in special + asked
    )


def limits(replay: Replay) -> None:
    """Files, pending ids, the rate."""
    for count, name in ((10, "post_with_10_files"), (11, "post_with_11_files")):
        for recorded in replay.rows[name]["body"]["file_ids"]:
            at = replay.rows[name]["body"]["file_ids"].index(recorded)
            path = f"/files?channel_id={THREE}&filename=x.bin"
            made = replay.given("bot", "POST", path, 7)["file_infos"][0]
            replay.same.bind(recorded, made["id"])
        assert at + 1 == count
        replay.ask(name)
    pending = replay.rows["post_same_pending_post_id"]["body"]["pending_post_id"]
    body = {"channel_id": THREE, "message": "one", "pending_post_id": pending}
    replay.given("bot", "POST", "/posts", body)
    replay.ask("post_same_pending_post_id")
    settings = replay.sandbox.settings
    settings.rate_per_s = 10
    replay.ask("ratelimit_headers_ok")
    # However slow the machine is: no seat becomes free meanwhile.
    stands_at = time.monotonic_ns()
    with patch.object(limit.time, "monotonic_ns", lambda: stands_at):
        while replay.send("", replay.rows["ratelimit_headers_ok"]).status_code == 200:
            pass
        replay.ask("error_429_post", "error_429_rate_limited")
    settings.rate_per_s = 0


def ends(replay: Replay) -> None:
    """Lists of what has gathered, and how a bot and a token are switched off."""
    replay.ask_shape("channel_members", "posts_default_page", "team_public_channels")
    replay.ask_shape("users_me_channel_members", "users_me_channels_of_team")
    replay.ask("channel_direct_create_by_bot", loose=COUNTS)
    made = replay.given("admin", "POST", f"/users/{BOB}/tokens", {"description": "x"})
    replay.same.bind("p3cxrnbnstyczfed7o78zy1p7h", made["id"])
    replay.ask("token_revoke", "bot_disable", "error_bot_disabled", "bot_enable")
