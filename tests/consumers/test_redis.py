"""What is handed over by Redis is there once, whatever breaks."""

from __future__ import annotations

import itertools
import random
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import malexbot.consumers
from malexbot.config.targets import Redis
from malexbot.consumers.away import Away
from malexbot.consumers.redis import RedisBus
from malexbot.errors import Permanent, Transient
from tests.consumers.deliveries import delivery, sent
from tests.support.redis import Cutter, RedisServer

GUIDE = Path(malexbot.consumers.__file__).with_name("README.md").read_text()


@pytest.fixture
def bus(server: RedisServer) -> Iterator[RedisBus]:
    bus = RedisBus(Redis(url=server.url))
    yield bus
    bus.close()


def keys(server: RedisServer, stream: str = "command") -> list[str]:
    """Whose events are in the stream, in its order."""
    return [fields["id"].removeprefix("event-") for fields in entries(server, stream)]


def entries(server: RedisServer, stream: str = "command") -> list[dict[str, str]]:
    with server.client() as client:
        found: Any = client.xrange(stream)
    return [fields for _, fields in found]


def persist(bus: RedisBus, key: str, **more: Any) -> int:
    """Deliver it as the queue does, again and again; how often that failed."""
    for failures in itertools.count():
        try:
            sent(bus, delivery(key, **more))
            return failures
        except Transient:
            assert failures < 1000
    raise AssertionError


def test_an_entry_has_the_event_its_id_and_its_schema(
    bus: RedisBus, server: RedisServer
) -> None:
    done = sent(bus, delivery("k1", event={"text": "Привет"}))
    assert done.startswith("entry ")
    assert entries(server) == [
        {"event": '{"text":"Привет"}', "id": "event-k1", "schema": "1"}
    ]


def test_what_is_sent_twice_is_there_once(bus: RedisBus, server: RedisServer) -> None:
    first, again = sent(bus, delivery("a")), sent(bus, delivery("a"))
    sent(bus, delivery("b"))
    assert again == f"{first}, there before"
    assert keys(server) == ["a", "b"]


def test_what_was_sent_is_forgotten_at_last(server: RedisServer) -> None:
    bus = RedisBus(Redis(url=server.url, remember=100, prefix="bot:"))
    sent(bus, delivery("a"))
    bus.close()
    with server.client() as client:
        assert 90 < int(client.ttl("{bot:command}:sent:a")) <= 100
    assert keys(server, "bot:command") == ["a"]


def test_each_target_is_a_stream(bus: RedisBus, server: RedisServer) -> None:
    sent(bus, delivery("a", to="redis:message"))
    sent(bus, delivery("b", to="redis:a:b"))
    assert keys(server, "message") == ["a"] and keys(server, "a:b") == ["b"]


def test_a_lane_may_have_another_name_than_its_stream(
    bus: RedisBus, server: RedisServer
) -> None:
    job = delivery("a", to="redis:command (buttons)")
    sent(bus, replace(job, payload={**job.payload, "to": "redis:command"}))
    assert keys(server) == ["a"]


@pytest.mark.parametrize("direction", ["there", "back"])
def test_a_line_that_breaks_loses_nothing_and_doubles_nothing(
    server: RedisServer, direction: str
) -> None:
    """Before what was asked arrives, or after it was done and before the answer."""
    dice = random.Random(7)

    def cuts(way: str, _: bytes) -> bool:
        return way == direction and dice.random() < 0.2

    with Cutter(server.port, cuts) as line:
        bus = RedisBus(Redis(url=line.url))
        failures = sum(persist(bus, str(number)) for number in range(200))
        bus.close()
    assert failures > 50
    assert keys(server) == [str(number) for number in range(200)]


def test_killed_clients_lose_nothing_and_double_nothing(server: RedisServer) -> None:
    """By Redis itself, at any moment."""
    dice = random.Random(7)
    is_over = threading.Event()

    def kill() -> None:
        with server.client() as client:
            while not is_over.wait(dice.uniform(0, 0.01)):
                client.client_kill_filter(_type="normal", skipme=True)

    killer = threading.Thread(target=kill)
    killer.start()
    bus = RedisBus(Redis(url=server.url))
    try:
        failures = sum(persist(bus, str(number)) for number in range(200))
    finally:
        is_over.set()
        killer.join()
        bus.close()
    assert failures
    assert keys(server) == [str(number) for number in range(200)]


def test_a_restart_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    server.start()
    bus = RedisBus(Redis(url=server.url, time_out=2))
    try:
        for number in range(5):
            sent(bus, delivery(str(number)))
        server.stop()
        with pytest.raises(Transient):
            sent(bus, delivery("5"))
        server.start()
        # It knows what it was sent, and no script.
        persist(bus, "4")
        persist(bus, "5")
        server.kill()
        server.start()
        persist(bus, "6")
        assert keys(server)[-2:] == ["5", "6"]
        assert len(keys(server)) == 7
    finally:
        bus.close()
        server.stop()


def test_a_full_redis_takes_no_half_of_it(bus: RedisBus, server: RedisServer) -> None:
    sent(bus, delivery("a"))
    with server.client() as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", 1)
        with pytest.raises(Transient, match="Redis is full: OOM"):
            sent(bus, delivery("b"))
        client.config_set("maxmemory", 0)
    sent(bus, delivery("b"))
    assert keys(server) == ["a", "b"]


def test_a_replica_is_waited_for(bus: RedisBus, server: RedisServer) -> None:
    with server.client() as client:
        client.replicaof("127.0.0.1", 1)
        try:
            with pytest.raises(Transient, match="this Redis is a replica: READONLY"):
                sent(bus, delivery())
        finally:
            client.replicaof("NO", "ONE")
    sent(bus, delivery())
    assert keys(server) == ["k1"]


def test_a_frozen_redis_is_given_up_in_time(server: RedisServer) -> None:
    bus = RedisBus(Redis(url=server.url, time_out="300ms"))
    sent(bus, delivery("a"))
    with server.frozen():
        for _ in range(3):
            with pytest.raises(Transient):
                sent(bus, delivery("b"))
    persist(bus, "b")
    bus.close()
    assert keys(server) == ["a", "b"]


def test_a_flushed_redis_is_gone_on_with(bus: RedisBus, server: RedisServer) -> None:
    sent(bus, delivery("a"))
    with server.client() as client:
        client.flushall()
        client.script_flush()
    sent(bus, delivery("b"))
    assert keys(server) == ["b"]


def test_nothing_is_left_behind_by_a_user_without_the_right(
    server: RedisServer,
) -> None:
    """Neither an entry without its key, nor a key without its entry."""
    settings = Redis(url=server.url, username="bot", password="secret-of-the-bot")
    rights = "+@connection +evalsha +eval +get"
    with server.client() as client:
        for missing in ("+set +xdel", "+xadd +xdel"):
            client.execute_command(
                *"ACL SETUSER bot reset on >secret-of-the-bot ~*".split(),
                *f"{rights} {missing}".split(),
            )
            bus = RedisBus(settings)
            with pytest.raises(Transient, match="the user may not"):
                sent(bus, delivery())
            bus.close()
            assert client.xlen("command") == 0
            assert not client.exists("{command}:sent:k1")
        client.execute_command("ACL", "SETUSER", "bot", "+xadd", "+set")
        bus = RedisBus(settings)
        sent(bus, delivery())
        bus.close()
        client.execute_command("ACL", "DELUSER", "bot")
    assert keys(server) == ["k1"]


@pytest.mark.parametrize(
    ("mode", "rights"),
    [
        ("streams", "+evalsha +eval +get +set +xadd +xdel"),
        ("pubsub", "+evalsha +eval +set +del +publish &command"),
    ],
)
def test_the_rights_that_the_guide_names_are_enough(
    server: RedisServer, mode: Any, rights: str
) -> None:
    assert rights.removesuffix(" &command") in GUIDE
    with server.client() as client:
        client.execute_command(
            *"ACL SETUSER bot reset on >secret-of-the-bot resetchannels".split(),
            *f"~command ~{{command}}:sent:* {rights}".split(),
        )
        settings = {"username": "bot", "password": "secret-of-the-bot", "mode": mode}
        bus = RedisBus(Redis(url=server.url, **settings))
        try:
            sent(bus, delivery())
        finally:
            bus.close()
            client.execute_command("ACL", "DELUSER", "bot")


def test_what_may_not_be_told_is_told_once_it_may(server: RedisServer) -> None:
    settings = Redis(
        url=server.url, username="bot", password="secret-of-the-bot", mode="pubsub"
    )
    with server.client() as client:
        client.execute_command(
            *"ACL SETUSER bot reset on >secret-of-the-bot ~* &*".split(),
            *"+evalsha +eval +set +del".split(),
        )
        bus = RedisBus(settings)
        with pytest.raises(Transient, match="the user may not"):
            sent(bus, delivery())
        client.execute_command("ACL", "SETUSER", "bot", "+publish")
        assert sent(bus, delivery()) == "heard by 0"
        bus.close()
        client.execute_command("ACL", "DELUSER", "bot")


def test_a_wrong_password_is_waited_out(server: RedisServer) -> None:
    bus = RedisBus(Redis(url=server.url, username="nobody", password="no such one"))
    with pytest.raises(Transient) as refused:
        sent(bus, delivery())
    bus.close()
    assert "no such one" not in str(refused.value)


def test_a_name_that_is_no_stream_goes_dead(bus: RedisBus, server: RedisServer) -> None:
    with server.client() as client:
        client.set("command", "something else")
    with pytest.raises(Permanent, match="WRONGTYPE"):
        sent(bus, delivery())
    with server.client() as client:
        client.delete("command")
    sent(bus, delivery())
    assert keys(server) == ["k1"]


def test_a_database_that_is_not_there_is_waited_for(server: RedisServer) -> None:
    bus = RedisBus(Redis(url=server.url.replace("/0", "/99")))
    for ask in (bus.look, lambda: sent(bus, delivery())):
        with pytest.raises(Away, match="DB index is out of range"):
            ask()
    bus.close()


def test_a_redis_without_scripts_is_waited_for(tmp_path: Path) -> None:
    server = RedisServer(tmp_path, "--rename-command", "EVALSHA", "")
    server.start()
    bus = RedisBus(Redis(url=server.url))
    try:
        for ask in (bus.look, lambda: sent(bus, delivery())):
            with pytest.raises(Away, match="unknown command 'EVALSHA'$"):
                ask()
    finally:
        bus.close()
        server.stop()


def test_what_is_no_json_goes_dead(bus: RedisBus) -> None:
    with pytest.raises(Permanent, match="no JSON"):
        sent(bus, delivery(event={"text": object()}))


def test_pubsub_tells_who_listens_once(server: RedisServer) -> None:
    bus = RedisBus(Redis(url=server.url, mode="pubsub"))
    with server.client() as client, client.pubsub() as listener:
        assert sent(bus, delivery("a")) == "heard by 0"
        listener.subscribe("command")
        assert listener.get_message(timeout=5)
        assert sent(bus, delivery("b")) == "heard by 1"
        assert sent(bus, delivery("b")) == "told before"
        sent(bus, delivery("c"))
        heard = [listener.get_message(timeout=5) for _ in range(2)]
    bus.close()
    assert [m and m["data"] for m in heard] == [
        '{"text":"said b"}',
        '{"text":"said c"}',
    ]


def test_a_certificate_is_trusted_where_it_is_told(
    server: RedisServer, certificate: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Cutter(server.port, tls=context) as line:
        for ca_file in (certificate, None):
            bus = RedisBus(Redis(url=line.url, ca_file=ca_file))
            if ca_file:
                sent(bus, delivery("a"))
            else:
                with pytest.raises(Transient, match="CERTIFICATE_VERIFY_FAILED"):
                    sent(bus, delivery("b"))
            bus.close()
    assert keys(server) == ["a"]


def test_without_tls_it_is_not_spoken_to_in_the_clear(server: RedisServer) -> None:
    bus = RedisBus(Redis(url=server.url.replace("redis:", "rediss:"), time_out=0.5))
    with pytest.raises(Transient):
        sent(bus, delivery())
    bus.close()
    assert keys(server) == []


def test_a_socket_of_this_machine_will_do(tmp_path: Path) -> None:
    path = tmp_path / "s"
    server = RedisServer(tmp_path, "--unixsocket", str(path))
    server.start()
    bus = RedisBus(Redis(url=f"unix://{path}"))
    try:
        sent(bus, delivery())
        assert keys(server) == ["k1"]
    finally:
        bus.close()
        server.stop()


def test_another_database_has_its_number(server: RedisServer) -> None:
    bus = RedisBus(Redis(url=server.url.replace("/0", "/3")))
    sent(bus, delivery())
    bus.close()
    assert keys(server) == []


def test_many_are_handed_over_in_one_go(bus: RedisBus, server: RedisServer) -> None:
    sent(bus, delivery("1"))
    words = bus.send([delivery(str(number)) for number in range(3)])
    assert [word.partition(",")[2] for word in words] == ["", " there before", ""]
    assert keys(server) == ["1", "0", "2"]
    assert bus.streams == {"command"}


def test_what_fails_half_way_tells_what_went_before(
    bus: RedisBus, server: RedisServer
) -> None:
    with server.client() as client:
        client.lpush("{command}:sent:1", "no string")
        assert len(bus.send([delivery("0"), delivery("1"), delivery("2")])) == 1
        with pytest.raises(Permanent, match="WRONGTYPE"):
            bus.send([delivery("1"), delivery("2")])
    assert keys(server) == ["0"]


def test_listeners_are_told_of_many_in_one_go(server: RedisServer) -> None:
    bus = RedisBus(Redis(url=server.url, mode="pubsub"))
    sent(bus, delivery("1"))
    words = bus.send([delivery(str(number)) for number in range(3)])
    bus.close()
    assert words == ["heard by 0", "told before", "heard by 0"]


def test_what_ended_long_ago_need_not_be_known(bus: RedisBus) -> None:
    bus.note_ended(delivery("a"))
    assert bus.forgettable(60) == []
    assert bus.forgettable(0) == ["{command}:sent:a"]
    assert bus.forgettable(0) == []
