"""What Redis says is of it, of one place in it, or of what was to be written."""

from __future__ import annotations

import pytest

from malexbot.consumers.away import Away, Closed
from malexbot.consumers.line import Gone, asking
from malexbot.errors import MalexbotError, Permanent
from tests.support.redis import RedisServer

# What a server answers, what it means, and the words that are told.
SAID = [
    ("MOVED 866 127.0.0.1:6380", Away, "another Redis of the cluster has that: MOVED"),
    ("ASK 866 127.0.0.1:6380", Away, "Redis: ASK 866"),
    ("DENIED Redis is running in protected mode", Away, "Redis: DENIED Redis is"),
    ("CLUSTERDOWN Hash slot not served", Away, "Redis: CLUSTERDOWN Hash"),
    ("CROSSSLOT Keys do not hash to the same slot", Away, "Redis: CROSSSLOT Keys"),
    ("ERR DB index is out of range", Away, "Redis: .*DB index"),
    ("BRANDNEW words", Away, "Redis: BRANDNEW words"),
    ("NOPERM no permissions", Closed, "the user may not do that in Redis: NOPERM"),
    ("NOGROUP no such key", Gone, "NOGROUP no such key"),
    ("WRONGTYPE Operation against a key", Permanent, "Redis: WRONGTYPE Operation"),
]


@pytest.mark.parametrize(("answer", "kind", "told"), SAID)
def test_only_what_is_of_the_event_is_for_ever(
    server: RedisServer, answer: str, kind: type[MalexbotError], told: str
) -> None:
    with server.client() as client:
        with pytest.raises(MalexbotError, match=f"^{told}") as error, asking():
            client.eval("return redis.error_reply(ARGV[1])", 0, answer)
    assert type(error.value) is kind


def test_what_cannot_be_written_is_for_ever(server: RedisServer) -> None:
    with server.client() as client:
        with pytest.raises(Permanent), asking():
            client.execute_command("SET", "key", object())


def test_of_an_event_nothing_is_told(server: RedisServer) -> None:
    with server.client() as client:
        with pytest.raises(Away, match="unknown command 'NONE'$"), asking():
            client.execute_command("NONE", "what was said")
