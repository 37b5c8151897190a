from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from malexbot.errors import MalexbotError
from malexbot.messengers.mattermost.dialogue import (
    HEARD_S,
    HELLO_S,
    PING_EVERY_S,
    PONG_S,
    Broken,
    Cut,
    Dialogue,
    NoHello,
    Resume,
)
from malexbot.messengers.mattermost.failures import Unauthorised

FIXTURES = Path(__file__).parents[2] / "fixtures" / "mattermost" / "messenger"
RECORDED = orjson.loads((FIXTURES / "dialogues.json").read_bytes())
ID = "a" * 26


def hear(dialogue: Dialogue, *frames: Any, now: float = 0.0) -> list[Any]:
    """The frames that are handed on."""
    told = [f if isinstance(f, bytes) else orjson.dumps(f) for f in frames]
    parsed = [(orjson.loads(raw), raw) for raw in told]
    return [frame for frame, raw in parsed if dialogue.take(frame, raw, now)]


def recorded(name: str) -> tuple[Dialogue, list[Any]]:
    told = RECORDED[name]
    resume = Resume(*told["resume"]) if told["resume"] else None
    dialogue = Dialogue(now=0.0, resume=resume)
    return dialogue, hear(dialogue, *(line.encode() for line in told["frames"]))


def event(sequence: int, name: str = "typing", **data: Any) -> Any:
    return {"event": name, "data": data, "seq": sequence}


def hello(connection_id: str = ID, sequence: int = 0) -> Any:
    return event(sequence, "hello", connection_id=connection_id)


def greeted() -> Dialogue:
    dialogue = Dialogue(now=0.0)
    hear(dialogue, hello())
    return dialogue


def pong(number: int, **changes: Any) -> Any:
    data = {"text": "pong", "server_time": 5000, "version": "5.37.0"}
    return {"status": "OK", "seq_reply": number, "data": data} | changes


@pytest.mark.parametrize("name", ["resume", "resume after a goodbye"])
def test_a_resume_is_proven_by_the_number_that_was_asked_for(name: str) -> None:
    dialogue, events = recorded(name)
    assert dialogue.is_greeted
    assert dialogue.is_resumed
    assert len(events) == len(RECORDED[name]["frames"])
    assert dialogue.connection_id == RECORDED[name]["resume"][0]


@pytest.mark.parametrize(
    "name", ["unknown id", "old one still open", "by message", "too much missed"]
)
def test_a_hello_refuses_the_resume(name: str) -> None:
    dialogue, events = recorded(name)
    assert dialogue.is_greeted
    assert not dialogue.is_resumed
    assert events[0]["event"] == "hello"
    assert dialogue.connection_id == events[0]["data"]["connection_id"]
    assert dialogue.connection_id != RECORDED[name]["resume"][0]


@pytest.mark.parametrize("name", ["sequence too high", "doubled"])
def test_a_doubled_socket_is_kept_and_tells_everything_once(name: str) -> None:
    dialogue, events = recorded(name)
    assert dialogue.is_doubled
    assert dialogue.resume(now=0.0) is None
    said = [orjson.dumps(event | {"seq": 0}) for event in events]
    after = said[max(n for n, e in enumerate(events) if e["event"] == "hello") :]
    assert len(after) == len(set(after))
    frames = RECORDED[name]["frames"]
    assert len({orjson.dumps(orjson.loads(f) | {"seq": 0}) for f in frames}) == len(
        set(said)
    )


def test_copies_are_told_from_repetitions_by_their_number() -> None:
    dialogue = greeted()
    hear(dialogue, hello(sequence=1))
    frames = [event(n, user="alice") for n in range(2, 8)]
    assert [e["seq"] for e in hear(dialogue, *frames)] == [2, 4, 6]


def test_a_copy_comes_soon_or_is_none() -> None:
    dialogue = greeted()
    hear(dialogue, hello(sequence=1))
    assert hear(dialogue, event(2), now=1.0)
    assert hear(dialogue, event(3), now=60.0)


def test_a_revoked_token_is_told_by_the_answer_and_not_shown() -> None:
    with pytest.raises(Unauthorised) as refused:
        recorded("token revoked")
    assert "t" * 26 not in str(refused.value)
    assert not refused.value.is_session_expired


def test_a_missing_number_ends_it() -> None:
    dialogue = greeted()
    assert hear(dialogue, event(1))
    with pytest.raises(Broken, match="2 is missing, 3 came"):
        hear(dialogue, event(3))


def test_the_last_event_once_more_is_no_harm() -> None:
    events = hear(greeted(), event(1), event(1), event(2), event(2))
    assert [event["seq"] for event in events] == [1, 2]


@pytest.mark.parametrize(
    "frames",
    [
        [event(1), event(2), event(1)],
        [event(1), hello("b" * 26, 2)],
        [event(1), hello("b" * 26, 0)],
        [{"status": "FAIL", "error": {"id": "x", "status_code": 400}}],
        [{"status": "FAIL"}],
    ],
    ids=str,
)
def test_what_cannot_be_ends_it(frames: list[Any]) -> None:
    with pytest.raises(Broken):
        hear(greeted(), *frames)


def test_events_before_a_hello_end_it() -> None:
    with pytest.raises(Broken):
        hear(Dialogue(now=0.0), event(1))
    with pytest.raises(Broken):
        hear(Dialogue(now=0.0, resume=Resume(ID, 7)), event(8))


def test_a_pong_proves_a_resume_that_had_nothing_to_tell() -> None:
    dialogue = Dialogue(now=0.0, resume=Resume(ID, 7))
    assert "ping" in dialogue.ping(0.0)
    assert hear(dialogue, pong(1)) == []
    assert dialogue.is_resumed
    assert hear(dialogue, event(7))
    assert dialogue.resume(now=0.0) == Resume(ID, 8)


def test_a_pong_proves_nothing_else() -> None:
    dialogue = Dialogue(now=0.0)
    dialogue.ping(0.0)
    hear(dialogue, pong(1))
    assert not dialogue.is_greeted


def test_a_pong_tells_the_time() -> None:
    dialogue = greeted()
    assert orjson.loads(dialogue.ping(10.0)) == {"seq": 1, "action": "ping"}
    assert dialogue.ping_at == 10.0 + PING_EVERY_S
    hear(dialogue, pong(1), now=11.0)
    assert dialogue.pong == (5000, 10.0)
    dialogue.check(now=1000.0)


@pytest.mark.parametrize(
    "answer",
    [
        pong(1, data={"text": "ping"}),
        pong(1, data=None),
        {"status": "OK", "seq_reply": 1},
    ],
    ids=str,
)
def test_the_answer_to_a_ping_is_looked_at(answer: Any) -> None:
    dialogue = greeted()
    dialogue.ping(0.0)
    with pytest.raises(Broken):
        hear(dialogue, answer)


def test_the_answer_to_another_question_is_no_pong() -> None:
    dialogue = greeted()
    dialogue.ping(0.0)
    assert hear(dialogue, pong(9)) == []
    with pytest.raises(Broken, match="no answer"):
        dialogue.check(PONG_S + 1)


def test_silence_is_noticed_though_events_go_on() -> None:
    dialogue = greeted()
    dialogue.ping(0.0)
    hear(dialogue, event(1), now=PING_EVERY_S)
    with pytest.raises(Broken, match="no answer"):
        dialogue.ping(PING_EVERY_S)


def test_without_a_hello_it_ends() -> None:
    dialogue = Dialogue(now=0.0)
    dialogue.check(HELLO_S - 0.1)
    with pytest.raises(NoHello) as error:
        dialogue.check(HELLO_S + 0.1)
    assert error.value.was_waited_for


@pytest.mark.parametrize(("at", "was_waited_for"), [(0.1, False), (5.0, True)])
def test_a_close_before_the_hello_tells_how_long_it_took(
    at: float, was_waited_for: bool
) -> None:
    error = Dialogue(now=0.0).cut("closed", now=at)
    assert isinstance(error, NoHello)
    assert error.was_waited_for is was_waited_for
    assert type(greeted().cut("closed", now=at)) is Cut


def test_a_resume_is_asked_for_after_a_close_seen_at_once() -> None:
    dialogue = greeted()
    dialogue.check(now=4.0)
    hear(dialogue, event(1), event(2), now=8.0)
    assert dialogue.resume(now=8.0 + HEARD_S - 0.1) == Resume(ID, 3)
    assert dialogue.resume(now=8.0 + HEARD_S + 0.1) is None


@pytest.mark.parametrize("is_quiet", [True, False])
def test_after_a_stall_of_ours_no_resume_is_asked_for(is_quiet: bool) -> None:
    """What waits for us then is old, and so is the close behind it."""
    dialogue = greeted()
    if is_quiet:
        dialogue.check(now=HEARD_S + 0.1)
    hear(dialogue, event(1), now=HEARD_S + 0.1)
    assert dialogue.resume(now=HEARD_S + 0.1) is None


@pytest.mark.parametrize("connection_id", ["", "short", "x" * 25 + "&"])
def test_what_is_no_id_is_never_sent(connection_id: str) -> None:
    dialogue = Dialogue(now=0.0)
    hear(dialogue, hello(connection_id))
    assert dialogue.is_greeted
    assert dialogue.resume(now=0.0) is None


def test_before_the_hello_there_is_nothing_to_resume() -> None:
    assert Dialogue(now=0.0, resume=Resume(ID, 7)).resume(now=0.0) is None


def test_a_challenge_carries_the_token() -> None:
    said = orjson.loads(Dialogue(now=0.0).challenge("ttt"))
    assert said["action"] == "authentication_challenge"
    assert said["data"] == {"token": "ttt"}


ANY: st.SearchStrategy[Any] = (
    st.none() | st.integers() | st.text(max_size=5) | st.just({}) | st.just([])
)


@given(
    frame=ANY
    | st.dictionaries(
        st.sampled_from(["event", "seq", "data", "status", "seq_reply", "error"]),
        ANY | st.sampled_from(["hello", "OK", "FAIL"]),
    ),
    is_greeted=st.booleans(),
)
def test_whatever_comes_it_goes_on_or_ends_in_our_words(
    frame: Any, is_greeted: bool
) -> None:
    dialogue = greeted() if is_greeted else Dialogue(now=0.0)
    dialogue.ping(0.0)
    try:
        dialogue.take(frame, b"{}", 1.0)
    except MalexbotError:
        return
