"""Whatever comes in is archived, or kept as it came for a person to see."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from malexbot.sandbox.socket import text_frame
from tests.faults.stage import Stage
from tests.faults.talk import Talk
from tests.faults.wrong import FRAMES, ROWS, Fate, Make, Writer, nested

# The first byte of a frame.
TEXT, BINARY, PING = b"\x81", b"\x82", b"\x89"
TEXT_BEGINS, GOES_ON, ENDS = b"\x01", b"\x00", b"\x80"

# What ends a connection, and what the log says then.
BREAKS: Mapping[str, tuple[bytes, str]] = {
    "an opcode of nobody": (b"\x83\x00", "tries again"),
    "reserved bits": (b"\xf1\x02{}", "tries again"),
    "a ping of 200 bytes": (b"\x89\x7e\x00\xc8" + b"x" * 200, "tries again"),
    "a continuation of nothing": (b"\x80\x02{}", "tries again"),
    "a close without a reason": (b"\x88\x00", "goodbye"),
    "a close of one byte": (b"\x88\x01x", "tries again"),
    "a close in no language": (b"\x88\x04\x03\xe8\xff\xfe", "tries again"),
    "a frame without an end": (
        b"\x81\x7f" + (1 << 40).to_bytes(8, "big") + b"x" * 4096,
        "tries again",
    ),
    "another hello": (
        text_frame(b'{"event":"hello","data":{"connection_id":"x"},"seq":0}'),
        "began anew",
    ),
    "a hello with a number": (
        text_frame(b'{"event":"hello","data":7,"seq":0}'),
        "began anew",
    ),
    "a number from nowhere": (
        text_frame(b'{"event":"typing","data":{},"seq":1000000}'),
        "is missing",
    ),
    "a number below zero": (
        text_frame(b'{"event":"typing","data":{},"seq":-1}'),
        "is missing",
    ),
    "a ping that is refused": (
        text_frame(b'{"status":"FAIL","error":7,"seq_reply":1}'),
        "refused a ping",
    ),
    "a token that is refused": (
        text_frame(b'{"status":"FAIL","error":{"status_code":401}}'),
        "unauthorised",
    ),
}

FOUND = """
SELECT 1 FROM posts WHERE id = %s
UNION ALL SELECT 1 FROM rejects WHERE encode(raw, 'escape') LIKE %s
"""


def writer(scene: Stage) -> Writer:
    return Writer(scene.town, scene.sandbox.clock.now_ms())


def utter(scene: Stage, told: bytes) -> None:
    assert scene.faults.utter(told.hex(), user_id=scene.town.bot) == 1


def meets(scene: Stage, fate: Fate, post_id: str, raw: bytes) -> None:
    """It ends as it should, and nobody takes notice of it but the log."""
    if fate == "archived":
        scene.wait_for(("SELECT 1 FROM posts WHERE id = %s", post_id))
    else:
        scene.wait_for(("SELECT 1 FROM rejects WHERE raw = %s", raw))
    assert "Traceback" not in scene.log
    assert "is open" not in scene.log
    assert max(map(len, scene.log.splitlines()), default=0) < 1000


def heard(scene: Stage, text: str) -> None:
    utter(scene, text_frame(text.encode("utf-8", "surrogatepass")))


@pytest.mark.parametrize(("make", "fate"), FRAMES.values(), ids=FRAMES.keys())
def test_a_frame(scene: Stage, make: Make, fate: Fate) -> None:
    writes = writer(scene)
    text = make(writes)
    heard(scene, text)
    meets(scene, fate, writes.id, text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(("make", "fate"), ROWS.values(), ids=ROWS.keys())
def test_a_row_in_a_frame(scene: Stage, make: Make, fate: Fate) -> None:
    writes = writer(scene)
    text = writes.told(make(writes))
    heard(scene, text)
    meets(scene, fate, writes.id, text.encode())


def test_a_frame_in_bytes(scene: Stage) -> None:
    writes = writer(scene)
    utter(scene, text_frame(writes.posted().encode()).replace(TEXT, BINARY, 1))
    meets(scene, "archived", writes.id, b"")


def test_a_frame_in_pieces_with_a_ping_between_them(scene: Stage) -> None:
    writes = writer(scene)
    text = writes.posted(message="ü" * 500).encode()
    pieces = [text[at : at + 100] for at in range(0, len(text), 100)]
    kinds = [TEXT_BEGINS, *[GOES_ON] * (len(pieces) - 2), ENDS]
    for kind, piece in zip(kinds, pieces, strict=True):
        utter(scene, kind + bytes([len(piece)]) + piece + PING + b"\x00")
    meets(scene, "archived", writes.id, b"")


def reconnected(scene: Stage, talk: Talk) -> None:
    talk.go_on_until(lambda: "is open:" in scene.log or "goes on" in scene.log)


@pytest.mark.parametrize(("told", "why"), BREAKS.values(), ids=BREAKS.keys())
def test_what_ends_the_connection(scene: Stage, told: bytes, why: str) -> None:
    with scene.talk() as talk:
        talk.go_on(10)
        utter(scene, told)
        talk.go_on_until(lambda: why in scene.log)
        reconnected(scene, talk)
    scene.check()


def new_channel(scene: Stage, name: str, posts: int) -> list[Writer]:
    """With so many posts that nobody was told of."""
    town, people = scene.town, scene.scene
    channel_id = people.add_channel(town.team, name, town.admin)
    ids = people.post_many(channel_id, town.admin, ["good"] * posts, is_told=False)
    people.join(channel_id, town.bot, by=town.admin)
    rows = people.world.posts
    return [
        Writer(town, rows[id_].create_at, channel_id=channel_id, post_id=id_)
        for id_ in ids
    ]


def _read(raw: memoryview) -> object:
    """What a reject says; a row of a page was written anew for it."""
    try:
        return json.loads(bytes(raw))
    except (ValueError, RecursionError):
        return ...


def test_rows_on_a_page(scene: Stage) -> None:
    """Whatever they are, the good ones among them are archived."""
    with scene.scene.world.lock:
        writers = new_channel(scene, "odd", 2 * len(ROWS))
        bad, good = writers[: len(ROWS)], writers[len(ROWS) :]
        cases = [
            (name, write.id, make(write), fate)
            for write, (name, (make, fate)) in zip(bad, ROWS.items(), strict=True)
        ]
        for _, post_id, text, _ in cases:
            scene.faults.malform_post(post_id, text)
    for write in good:
        scene.wait_for(("SELECT 1 FROM posts WHERE id = %s", write.id))
    archived = {id_ for (id_,) in scene.rows("SELECT id FROM posts")}
    rejects = [_read(raw) for (raw,) in scene.rows("SELECT raw FROM rejects")]
    for name, post_id, text, fate in cases:
        assert (post_id in archived) == (fate == "archived"), name
        assert (json.loads(text) in rejects) == (fate == "rejected"), name
    assert "Traceback" not in scene.log


@pytest.mark.parametrize("levels", [240, 300, 990, 1_020, 1_100, 10_000])
def test_a_deep_row_hides_nothing(scene: Stage, levels: int) -> None:
    """Neither on its page nor in its frame."""
    with scene.scene.world.lock:
        deep, good = new_channel(scene, f"deep{levels}", 2)
        text = deep.with_text("props", f'{{"a":{nested(levels)}}}')
        scene.faults.malform_post(deep.id, text)
    heard(scene, deep.told(text))
    scene.wait_for(("SELECT 1 FROM posts WHERE id = %s", good.id))
    scene.wait_for((FOUND, deep.id, f"%{deep.id}%"))
    assert "Traceback" not in scene.log
