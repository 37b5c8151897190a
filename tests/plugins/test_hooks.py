"""The addresses of plugins: who knows the secret is heard, and nobody else."""

from __future__ import annotations

import hashlib
import hmac
import logging
from typing import Any

import pytest
from pydantic import SecretStr

from malexbot.config.permissions import Webhook
from malexbot.errors import Transient
from malexbot.events import Event
from malexbot.plugins.hooks import Hooks
from malexbot.ports import Answered, Call

SECRET = "0123456789abcdef"
BODY = b'{"ref": "main"}'
NOW = 1_700_000_000_000


class Offers:
    def __init__(self) -> None:
        self.events: list[Event] = []
        self.error: Exception | None = None

    def __call__(self, event: Event) -> None:
        if self.error:
            raise self.error
        self.events.append(event)


@pytest.fixture
def offers() -> Offers:
    return Offers()


@pytest.fixture
def hooks(offers: Offers) -> Hooks:
    webhooks = {"github": Webhook(secret=SecretStr(SECRET))}
    return Hooks(webhooks, offer=offers, now_ms=lambda: NOW)


def call(
    path: str = "/hooks/github", body: bytes = BODY, query: str = "", **headers: str
) -> Call:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Call("POST", path, query, named, body, "192.0.2.1")


def signed(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


GOOD: dict[str, dict[str, Any]] = {
    "github": {"x_hub_signature_256": f"sha256={signed(BODY)}"},
    "gitea": {"x_gitea_signature": signed(BODY)},
    "gitlab": {"x_gitlab_token": SECRET},
    "bearer": {"authorization": f"Bearer {SECRET}"},
    "token": {"authorization": f"Token  {SECRET}"},
    "query": {"query": f"a=b&token={SECRET}"},
}
BAD: dict[str, dict[str, Any]] = {
    "nothing": {},
    "empty": {"x_hub_signature_256": "", "authorization": "", "query": "token="},
    "other": {"x_hub_signature_256": f"sha256={signed(b'else')}"},
    "key": {"x_hub_signature_256": f"sha256={signed(BODY, 'x' * 16)}"},
    "sha1": {"x_hub_signature": "sha1=0"},
    "short": {"authorization": f"Bearer {SECRET[:-1]}"},
    "long": {"x_gitlab_token": f"{SECRET}0"},
    "cyrillic": {"x_gitlab_token": "секрет"},
    "second": {"query": f"token=x&token={SECRET}"},
    "fields": {"query": "&".join(["token=x"] * 1001)},
    "unknown": {"path": "/hooks/gitlab", "authorization": f"Bearer {SECRET}"},
    "none": {"path": "/hooks/", "authorization": "Bearer "},
    "deeper": {"path": "/hooks/github/x", "authorization": f"Bearer {SECRET}"},
}


@pytest.mark.parametrize("kind", GOOD)
def test_who_knows_the_secret_is_heard(hooks: Hooks, offers: Offers, kind: str) -> None:
    assert hooks(call(**GOOD[kind])) == Answered()
    (event,) = offers.events
    assert (event.name, event.event_type, event.occurred_at) == ("hook", "hook", NOW)
    assert event.data["path"] == "/github"
    assert event.data["body"] == {"ref": "main"}
    assert SECRET not in str(event)


@pytest.mark.parametrize("kind", BAD)
def test_nobody_else_is_and_he_learns_nothing(
    hooks: Hooks, offers: Offers, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert hooks(call(**BAD[kind])) == Answered(401, b"{}")
    assert offers.events == []
    assert "192.0.2.1" in caplog.text
    assert SECRET not in caplog.text


def test_a_full_intake_says_when_to_come_again(hooks: Hooks, offers: Offers) -> None:
    offers.error = Transient("full")
    answered = hooks(call(**GOOD["gitlab"]))
    assert (answered.status, answered.retry_after_s) == (503, 5)


@pytest.mark.parametrize("header", ["x_github_delivery", "idempotency_key"])
def test_a_call_that_comes_again_is_the_same_event(
    hooks: Hooks, offers: Offers, header: str
) -> None:
    for number in ("1", "1", "2"):
        hooks(call(**GOOD["gitlab"], **{header: number}))
    first, again, other = (event.event_id for event in offers.events)
    assert first == again != other


def test_calls_without_a_number_are_all_different(hooks: Hooks, offers: Offers) -> None:
    hooks(call(**GOOD["gitlab"]))
    hooks(call(**GOOD["gitlab"]))
    first, other = (event.event_id for event in offers.events)
    assert first != other


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("application/json", b"[1]", [1]),
        ("application/json", b"[1", "[1"),
        ("text/plain", b"hello", "hello"),
        ("application/x-www-form-urlencoded", b"a=1&b=&a=2", {"a": "2", "b": ""}),
        ("", b"\xff", "\ufffd"),
    ],
)
def test_the_body_is_what_was_sent(
    hooks: Hooks, offers: Offers, kind: str, body: bytes, expected: Any
) -> None:
    hooks(call(body=body, content_type=kind, x_gitlab_token=SECRET, cookie="c"))
    data = offers.events[0].data
    assert data["body"] == expected
    assert data["headers"] == {"content-type": kind}


def test_other_secrets_count_at_once(hooks: Hooks, offers: Offers) -> None:
    other = "fedcba9876543210"
    hooks.adopt({"github": Webhook(secret=SecretStr(other))})
    assert hooks(call(x_gitlab_token=SECRET)).status == 401
    assert hooks(call(x_gitlab_token=other)).status == 200


def test_a_flood_of_forged_calls_is_none_of_the_log(
    hooks: Hooks, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(100):
        assert hooks(call(f"/hooks/guess{number}")) == Answered(401, b"{}")
    assert len(caplog.records) < 30
