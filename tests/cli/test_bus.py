"""`malexbot bus` shows what is handed over, and how far its readers are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from click.testing import CliRunner, Result

from malexbot.cli import bus as commands
from malexbot.cli import main
from malexbot.config.targets import Redis
from malexbot.consumers.reader import Reader
from malexbot.consumers.redis import RedisBus
from malexbot.consumers.survey import Survey
from malexbot.consumers.workstream.stream import Stream
from malexbot.runtime.record import Record
from tests.consumers.deliveries import delivery, sent
from tests.support.redis import RedisServer

Run = Callable[..., Result]
EVENT = {
    "event_type": "command",
    "user": {"uuid": 7, "name": "Анна", "nick": "anna"},
    "peer": {"bpid": 5, "cid": 5, "name": "town-square"},
    "message": {"cmid": 3, "text": "/deploy\nnow \x1b[31m"},
}


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(process: RedisServer) -> RedisServer:
    with process.client() as client:
        client.flushall()
    return process


def settings(server: RedisServer) -> Redis:
    return Redis(url=server.url, prefix="bot:")


@pytest.fixture
def run(server: RedisServer, tmp_path: Path) -> Run:
    file = tmp_path / "malexbot.yaml"
    file.write_text(yaml.safe_dump({"redis": {"url": server.url, "prefix": "bot:"}}))

    def call(*words: str) -> Result:
        return CliRunner().invoke(main, ["bus", *words, "--config", str(file)])

    return call


def put(server: RedisServer, *keys: str, stream: str = "command") -> None:
    bus = RedisBus(settings(server))
    for key in keys:
        sent(bus, delivery(key, to=f"redis:{stream}", event={**EVENT, "key": key}))
    bus.close()


def read(server: RedisServer, number: int, acked: int) -> None:
    """As a service does that is called moderation."""
    with Reader(
        server.url, group="moderation", consumer="one", streams=["bot:command"]
    ) as reader:
        for count, entry in enumerate(islice(reader, number)):
            if count < acked:
                reader.ack(entry)


def lags(run: Run) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = orjson.loads(run("lag", "--json").stdout)
    return told


def test_tail_tells_who_said_what_where(run: Run, server: RedisServer) -> None:
    put(server, "a")
    (line,) = run("tail").stdout.splitlines()
    assert line.endswith(
        "  bot:command  anna in town-square  command: /deploy now \ufffd[31m"
    )


def test_tail_shows_the_newest_of_each_stream(run: Run, server: RedisServer) -> None:
    put(server, "a", "b", "c")
    put(server, "d", stream="button")
    told = run("tail", "-n", "2", "--json").stdout.splitlines()
    assert [orjson.loads(line)["event"]["key"] for line in told] == ["b", "c", "d"]
    told = run("tail", "button", "--json").stdout.splitlines()
    (entry,) = map(orjson.loads, told)
    assert entry["stream"] == "bot:button" and entry["id"] == "event-d"
    assert entry["schema"] == 1 and "-" in entry["entry"]


def test_tail_shows_what_is_no_event(run: Run, server: RedisServer) -> None:
    with server.client() as client:
        client.xadd("bot:command", {"text": "from somebody else"})
    assert "no event: {'text': 'from somebody else'}" in run("tail").stdout


def test_tail_tells_what_was_done(run: Run, server: RedisServer) -> None:
    done = Record(1.0, "response", "run", "done", took_s=0.0031, job=7, user="anna")
    away = done._replace(outcome="again", note="no \x1b[31m", to="redis:command")
    stream = Stream("redis:log", settings(server), "log", max_entries=9)
    stream.write([done, away])
    stream.close()
    well, ill = run("tail").stdout.splitlines()
    assert well.endswith("  bot:log  response  run done in 3.1 ms, job 7")
    assert ill.endswith("  run again in 3.1 ms, to redis:command, job 7: no \ufffd[31m")
    first, _ = map(orjson.loads, run("tail", "--json").stdout.splitlines())
    assert first["stream"] == "bot:log" and first["record"] == done.as_dict()


@pytest.mark.parametrize("record", ["no JSON", "[]", '{"who": "me"}'])
def test_tail_shows_what_only_looks_like_a_record(
    run: Run, server: RedisServer, record: str
) -> None:
    with server.client() as client:
        client.xadd("bot:log", {"record": record})
    assert "no event: {'record': " in run("tail").stdout


def test_tail_goes_on_with_what_comes(server: RedisServer) -> None:
    put(server, "a")
    with Survey(settings(server)) as bus:
        coming = bus.follow(["bot:command"], bus.newest(["bot:command"], 1))
        late = threading.Thread(target=put, args=(server, "b", "c"))
        late.start()
        found = [entry.event["key"] for entry in islice(coming, 2)]
        late.join()
    assert found == ["b", "c"]


def test_tail_follows_without_looking_back(
    run: Run, server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And -n 0 hides what was there."""
    put(server, "a")

    def follow(self: Survey, streams: Any, seen: Any) -> Iterator[Any]:
        assert [entry.event["key"] for entry in seen] == ["a"]
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(Survey, "follow", follow)
    done = run("tail", "-n", "0", "-f")
    assert done.stdout == "" and done.exit_code == 130


def test_lag_tells_how_far_each_group_is(run: Run, server: RedisServer) -> None:
    put(server, "a", "b", "c", "d")
    read(server, 2, acked=1)
    put(server, "e")
    (stream,) = lags(run)
    (group,) = stream["groups"]
    assert stream["name"] == "bot:command" and stream["entries"] == 5
    assert group["name"] == "moderation" and group["consumers"] == 1
    # The reader took all four at once, and let go of one.
    assert group["pending"] == 3 and group["unread"] == 1
    assert 0 < group["behind_s"] < 60
    head, line = run("lag").stdout.splitlines()
    assert head.split()[0] == "STREAM"
    assert line.split()[:6] == ["bot:command", "5", "moderation", "1", "1", "3"]


def test_who_has_done_all_is_not_behind(run: Run, server: RedisServer) -> None:
    put(server, "a")
    read(server, 1, acked=1)
    (group,) = lags(run)[0]["groups"]
    assert group["unread"] == group["pending"] == 0 and group["behind_s"] == 0
    assert run("lag").stdout.splitlines()[1].endswith("  -")


def test_who_holds_one_is_behind_by_its_age(run: Run, server: RedisServer) -> None:
    put(server, "a")
    read(server, 1, acked=0)
    (group,) = lags(run)[0]["groups"]
    assert group["pending"] == 1 and group["unread"] == 0 and group["behind_s"] > 0


def test_what_was_deleted_is_not_waited_for(run: Run, server: RedisServer) -> None:
    """Redis itself cannot tell any more how many are unread."""
    put(server, "a", "b")
    with server.client() as client:
        client.xgroup_create("bot:command", "moderation", id="0")
        ids = [entry_id for entry_id, _ in client.xrange("bot:command")]
        client.xgroup_setid("bot:command", "moderation", ids[0])
        client.xdel("bot:command", ids[1])
    (group,) = lags(run)[0]["groups"]
    assert group["unread"] == 0 and group["behind_s"] == 0


def test_a_stream_that_nobody_reads_is_told(run: Run, server: RedisServer) -> None:
    put(server, "a")
    assert "nobody reads it" in run("lag").stdout


def test_a_name_of_no_stream_is_told(run: Run, server: RedisServer) -> None:
    put(server, "a")
    done = run("tail", "button")
    assert done.exit_code == 1
    assert "there is no stream bot:button; there are: bot:command" in done.stderr


def test_only_streams_of_the_prefix_are_shown(run: Run, server: RedisServer) -> None:
    with server.client() as client:
        client.xadd("another", {"a": "b"})
        client.set("bot:something", "else")
    done = run("lag")
    assert done.exit_code == 1 and "there is no stream" in done.stderr


@pytest.mark.parametrize(
    ("block", "told", "code"),
    [
        ({}, "has no `redis:` block", 1),
        ({"redis": {"url": "redis://127.0.0.1:1"}}, "Redis: Error 111", 75),
        ({"redis": {"mode": "pubsub"}}, "kept nowhere", 1),
    ],
)
def test_what_is_no_bus_is_told(
    tmp_path: Path, block: dict[str, Any], told: str, code: int
) -> None:
    file = tmp_path / "malexbot.yaml"
    file.write_text(yaml.safe_dump(block))
    done = CliRunner().invoke(main, ["bus", "lag", "--config", str(file)])
    assert done.exit_code == code and told in done.stderr


def test_words_are_clipped() -> None:
    assert len(commands._clipped("x" * 1000)) == commands.LONGEST_WORDS
