"""What somebody has not done is not cut off; what everybody has done is."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
import redis

from malexbot.config.targets import Redis
from malexbot.consumers.reader import Reader
from malexbot.consumers.shears import KEPT_S, Shears
from malexbot.consumers.survey import after, moment
from tests.support.redis import RedisServer

STREAM = "command"
NO_BOUND = 0
# Redis cuts off whole blocks: so many entries may be left of what could go.
BLOCK = 100


@pytest.fixture
def client(server: RedisServer) -> Iterator[redis.Redis]:
    with server.client() as client:
        yield client


@pytest.fixture
def shears(server: RedisServer) -> Iterator[Shears]:
    with Shears(Redis(url=server.url)) as shears:
        yield shears


def add(client: redis.Redis, number: int) -> list[str]:
    """So many entries, as malexbot writes them; returns their ids."""
    with client.pipeline(transaction=False) as many:
        for at in range(number):
            many.xadd(STREAM, {"event": "{}", "id": f"event-{at}", "schema": "1"})
        return list(many.execute())


def left(client: redis.Redis) -> list[str]:
    found: Any = client.xrange(STREAM)
    return [id for id, _ in found]


def give(client: redis.Redis, group: str, number: int) -> list[str]:
    """So many entries to the one consumer of the group; returns their ids."""
    if group not in [told["name"] for told in client.xinfo_groups(STREAM)]:
        client.xgroup_create(STREAM, group, id="0")
    if not number:
        return []
    told: Any = client.xreadgroup(group, "one", {STREAM: ">"}, count=number)
    return [id for id, _ in told[0][1]]


def done(client: redis.Redis, group: str, number: int) -> None:
    ids = give(client, group, number)
    client.xack(STREAM, group, *ids)


def test_what_all_groups_have_done_is_cut_off(
    client: redis.Redis, shears: Shears
) -> None:
    ids = add(client, 1000)
    done(client, "a", 1000)
    done(client, "b", 700)
    assert shears.trim(STREAM, most=NO_BOUND, kept_s=0)
    found = left(client)
    assert found[-300:] == ids[-300:] and len(found) <= 300 + BLOCK
    assert [id for id, _ in give_all(client, "b")] == ids[700:]


def give_all(client: redis.Redis, group: str) -> list[Any]:
    told: Any = client.xreadgroup(group, "one", {STREAM: ">"})
    return list(told[0][1])


def test_what_is_held_by_somebody_stays(client: redis.Redis, shears: Shears) -> None:
    """However many after it are done."""
    ids = add(client, 1000)
    given = give(client, "a", 1000)
    client.xack(STREAM, "a", *given[:500], *given[501:])
    shears.trim(STREAM, most=NO_BOUND, kept_s=0)
    assert left(client)[-500:] == ids[500:]
    assert len(left(client)) <= 500 + BLOCK


def test_a_group_that_has_read_nothing_keeps_all(
    client: redis.Redis, shears: Shears
) -> None:
    ids = add(client, 300)
    done(client, "a", 300)
    give(client, "late", 0)
    shears.trim(STREAM, most=NO_BOUND, kept_s=0)
    assert left(client) == ids


def test_what_is_done_stays_a_while_for_those_who_look(
    client: redis.Redis, shears: Shears
) -> None:
    now_s, _ = client.time()
    for age_s in (2 * KEPT_S, KEPT_S / 2):
        at = round((now_s - age_s) * 1000)
        for number in range(300):
            client.xadd(STREAM, {"event": "{}"}, id=f"{at}-{number + 1}")
    done(client, "a", 600)
    shears.trim(STREAM, most=NO_BOUND)
    assert 300 <= len(left(client)) <= 300 + BLOCK


def test_without_a_group_the_newest_stay(client: redis.Redis, shears: Shears) -> None:
    ids = add(client, 1000)
    shears.trim(STREAM, most=NO_BOUND)
    assert left(client) == ids
    cut = shears.trim(STREAM, most=400)
    found = left(client)
    assert found == ids[-len(found) :] and 400 <= len(found) <= 400 + BLOCK
    # Nobody was there to lose it.
    assert cut and (cut.lost, cut.losers) == (0, ())


def test_beyond_the_bound_what_is_done_goes_first(
    client: redis.Redis, shears: Shears
) -> None:
    """Even what would have stayed for a while."""
    ids = add(client, 1000)
    done(client, "a", 700)
    cut = shears.trim(STREAM, most=300)
    assert left(client) == ids[700:]
    assert cut and cut.lost == 0


def test_beyond_the_bound_the_oldest_go_and_it_is_told_who_lost_them(
    client: redis.Redis, shears: Shears
) -> None:
    ids = add(client, 1000)
    done(client, "quick", 1000)
    done(client, "slow", 100)
    give(client, "dead", 0)
    cut = shears.trim(STREAM, most=500)
    found = left(client)
    assert found == ids[-len(found) :] and 500 <= len(found) <= 500 + BLOCK
    assert cut and cut.losers == ["dead", "slow"]
    assert cut.lost == 1000 - len(found)


def test_the_bound_takes_no_account_of_what_is_done(
    client: redis.Redis, shears: Shears
) -> None:
    """Of what was cut off, only what somebody had not done is lost."""
    add(client, 1000)
    done(client, "slow", 150)
    cut = shears.trim(STREAM, most=500)
    assert cut and cut.lost == 850 - len(left(client))


def test_a_stream_that_is_not_there_is_none(shears: Shears) -> None:
    assert shears.trim("nothing", most=1) is None


def test_lag_is_right_after_a_cut(client: redis.Redis, shears: Shears) -> None:
    add(client, 1000)
    done(client, "a", 700)
    done(client, "b", 500)
    give(client, "b", 50)
    shears.trim(STREAM, most=NO_BOUND, kept_s=0)
    groups = {group.name: group for group in shears.state(STREAM).groups}
    assert (groups["a"].unread, groups["a"].pending) == (300, 0)
    assert (groups["b"].unread, groups["b"].pending) == (450, 50)


def test_who_lost_entries_is_behind_by_those_that_are_left(
    client: redis.Redis, shears: Shears
) -> None:
    add(client, 1000)
    give(client, "dead", 0)
    shears.trim(STREAM, most=500)
    (group,) = shears.state(STREAM).groups
    assert group.unread == len(left(client))


def test_readers_in_step_lose_nothing_while_it_is_cut(
    server: RedisServer, client: redis.Redis, shears: Shears
) -> None:
    """Cut after each piece, with readers of two groups who fall behind at random."""
    dice, number = random.Random(7), 2000
    found: dict[str, list[str]] = {"a": [], "b": []}
    client.xgroup_create(STREAM, "a", id="0", mkstream=True)
    client.xgroup_create(STREAM, "b", id="0")

    def read(group: str) -> None:
        with Reader(
            server.url, group=group, consumer="one", streams=[STREAM]
        ) as reader:
            for entry in islice(reader, number):
                found[group].append(entry.id)
                reader.ack(entry)

    readers = [threading.Thread(target=read, args=[group]) for group in found]
    ids: list[str] = []
    for reader in readers:
        reader.start()
    while len(ids) < number:
        ids += add(client, min(dice.randrange(1, 200), number - len(ids)))
        shears.trim(STREAM, most=NO_BOUND, kept_s=0)
    for reader in readers:
        reader.join()
    assert found == {"a": ids, "b": ids}
    shears.trim(STREAM, most=NO_BOUND, kept_s=0)
    assert len(left(client)) <= BLOCK


def test_keys_are_forgotten(client: redis.Redis, shears: Shears) -> None:
    keys = [f"{{command}}:sent:{number}" for number in range(2500)]
    client.mset(dict.fromkeys([*keys, "another"], "1"))
    shears.forget(keys)
    shears.forget([])
    assert client.keys() == ["another"]


def test_ids_are_ordered_by_time_and_number() -> None:
    assert moment("10-2") > moment("9-11") and moment("9-11") > moment("9-2")
    assert after("9-2") == "9-3" and after("0-0") == "0-1"
