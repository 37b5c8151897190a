"""The real daemon among people who mean it no good: it refuses, counts, and works on.

Every route stands in a table; one that does not fails here.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from malexbot.app import Parts, compose
from malexbot.config.load import load
from malexbot.runtime.health import Health
from malexbot.sandbox.daemon import DaemonProcess
from malexbot.sandbox.fixtures import Mattermost
from malexbot.sandbox.home import Home
from malexbot.sandbox.town import build
from malexbot.storage.database import Database
from malexbot.storage.grants import KNOW_POSTS, MAKE, known, made
from malexbot.storage.leadership import Leadership
from malexbot.web.server import WebServer
from tests.support.postgres import Server
from tests.support.settings import db_block, free_port
from tests.support.threads import eventually
from tests.web.abuse import ATTACKS, DRIPS, METHODS, ROUTES, meant
from tests.web.caller import Caller, Reply, request
from tests.web.forgeries import (
    ALICE,
    DEPLOY,
    FORGED,
    GENUINE,
    GRANTS,
    OPS,
    PLUGIN,
    POSTS,
    SECRET,
    SETTINGS,
    WEBHOOKS,
    forged,
    genuine,
)

ANSWERS = "malexbot_http_answers_total"
REFUSALS = "malexbot_http_refusals_total"
CALLS = "malexbot_calls_total"


@pytest.fixture(autouse=True)
def no_thread_outlives_its_test() -> None:
    """The town's threads do: they are counted at the end of the module."""


class Victim(NamedTuple):
    """The daemon that all of them call."""

    config: Path
    daemon: DaemonProcess
    address: tuple[str, int]
    token: str

    def ask(self, text: bytes) -> Reply:
        with Caller(self.address) as caller:
            return caller.ask(text)

    def counted(self, metric: str) -> Counter[str]:
        """Its numbers by their label."""
        lines = self.ask(request(path="/metrics")).body.splitlines()
        found = [line for line in lines if line.startswith(metric + "{")]
        rows = [line.rpartition(" ") for line in found]
        return Counter({label.split('"')[1]: int(float(n)) for label, _, n in rows})

    def number(self, metric: str) -> float:
        lines = self.ask(request(path="/metrics")).body.splitlines()
        (line,) = [line for line in lines if line.startswith(metric + " ")]
        return float(line.rpartition(" ")[2])

    @property
    def is_well(self) -> bool:
        return all(
            self.ask(request(path=path)).status == 200
            for path in ("/healthz", "/readyz")
        )


@pytest.fixture(scope="module")
def victim(
    postgres: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Victim]:
    before = set(threading.enumerate())
    dsn, port = postgres.migrated(), free_port()
    with Mattermost() as sandbox:
        town = build(sandbox.scene)
        home = Home(tmp_path_factory.mktemp("abuse"), url=sandbox.url, token=town.token)
        blocks = {
            "db": db_block(dsn),
            "backend": {"host": "127.0.0.1", "port": port},
            "plugins": ["shop.py"],
            "webhooks": WEBHOOKS,
            "mattermost": SETTINGS,
        }
        config = home.write_config("", blocks)
        config.with_name("shop.py").write_text(PLUGIN)
        with Database(dsn) as database, database.transaction() as cursor:
            cursor.run(MAKE, made(GRANTS, caused_by=ALICE))
            cursor.run(KNOW_POSTS, known(POSTS))
        with DaemonProcess(config, environ=home.environ) as daemon:
            daemon.wait_for_status("mattermost: connected")
            yield Victim(config, daemon, ("127.0.0.1", port), town.token)
            assert "Traceback" not in daemon.log
    postgres.drop(dsn)
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive(), f"left behind: {thread.name}"


def test_every_route_is_in_the_table(
    victim: Victim, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATTERMOST_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("MATTERMOST_TOKEN", "token")
    parts = Parts(
        config=load(victim.config),
        database=database,
        leadership=Leadership(database.dsn),
        health=Health(),
    )
    (web,) = [each for each in compose(parts).services if isinstance(each, WebServer)]
    routes = {
        rule.rule: rule.methods for rule in web.application().url_map.iter_rules()
    }
    assert routes == {rule: set(_routed(rule)) for rule in ROUTES}


def _routed(rule: str) -> tuple[str, ...]:
    """With GET comes HEAD, also where it is refused afterwards."""
    methods = ROUTES[rule].methods
    return (*methods, "HEAD") if "GET" in methods else methods


@pytest.mark.parametrize("rule, attack", list(meant()))
def test_it_is_refused_and_counted(victim: Victim, rule: str, attack: str) -> None:
    route, (text, codes, _) = ROUTES[rule], ATTACKS[attack]
    before = victim.counted(ANSWERS)
    reply = victim.ask(text(route))
    assert reply.status in codes, reply
    assert "Traceback" not in reply.body and len(reply.body) < 200
    fresh = victim.counted(ANSWERS) - before
    assert fresh == {str(reply.status): 1, "200": 1}
    assert victim.is_well


@pytest.mark.parametrize("rule", ROUTES)
def test_methods_that_are_none_of_its_own_are_refused(
    victim: Victim, rule: str
) -> None:
    route = ROUTES[rule]
    for method in set(METHODS) - set(route.methods):
        reply = victim.ask(request(method, route.path))
        assert reply.status == 405, method
        assert reply.body == "" or reply.body == "405 Method Not Allowed\n"


@pytest.mark.parametrize("rule, call", list(genuine()))
def test_who_may_call_is_answered(victim: Victim, rule: str, call: str) -> None:
    text, told = GENUINE[rule][call]
    reply = victim.ask(text)
    assert reply.status == 200 and told in reply.body, reply


@pytest.mark.parametrize("rule, forgery", list(forged()))
def test_who_may_not_is_told_nothing(victim: Victim, rule: str, forgery: str) -> None:
    taken, answers = victim.counted(CALLS), victim.counted(ANSWERS)
    reply = victim.ask(FORGED[rule][forgery])
    assert (reply.status, reply.body) == (401, "{}")
    assert victim.counted(CALLS) == taken
    assert victim.counted(ANSWERS) - answers == {"401": 1, "200": 2}


def test_every_door_has_its_forgeries() -> None:
    doors = {rule for rule, route in ROUTES.items() if route.takes}
    assert set(FORGED) == set(GENUINE) == doors


@pytest.mark.parametrize("rule", sorted(set(ROUTES) - set(FORGED)))
def test_what_has_no_secret_tells_none(victim: Victim, rule: str) -> None:
    """And the token of the bot is the best known of them."""
    for method in ROUTES[rule].methods:
        reply = victim.ask(request(method, ROUTES[rule].path))
        assert reply.status == 200, reply
        for secret in (victim.token, DEPLOY, OPS, SECRET):
            assert secret not in reply.body


def test_who_drips_harms_nobody(victim: Victim) -> None:
    with ExitStack() as stack:
        for number in range(100):
            drip = stack.enter_context(Caller(victim.address))
            drip.say(DRIPS[number % len(DRIPS)])
        connections = "malexbot_http_connections"
        eventually(lambda: victim.number(connections) > 100)
        for _ in range(10):
            assert victim.is_well
            assert victim.ask(request("POST", "/reach", b"{}")).status == 200
    eventually(lambda: victim.counted(REFUSALS)["the request was broken off"] >= 80)


def test_a_crowd_that_calls_at_once_is_answered(victim: Victim) -> None:
    with ExitStack() as stack:
        callers = [stack.enter_context(Caller(victim.address)) for _ in range(200)]
        for caller in callers:
            caller.say(request("POST", "/reach", b"{}"))
        codes = Counter(caller.hear().status for caller in callers)
    assert set(codes) <= {200, 503} and codes[200] >= 64
    assert victim.is_well


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from(
                [b"GET ", b"POST /slash", b" HTTP/1.1\r\n", b"Host: x\r\n", b"\r\n"]
                + [
                    b"Content-Length: 3\r\n",
                    b"Transfer-Encoding: chunked\r\n",
                    b"3\r\n",
                ]
            ),
        ),
        max_size=12,
    )
)
def test_nothing_that_anybody_says_is_answered_by_a_fault_of_ours(
    victim: Victim, parts: list[bytes]
) -> None:
    with Caller(victim.address) as caller:
        caller.say(b"".join(parts))
        caller.sock.shutdown(1)
        heard = b""
        try:
            while more := caller.sock.recv(65536):
                heard += more
        except ConnectionResetError:
            pass
    assert not heard or heard.startswith(
        (b"HTTP/1.1 2", b"HTTP/1.1 4", b"HTTP/1.1 501")
    )


def test_it_has_told_of_them_and_is_well(victim: Victim) -> None:
    assert victim.is_well
    eventually(lambda: "refused " in victim.daemon.log)
    assert "Traceback" not in victim.daemon.log
