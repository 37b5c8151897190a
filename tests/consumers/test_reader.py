"""What stands on the bus is read, whatever happens to the reader and to Redis."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from malexbot.config.targets import Redis
from malexbot.consumers import reader as reading
from malexbot.consumers.reader import Entry, Reader
from malexbot.consumers.redis import RedisBus
from malexbot.errors import Permanent
from tests.consumers.deliveries import delivery, sent
from tests.support.redis import Cutter, RedisServer

STREAM = "command"


@pytest.fixture
def alarms() -> list[str]:
    return []


@pytest.fixture
def reader(server: RedisServer, alarms: list[str]) -> Iterator[Reader]:
    with made(server.url, alarm=alarms.append) as reader:
        yield reader


def made(url: str, consumer: str = "one", **more: Any) -> Reader:
    terms = {"group": "moderation", "streams": [STREAM], **more}
    return Reader(url, consumer=consumer, **terms)


def put(server: RedisServer, *keys: str, stream: str = STREAM) -> None:
    bus = RedisBus(Redis(url=server.url))
    for key in keys:
        sent(bus, delivery(key, to=f"redis:{stream}"))
    bus.close()


def take(reader: Reader, number: int) -> list[Entry]:
    return list(islice(reader, number))


def handle(reader: Reader, number: int) -> list[str]:
    """The ids of so many events, each acknowledged."""
    found = []
    for entry in islice(reader, number):
        reader.ack(entry)
        found.append(entry.event_id)
    return found


def pending(server: RedisServer) -> int:
    with server.client() as client:
        told: Any = client.xpending(STREAM, "moderation")
    return int(told["pending"])


def test_an_entry_is_the_event_as_it_was_handed_over(
    reader: Reader, server: RedisServer
) -> None:
    put(server, "a")
    (entry,) = take(reader, 1)
    assert entry.stream == STREAM and entry.event_id == "event-a" and entry.schema == 1
    assert entry.event == {"text": "said a"}
    assert pending(server) == 1
    reader.ack(entry)
    assert pending(server) == 0


def test_each_event_comes_once_and_in_order(
    reader: Reader, server: RedisServer
) -> None:
    keys = [str(number) for number in range(100)]
    put(server, *keys)
    assert handle(reader, 100) == [f"event-{key}" for key in keys]
    assert pending(server) == 0


def test_several_streams_are_read(server: RedisServer) -> None:
    put(server, "a")
    put(server, "b", stream="button")
    with made(server.url, streams=[STREAM, "button"]) as reader:
        assert sorted(handle(reader, 2)) == ["event-a", "event-b"]


def test_what_was_not_acknowledged_comes_first_after_a_restart(
    server: RedisServer,
) -> None:
    put(server, "a", "b")
    with made(server.url) as reader:
        take(reader, 2)
    put(server, "c")
    with made(server.url) as reader:
        assert handle(reader, 3) == ["event-a", "event-b", "event-c"]


def test_what_another_consumer_left_lying_is_taken_over(server: RedisServer) -> None:
    put(server, "a")
    with made(server.url, consumer="gone") as gone:
        take(gone, 1)
    with made(server.url, stale_s=0.1) as reader:
        assert handle(reader, 1) == ["event-a"]


def test_what_was_taken_in_advance_is_not_handed_out_too_late(
    server: RedisServer,
) -> None:
    """Somebody else may have it by then."""
    put(server, "a", "b")
    with made(server.url, stale_s=0.2) as slow:
        entries = iter(slow)
        slow.ack(next(entries))
        threading.Event().wait(0.3)
        with made(server.url, consumer="two", stale_s=0.2) as quick:
            assert handle(quick, 1) == ["event-b"]
        put(server, "c")
        assert next(entries).event_id == "event-c"


def test_each_group_gets_all(server: RedisServer) -> None:
    put(server, "a")
    for group in ("moderation", "statistics"):
        with made(server.url, group=group) as reader:
            assert handle(reader, 1) == ["event-a"]


def test_two_of_a_group_share_what_there_is(server: RedisServer) -> None:
    found: list[str] = []
    number = 200
    readers = [made(server.url, consumer=name) for name in ("one", "two")]

    def work(reader: Reader) -> None:
        for entry in reader:
            found.append(entry.event_id)
            reader.ack(entry)
            if len(found) >= number:
                for each in readers:
                    each.stop()

    workers = [threading.Thread(target=work, args=[reader]) for reader in readers]
    for worker in workers:
        worker.start()
    put(server, *map(str, range(number)))
    for worker in workers:
        worker.join()
    for reader in readers:
        reader.close()
    assert sorted(found) == sorted(f"event-{key}" for key in range(number))
    assert pending(server) == 0


def test_a_loop_that_was_left_loses_nothing(
    reader: Reader, server: RedisServer
) -> None:
    """What was given along with it comes in the next loop, not in a minute."""
    put(server, "a", "b", "c")
    assert handle(reader, 1) == ["event-a"]
    assert handle(reader, 2) == ["event-b", "event-c"]


def test_who_waits_for_an_entry_is_not_told_of_an_outage(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """However short the client's patience is, Redis answers before it ends."""
    with made(f"{server.url}?socket_timeout=0.3") as reader:
        timer = threading.Timer(1.0, put, args=(server, "a"))
        timer.start()
        assert handle(reader, 1) == ["event-a"]
        timer.join()
    assert not caplog.messages


@pytest.mark.parametrize("direction", ["there", "back"])
def test_a_line_that_breaks_loses_nothing(server: RedisServer, direction: str) -> None:
    """What is acknowledged in vain comes again; nothing else does."""
    put(server, *(str(number) for number in range(100)))
    dice = random.Random(7)

    def cuts(way: str, _: bytes) -> bool:
        return way == direction and dice.random() < 0.05

    found, doubtful = [], set()
    with Cutter(server.port, cuts) as line, made(line.url) as reader:
        for entry in reader:
            found.append(entry.event_id)
            try:
                reader.ack(entry)
            except reading.Away:
                doubtful.add(entry.event_id)
            if len(set(found)) == 100:
                break
    assert doubtful
    again = {event_id for event_id in found if found.count(event_id) > 1}
    assert again <= doubtful


def test_what_was_lost_on_its_way_comes_at_once(server: RedisServer) -> None:
    """Redis holds that it was given; nobody else may take it for a minute."""
    put(server, "a")
    is_lost = threading.Event()

    def cuts(way: str, passed: bytes) -> bool:
        if b"event-a" not in passed or is_lost.is_set():
            return False
        is_lost.set()
        return True

    with Cutter(server.port, cuts) as line, made(line.url) as reader:
        began_at = time.monotonic()
        assert handle(reader, 1) == ["event-a"]
        assert is_lost.is_set() and time.monotonic() - began_at < 20


def test_what_is_in_hand_does_not_come_again_when_the_line_breaks(
    server: RedisServer,
) -> None:
    put(server, "a", "b")
    is_next_lost = threading.Event()

    def cuts(way: str, passed: bytes) -> bool:
        if way == "there" or not is_next_lost.is_set():
            return False
        is_next_lost.clear()
        return True

    with Cutter(server.port, cuts) as line, made(line.url) as reader:
        entries = iter(reader)
        held = [next(entries), next(entries)]
        is_next_lost.set()
        put(server, "c")
        assert next(entries).event_id == "event-c"
        assert not is_next_lost.is_set()
        reader.ack(held[0])
    assert pending(server) == 2


def test_a_flushed_redis_raises_the_alarm_and_later_events_flow(
    reader: Reader, server: RedisServer, alarms: list[str]
) -> None:
    put(server, "a")
    assert handle(reader, 1) == ["event-a"]
    with server.client() as client:
        client.flushall()
    put(server, "b")
    assert handle(reader, 1) == ["event-b"]
    (alarm,) = alarms
    assert "moderation of command was gone: Redis was flushed" in alarm


def test_a_flush_is_noticed_by_who_waits(
    reader: Reader, server: RedisServer, alarms: list[str]
) -> None:
    put(server, "a")
    entries = iter(reader)
    reader.ack(next(entries))
    found: list[Entry] = []
    waiting = threading.Thread(target=lambda: found.append(next(entries)))
    waiting.start()
    with server.client() as client:
        while not client.info("clients")["blocked_clients"]:
            threading.Event().wait(0.01)
        client.flushall()
    put(server, "b")
    waiting.join()
    assert found[0].event_id == "event-b" and len(alarms) == 1


def test_a_new_group_is_no_alarm(
    reader: Reader, server: RedisServer, alarms: list[str]
) -> None:
    put(server, "a")
    handle(reader, 1)
    assert alarms == []


def test_a_restart_is_waited_out(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    server.start()
    put(server, "a")
    with made(server.url) as reader:
        entries = iter(reader)
        reader.ack(next(entries))
        server.kill()
        found: list[Entry] = []
        waiting = threading.Thread(target=lambda: found.append(next(entries)))
        waiting.start()
        server.start()
        put(server, "b")
        waiting.join()
    server.stop()
    assert [entry.event_id for entry in found] == ["event-b"]


def test_a_frozen_redis_is_waited_out(server: RedisServer) -> None:
    """Longer than the client waits for an answer."""
    put(server, "a")
    with made(f"{server.url}?socket_timeout=2") as reader:
        entries = iter(reader)
        reader.ack(next(entries))
        found: list[Entry] = []
        waiting = threading.Thread(target=lambda: found.append(next(entries)))
        with server.frozen():
            waiting.start()
            waiting.join(3)
            assert waiting.is_alive()
        put(server, "b")
        waiting.join()
    assert [entry.event_id for entry in found] == ["event-b"]


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "from somebody else"},
        {"event": "no JSON", "id": "x", "schema": "1"},
        {"event": "[]", "id": "x", "schema": "1"},
        {"event": "{}", "id": "x", "schema": "?"},
        {"event": "{}", "id": b"\xff", "schema": "1"},
    ],
)
def test_what_is_no_event_is_laid_aside(
    reader: Reader, server: RedisServer, alarms: list[str], fields: dict[Any, Any]
) -> None:
    with server.client() as client:
        client.xadd(STREAM, fields)
    put(server, "a")
    assert handle(reader, 1) == ["event-a"]
    assert alarms and "it is no event" in alarms[0]
    assert aside(server) == ["it is no event"]
    assert pending(server) == 0


def test_what_is_laid_aside_fills_no_redis(
    reader: Reader, server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_DEAD", 50)
    with server.client() as client, client.pipeline(transaction=False) as many:
        for number in range(400):
            many.xadd(STREAM, {"text": str(number)})
        many.execute()
    put(server, "a")
    assert handle(reader, 1) == ["event-a"]
    # Redis cuts off whole blocks of entries.
    assert 50 <= len(aside(server)) <= 200


def test_what_nobody_survives_is_laid_aside(
    server: RedisServer, alarms: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_DELIVERIES", 3)
    put(server, "poison", "a")
    for _ in range(3):
        with made(server.url, alarm=alarms.append) as reader:
            assert [e.event_id for e in take(reader, 1)] == ["event-poison"]
    assert not alarms
    with made(server.url, alarm=alarms.append) as reader:
        left = handle(reader, 0) + _quickly(reader)
    assert "event-poison" not in left
    assert "nobody who was given it" in aside(server)[0]
    assert len(alarms) == len(aside(server))


def test_what_is_laid_aside_is_there_once_if_the_answer_is_lost(
    server: RedisServer,
) -> None:
    with server.client() as client:
        client.xadd(STREAM, {"text": "from somebody else"})
    put(server, "a")
    lost = [False, False]

    def cuts(way: str, passed: bytes) -> bool:
        """The first answer after it was laid aside."""
        lost[0] |= way == "there" and b":dead" in passed
        if way == "there" or not lost[0] or lost[1]:
            return False
        lost[1] = True
        return True

    with Cutter(server.port, cuts) as line, made(line.url) as reader:
        assert handle(reader, 1) == ["event-a"]
    assert lost == [True, True]
    assert aside(server) == ["it is no event"] and pending(server) == 0


def test_a_full_redis_is_waited_for_by_who_lays_aside(
    reader: Reader, server: RedisServer
) -> None:
    put(server, "a")
    entries = iter(reader)
    reader.ack(next(entries))
    with server.client() as client:
        client.xadd(STREAM, {"text": "from somebody else"})
        client.config_set("maxmemory", 1)
        timer = threading.Timer(0.5, client.config_set, ("maxmemory", 0))
        timer.start()
        late = threading.Thread(target=lambda: (timer.join(), put(server, "b")))
        late.start()
        assert next(entries).event_id == "event-b"
        late.join()
    assert aside(server) == ["it is no event"]


def _quickly(reader: Reader) -> Sequence[str]:
    """What comes within a second."""
    timer = threading.Timer(1.0, reader.stop)
    timer.start()
    found = [entry.event_id for entry in reader]
    timer.join()
    return found


def aside(server: RedisServer) -> list[str]:
    """Why each entry was laid aside."""
    with server.client() as client:
        found: Any = client.xrange(f"{STREAM}:dead", "-", "+")
    return [fields["reason"] for _, fields in found]


def test_what_was_cut_off_unread_is_told(
    server: RedisServer, alarms: list[str]
) -> None:
    put(server, "a", "b")
    with made(server.url) as reader:
        take(reader, 2)
    with server.client() as client:
        client.xtrim(STREAM, maxlen=0, approximate=False)
    put(server, "c")
    with made(server.url, alarm=alarms.append) as reader:
        assert handle(reader, 1) == ["event-c"]
    assert "cut off before they were done with" in alarms[0]
    assert pending(server) == 0


def test_what_was_cut_off_is_told_by_who_takes_it_over(
    server: RedisServer, alarms: list[str]
) -> None:
    put(server, "a", "b")
    with made(server.url, consumer="gone") as gone:
        take(gone, 2)
    with server.client() as client:
        client.xtrim(STREAM, maxlen=0, approximate=False)
    put(server, "c")
    threading.Event().wait(0.1)
    with made(server.url, alarm=alarms.append, stale_s=0.05) as reader:
        assert handle(reader, 1) == ["event-c"]
    assert "2 of command" in alarms[0]
    assert pending(server) == 0


def test_a_stop_ends_the_iteration(reader: Reader) -> None:
    timer = threading.Timer(0.1, reader.stop)
    timer.start()
    assert list(reader) == []
    timer.join()


def test_a_name_that_is_no_stream_is_told(reader: Reader, server: RedisServer) -> None:
    with server.client() as client:
        client.set(STREAM, "something else")
    with pytest.raises(Permanent, match="WRONGTYPE"):
        take(reader, 1)
