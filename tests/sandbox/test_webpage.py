"""The page at the root: what a browser is given, and who may ask for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from malexbot.errors import Transient
from malexbot.sandbox.fixtures import Mattermost
from tests.sandbox.clients import PATIENCE_S, Rest

ROW = {"id": "p1", "message": "hello"}


class Browser:
    """Asks the page's doors."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()

    def __call__(self, method: str, path: str, **more: Any) -> requests.Response:
        return self._session.request(
            method, self._url + path, timeout=PATIENCE_S, **more
        )

    def get(self, path: str, **query: Any) -> Any:
        return self("GET", path, params=query).json()

    def post(self, path: str, **body: Any) -> requests.Response:
        return self("POST", path, json=body)

    def close(self) -> None:
        self._session.close()


class Beside:
    """A bot that a test plays."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.asked: list[tuple[str, int]] = []
        self.is_away = False

    def look(self, channel_id: str, since: int) -> dict[str, Any]:
        if self.is_away:
            raise Transient("nobody is there")
        self.asked.append((channel_id, since))
        return {"bot": "listening", "may": ["kill"], "archive": True, "posts": [ROW]}

    def do(self, what: str) -> None:
        self.done.append(what)


@pytest.fixture
def browser(mattermost: Mattermost) -> Iterator[Browser]:
    opened = Browser(mattermost.url)
    yield opened
    opened.close()


@pytest.fixture
def beside(mattermost: Mattermost) -> Beside:
    played = Beside()
    mattermost.page.show(played)
    return played


def test_all_that_the_page_names_is_there(browser: Browser) -> None:
    page = browser("GET", "/")
    assert page.status_code == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    named = [word.split('"')[0] for word in page.text.split('"/page/')[1:]]
    assert "main.js" in named
    for name in named:
        kind = browser("GET", f"/page/{name}").headers["Content-Type"]
        assert kind.partition(";")[0] in (
            "text/css",
            "text/javascript",
            "image/svg+xml",
        )


def test_nothing_is_loaded_from_elsewhere_or_run_in_place(browser: Browser) -> None:
    page = browser("GET", "/")
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in policy and "*" not in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert not re.search(r"\s(style|on\w+)=|<script>|<style", page.text)


@pytest.mark.parametrize(
    "path", ["/page/", "/page/nothing.js", "/page/..%2f..%2fworld.py", "/page/page.py"]
)
def test_no_other_file_is_given(browser: Browser, path: str) -> None:
    assert browser("GET", path).status_code == 404


def test_the_link_of_a_post_leads_to_its_thread(
    mattermost: Mattermost, browser: Browser
) -> None:
    town, scene = mattermost.town, mattermost.scene
    root = scene.post(town.channel, town.bob, "a root")
    reply = scene.post(town.channel, town.bob, "a reply", root_id=root)
    for post_id in (root, reply):
        answer = browser("GET", f"/malex/pl/{post_id}", allow_redirects=False)
        place = f"/#{town.channel}/{root}"
        assert (answer.status_code, answer.headers["Location"]) == (302, place)
    assert browser("GET", f"/malex/pl/{'x' * 26}").status_code == 404


def test_a_person_comes_in_and_talks(mattermost: Mattermost, browser: Browser) -> None:
    town = mattermost.town
    people = browser.get("/page/people")
    assert people == [
        {"id": town.alice, "username": "alice"},
        {"id": town.bob, "username": "bob"},
    ]
    token = browser.post("/page/enter", user_id=town.alice).json()["token"]
    assert browser.post("/page/enter", user_id=town.alice).json()["token"] == token
    with Rest(mattermost.url, token) as alice:
        assert alice.get("/users/me")["username"] == "alice"
    mattermost.scene.revoke_token(token)
    assert browser.post("/page/enter", user_id=town.alice).json()["token"] != token


def test_nobody_comes_in_as_a_bot_or_an_admin(
    mattermost: Mattermost, browser: Browser
) -> None:
    town = mattermost.town
    for user_id in (town.bot, town.admin, "", "nobody"):
        assert browser.post("/page/enter", user_id=user_id).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": ""},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_foreign_names_and_pages_are_refused(
    mattermost: Mattermost, browser: Browser, beside: Beside, headers: dict[str, str]
) -> None:
    enter = {"user_id": mattermost.town.alice}
    for method, path, body in (
        ("GET", "/", None),
        ("GET", "/page/people", None),
        ("GET", f"/malex/pl/{'x' * 26}", None),
        ("POST", "/page/enter", enter),
        ("POST", "/page/do", {"what": "kill"}),
    ):
        answer = browser(method, path, json=body, headers=headers)
        assert answer.status_code == 403
        assert "token" not in answer.text
    assert beside.done == []


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_the_names_of_this_machine_are_ours(
    mattermost: Mattermost, browser: Browser, name: str
) -> None:
    headers = {"Host": f"{name}:{mattermost.port}"}
    answer = browser("GET", "/", headers=headers)
    assert answer.status_code == 200


def test_without_a_bot_there_is_nothing_beside_the_chat(browser: Browser) -> None:
    assert browser.get("/page/beside") == {"bot": "", "archive": False, "may": []}
    assert browser.post("/page/do", what="kill").status_code == 404


def test_the_posts_beside_come_once(browser: Browser, beside: Beside) -> None:
    first = browser.get("/page/beside", channel_id="c1", since=5)
    assert first["posts"] == [ROW]
    again = browser.get("/page/beside", channel_id="c1", since="x", has=first["digest"])
    assert again == {key: value for key, value in first.items() if key != "posts"}
    assert beside.asked == [("c1", 5), ("c1", 0)]


def test_whoever_cannot_tell_is_down(browser: Browser, beside: Beside) -> None:
    beside.is_away = True
    assert browser.get("/page/beside")["bot"] == "down"


def test_orders_are_passed_on(browser: Browser, beside: Beside) -> None:
    assert browser.post("/page/do", what="kill").status_code == 200
    assert beside.done == ["kill"]
    assert browser("POST", "/page/do", data="no JSON").status_code == 400
    assert browser("DELETE", "/page/do").status_code == 405


def test_faults_of_the_server_leave_the_page_alone(
    mattermost: Mattermost, browser: Browser
) -> None:
    mattermost.faults.fail(503)
    assert browser("GET", "/").status_code == 200
    assert browser("GET", "/api/v4/system/ping").status_code == 503


def test_sockets_are_counted_by_user(mattermost: Mattermost, client: object) -> None:
    town = mattermost.town
    assert mattermost.sockets(town.bot) == mattermost.sockets() == 1
    assert mattermost.sockets(town.alice) == 0
