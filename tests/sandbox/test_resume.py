"""A dropped websocket comes back as it did on the recorded server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from malexbot.sandbox.fixtures import Mattermost
from tests.sandbox.clients import Client, short, wait_until
from tests.sandbox.recorded import FOLDER

RECORDED = json.loads((FOLDER / "reliable.json").read_text())
Connect = Callable[..., Client]


def frames(client: Client) -> list[str]:
    return [short(frame) for frame in client.upto_reply()]


def recorded(name: str) -> list[str]:
    found: list[str] = RECORDED[name]["frames"]
    return found


@pytest.fixture
def connect(mattermost: Mattermost) -> Iterator[Connect]:
    """Opens sockets of the bot, or of another token; all are closed at the end."""
    opened: list[Client] = []

    def connect(
        old: Client | None = None,
        number: object = None,
        token: str = mattermost.town.token,
        connection_id: str = "",
    ) -> Client:
        """Ask to go on with an old socket's connection, from that number."""
        id = connection_id or (old.connection_id if old else "")
        query = f"?connection_id={id}" if id else ""
        if number is not None:
            query += f"&sequence_number={number}"
        client = Client(mattermost.url, token, query)
        opened.append(client)
        if old is not None:
            client.connection_id = old.connection_id
        return client

    yield connect
    for client in opened:
        client.drop()


def say(mattermost: Mattermost, *texts: str) -> None:
    for text in texts:
        mattermost.scene.post(mattermost.town.channel, mattermost.town.alice, text)


def drop(mattermost: Mattermost, client: Client, *, politely: bool = False) -> None:
    """Until the server knows it."""
    before = mattermost.sockets()
    if politely:
        client.socket.close()
    else:
        client.drop()
    wait_until(lambda: mattermost.sockets() < before, "the drop is noticed")


def greeted(client: Client) -> Client:
    client.connection_id = client.receive()["data"]["connection_id"]
    return client


def test_what_was_missed_comes_with_its_old_numbers(
    mattermost: Mattermost, connect: Connect
) -> None:
    mattermost.scene.set_status(mattermost.town.bot, "online")
    first = greeted(connect())
    say(mattermost, "a1", "a2")
    assert ["0:hello:", *frames(first)] == recorded("01_first_connection")

    drop(mattermost, first)
    say(mattermost, "missed1", "missed2")
    second = connect(first, 3)
    got = frames(second)
    assert got == recorded("02_resume_next_seq")
    say(mattermost, "live after resume")
    assert got + frames(second) == recorded("03_live_after_resume")

    drop(mattermost, second)
    third = connect(second, 6)
    assert frames(third) == recorded("04_resume_older_seq")

    drop(mattermost, third)
    fourth = connect(third, 0)
    got = frames(fourth)
    assert got == recorded("05_resume_seq_0")
    say(mattermost, "after resume with 0")
    assert got + frames(fourth) == recorded("06_resume_seq_0_live")


def test_a_number_too_high_doubles_every_event(
    mattermost: Mattermost, connect: Connect
) -> None:
    first = greeted(connect())
    assert frames(first) == ["1:status_change:online"]
    drop(mattermost, first)
    say(mattermost, "missed while away")
    second = connect(first, 52)
    assert frames(second) == recorded("07_resume_seq_too_high")
    say(mattermost, "d1", "d2")
    doubled = recorded("30_doubled_events_after_refused_resume_0")[-4:]
    texts = [frame.split(":", 1)[1] for frame in doubled]
    assert [frame.split(":", 1)[1] for frame in frames(second)] == texts


def test_both_hellos_after_a_refusal_have_the_same_new_id(
    mattermost: Mattermost, connect: Connect
) -> None:
    first = greeted(connect())
    drop(mattermost, first)
    second = connect(first, 52)
    hellos = [f for f in second.upto_reply() if f["event"] == "hello"]
    ids = {hello["data"]["connection_id"] for hello in hellos}
    assert len(hellos) == 2 and len(ids) == 1
    assert first.connection_id not in ids


def test_an_unknown_id_starts_anew(connect: Connect) -> None:
    client = connect(connection_id="a" * 26, number=5)
    assert frames(client) == recorded("08_resume_unknown_id")


@pytest.mark.parametrize(
    ("id", "number"),
    [("short", 5), ("", None), ("", "abc"), ("", -1)],
    ids=["malformed_id", "without_number", "bad_number", "negative"],
)
def test_a_malformed_resume_is_hung_up_on_and_spoils_nothing(
    mattermost: Mattermost, connect: Connect, id: str, number: object
) -> None:
    first = greeted(connect())
    frames(first)
    drop(mattermost, first)
    refused = connect(first, number, connection_id=id)
    assert refused.is_closed()
    say(mattermost, "still kept?")
    second = connect(first, 2)
    assert frames(second) == recorded("13_resume_after_refusals")


def test_beside_an_open_socket_a_new_connection_is_made(
    mattermost: Mattermost, connect: Connect
) -> None:
    old = greeted(connect())
    old_frames = frames(old)
    new = connect(old, 2)
    new_frames = frames(new)
    assert new_frames == recorded("14_resume_while_old_is_still_open")
    say(mattermost, "both?")
    both = ["0:hello:", *old_frames, *frames(old)]
    assert both == recorded("15_old_socket_after_that")
    assert new_frames + frames(new) == recorded("16_new_socket_after_that")


def test_a_polite_close_keeps_the_connection_too(
    mattermost: Mattermost, connect: Connect
) -> None:
    first = greeted(connect())
    frames(first)
    drop(mattermost, first, politely=True)
    say(mattermost, "while gracefully away")
    second = connect(first, 2)
    assert frames(second) == recorded("17_resume_after_graceful_close")


def test_another_users_connection_is_not_his(
    mattermost: Mattermost, connect: Connect
) -> None:
    alice = mattermost.town.alice
    mattermost.scene.set_status(alice, "online")
    first = greeted(connect())
    drop(mattermost, first)
    other = connect(first, 2, mattermost.scene.add_token(alice))
    assert frames(other) == recorded("18_resume_other_users_id")


def test_who_logs_in_by_message_never_resumes(
    mattermost: Mattermost, connect: Connect
) -> None:
    first = greeted(connect())
    frames(first)
    drop(mattermost, first)
    second = connect(first, 2, token="")
    token = {"token": mattermost.town.token}
    second.send(seq=1, action="authentication_challenge", data=token)
    hello, reply, online = (second.receive() for _ in range(3))
    got = [short(hello), f"{reply['status']}:reply:", short(online)]
    assert got == recorded("19_resume_with_message_auth")
    assert hello["data"]["connection_id"] != first.connection_id


def test_of_what_was_sent_the_last_128_are_kept(
    mattermost: Mattermost, connect: Connect
) -> None:
    first = greeted(connect())
    say(mattermost, *(f"q{number}" for number in range(200)))
    assert frames(first)[-1] == "201:posted:q199"
    drop(mattermost, first)
    second = connect(first, 75)
    got = frames(second)
    expected = RECORDED["21_resume_within_128_after_wrap"]
    assert len(got) == expected["count"]
    assert (got[:2], got[-3:]) == (expected["first"], expected["last"])

    drop(mattermost, second)
    say(mattermost, "missed")
    third = connect(second, 5)
    got = frames(third)
    say(mattermost, "e1", "e2")
    assert got + frames(third) == recorded("34_resume_older_than_128_events_doubled")


def test_250_missed_events_are_all_sent(
    mattermost: Mattermost, connect: Connect
) -> None:
    first = greeted(connect())
    frames(first)
    drop(mattermost, first)
    say(mattermost, *(f"off{number}" for number in range(250)))
    got = frames(connect(first, 2))
    posted = [frame.split(":")[2] for frame in got if ":posted:" in frame]
    assert posted == [f"off{number}" for number in range(250)]
    assert [int(frame.split(":")[0]) for frame in got] == list(range(2, len(got) + 2))


def test_a_half_full_queue_takes_no_typing(
    mattermost: Mattermost, connect: Connect
) -> None:
    town, scene = mattermost.town, mattermost.scene
    first = greeted(connect())
    frames(first)
    drop(mattermost, first)
    scene.typing(town.channel, town.alice)
    say(mattermost, *(f"off{number}" for number in range(128)))
    scene.typing(town.channel, town.alice)
    names = [frame.split(":")[1] for frame in frames(connect(first, 2))]
    assert names.count("posted") == 128
    assert names.count("typing") == 1


def test_270_missed_events_are_lost(mattermost: Mattermost, connect: Connect) -> None:
    first = greeted(connect())
    drop(mattermost, first)
    say(mattermost, *(f"off{number}" for number in range(270)))
    assert frames(connect(first, 2)) == recorded("23_resume_after_270_missed")


def test_a_doubled_connection_that_is_dropped_ends_the_hub(
    mattermost: Mattermost, connect: Connect
) -> None:
    """Everybody falls silent, though pings of the protocol are answered."""
    alice = connect(token=mattermost.scene.add_token(mattermost.town.alice))
    assert frames(alice)
    first = greeted(connect())
    drop(mattermost, first)
    doubled = connect(first, 52)
    frames(doubled)
    drop(mattermost, doubled)
    say(mattermost, *(f"n{number}" for number in range(200)))
    alice.until("posted")
    say(mattermost, "nobody hears this")
    assert mattermost.panics() == 1
    assert mattermost.sockets() == 0
    alice.send(seq=1, action="ping")
    alice.socket.ping("there?")
    while (frame := alice.socket.recv_frame()).opcode == alice.TEXT:
        assert b"nobody hears this" not in frame.data
        assert b"seq_reply" not in frame.data
    assert frame.opcode == alice.PONG
    fresh = greeted(connect())
    say(mattermost, "heard again")
    assert "posted:heard again" in "\n".join(frames(fresh))


def test_a_restart_forgets_all_connections(
    mattermost: Mattermost, connect: Connect
) -> None:
    first = greeted(connect())
    mattermost.restart()
    assert first.is_closed()
    second = connect(first, 2)
    assert frames(second) == recorded("32_resume_after_server_restart")


def test_without_reliable_websockets_the_id_is_empty(
    mattermost: Mattermost, connect: Connect
) -> None:
    mattermost.settings.is_reliable = False
    hello = connect().receive()
    assert hello["data"]["connection_id"] == ""
    ignored = connect(connection_id="short", number="abc")
    assert ignored.receive()["event"] == "hello"


def test_the_reaper_takes_the_quiet_and_spares_the_active(
    mattermost: Mattermost, connect: Connect
) -> None:
    first = greeted(connect())
    frames(first)
    drop(mattermost, first)
    mattermost.reap()
    second = connect(first, 2)
    assert "hello" not in "".join(frames(second))
    drop(mattermost, second)
    mattermost.settings.stale_after_s = 0
    mattermost.reap()
    third = connect(second, 4)
    assert frames(third)[0] == "0:hello:"
