"""What helps against each way in which a call fails."""

from __future__ import annotations

import pytest

from malexbot.cli.doctor.remedies import gist, remedy
from malexbot.messengers.mattermost.failures import (
    SESSION_EXPIRED,
    Answer,
    Busy,
    Failure,
    Rejected,
    Unauthorised,
    Unreachable,
)

CALL = "get /system/ping"
EXPIRED = (
    "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has"
    " expired (_ssl.c:1006)"
)
MISMATCH = (
    "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch,"
    " certificate is not valid for 'chat.example.org'. (_ssl.c:1006)"
)
SELF_SIGNED = (
    "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed"
    " certificate (_ssl.c:1006)"
)
PLAIN = "Client sent an HTTP request to an HTTPS server."


def refused(status: int, message: str = "", id: str = "") -> Answer:
    return Answer(status, id, message)


@pytest.mark.parametrize(
    ("error", "cure"),
    [
        (Unreachable(CALL, EXPIRED), "renew the certificate"),
        (Unreachable(CALL, MISMATCH), "the name that stands in the certificate"),
        (Unreachable(CALL, SELF_SIGNED), "REQUESTS_CA_BUNDLE="),
        (
            Unreachable(CALL, "[SSL: WRONG_VERSION_NUMBER] wrong version number"),
            "begin mattermost.http_host with http://",
        ),
        (Rejected(CALL, refused(400, PLAIN)), "begin mattermost.http_host with https"),
        (Unreachable(CALL, "Name or service not known"), "getent hosts chat"),
        (Unreachable(CALL, "Connection refused"), "does Mattermost run there"),
        (Unreachable(CALL, "Connection to chat timed out."), "firewall"),
        (Unreachable(CALL, "something new"), "curl -m 5 https://chat/api/v4"),
        (
            Rejected(CALL, refused(301, "moved to https://chat/; write that address")),
            "write that address to mattermost.http_host",
        ),
        (Busy(CALL, refused(502, "<html>")), "systemctl status mattermost"),
        (Busy(CALL, refused(429, "limit exceeded")), "Environment > Rate Limiting"),
        (Busy(CALL, refused(403, "<html>")), "no Mattermost answers there"),
        (Unauthorised(CALL, refused(401, "<html>")), "Authorization: Bearer on"),
    ],
)
def test_each_failure_has_its_remedy(error: Failure, cure: str) -> None:
    told = remedy(error, host="chat", url="https://chat/api/v4", proxy="")
    assert cure in told
    assert "{" not in told


@pytest.mark.parametrize(
    ("error", "is_suspect"),
    [
        (Unreachable(CALL, "Connection refused"), True),
        (Unreachable(CALL, SELF_SIGNED), False),
        (Busy(CALL, refused(502)), False),
    ],
)
def test_a_proxy_is_suspected_of_what_it_can_have_done(
    error: Failure, is_suspect: bool
) -> None:
    told = remedy(error, host="chat", url="https://chat", proxy="http://p:3128")
    assert ("it goes through http://p:3128" in told) == is_suspect


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Unreachable(CALL, "Connection refused"), "Connection refused"),
        (Busy(CALL, refused(502, "<h1>Bad</h1>")), "502 and a page of HTML"),
        (
            Unauthorised(CALL, refused(401, "Session expired.", SESSION_EXPIRED)),
            "401 Session expired.",
        ),
    ],
)
def test_its_gist_is_what_a_person_needs(error: Failure, words: str) -> None:
    assert gist(error).startswith(words)
    assert CALL not in gist(error) and SESSION_EXPIRED not in gist(error)
