"""What stands between us and the server: TLS, proxies, silence."""

from __future__ import annotations

import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from malexbot.cli.doctor import server
from tests.cli.doctor.conftest import Patient
from tests.messengers.mattermost.detour import Detour

Certify = Callable[[int], Path]


@pytest.fixture
def certify(tmp_path: Path) -> Certify:
    """A certificate of our own for 127.0.0.1 that lasts so many days, with its key."""

    def make(days: int) -> Path:
        pem, key = tmp_path / "server.pem", tmp_path / "key.pem"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"]
        command += ["-keyout", str(key), "-out", str(pem), "-days", str(days)]
        command += ["-subj", "/CN=127.0.0.1"]
        command += ["-addext", "subjectAltName=IP:127.0.0.1"]
        subprocess.run(command, check=True, capture_output=True)
        pem.write_bytes(pem.read_bytes() + key.read_bytes())
        return pem

    return make


def behind_tls(patient: Patient, pem: Path) -> Detour:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    detour = Detour(patient.mattermost.port, tls=context)
    patient.set(http_host=f"https://127.0.0.1:{detour.port}")
    patient.mattermost.settings.site_url = f"https://127.0.0.1:{detour.port}"
    return detour


def test_a_certificate_that_nobody_trusts_is_told_with_where_to_name_it(
    patient: Patient, certify: Certify
) -> None:
    with behind_tls(patient, certify(30)):
        found = patient.check("server")
    assert found["state"] == "fault"
    assert "certificate verify failed" in found["what"]
    assert "REQUESTS_CA_BUNDLE=/path/to/ca.pem" in found["cure"]


@pytest.mark.parametrize(
    ("days", "state", "what"),
    [
        (30, "ok", "the certificate lasts 30 days"),
        (5, "advice", "the certificate ends in 5 days"),
    ],
)
def test_a_certificate_that_ends_soon_is_to_be_renewed(
    patient: Patient,
    certify: Certify,
    monkeypatch: pytest.MonkeyPatch,
    days: int,
    state: str,
    what: str,
) -> None:
    pem = certify(days)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pem))
    with behind_tls(patient, pem):
        found = patient.examine()
    (tls,) = (c for c in found["checks"] if c["name"] == "TLS")
    assert found["is_well"], found["findings"]
    assert (tls["state"], what in tls["what"]) == (state, True), tls


def test_a_token_that_travels_in_the_open_is_no_secret(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_is_near", lambda host: False)
    found = patient.check("TLS")
    assert found["state"] == "advice"
    assert "can read the token" in found["what"]
    assert "Environment > Web Server > Connection Security" in found["cure"]


def test_a_proxy_is_named_without_its_password(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plain forwarder is a proxy to who asks it for plain HTTP."""
    with Detour(patient.mattermost.port) as detour:
        proxy = f"http://me:secret@127.0.0.1:{detour.port}"
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("http_proxy", proxy)
        result = patient.invoke("--json")
        assert detour.heads
        found = patient.check("proxy")
        assert f"through http://127.0.0.1:{detour.port}" in found["what"]
    assert found["state"] == "advice"
    assert "systemctl edit malexbot" in found["cure"]
    assert "secret" not in result.output


def test_a_proxy_that_does_not_answer_is_suspected(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    found = patient.check("server")
    assert found["state"] == "fault"
    assert "NO_PROXY of this shell and of the daemon" in found["cure"]


def test_a_proxy_that_takes_the_token_off_the_websocket_is_found_out(
    patient: Patient,
) -> None:
    patient.mattermost.settings.auth_wait_s = 4.2
    with Detour(patient.mattermost.port, without=b"authorization") as detour:
        patient.set(ws_host=f"ws://127.0.0.1:{detour.port}")
        found = patient.examine("--send")
    told = {check["name"]: check for check in found["checks"]}
    assert told["websocket"]["state"] == "advice"
    assert "takes the Authorization header off" in told["websocket"]["what"]
    assert "proxy_set_header Authorization" in told["websocket"]["cure"]
    # What it found out serves those behind it.
    assert told["send"]["state"] == "ok"


def test_a_server_that_resumes_nothing_works_and_could_be_better(
    patient: Patient,
) -> None:
    patient.mattermost.settings.is_reliable = False
    found = patient.check("websocket")
    assert found["state"] == "advice"
    assert "EnableReliableWebSockets" in found["cure"]


def test_a_websocket_that_hears_nothing_is_told(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malexbot.cli.doctor.sending.ARRIVES_S", 0.5)
    patient.mattermost.faults.deaf()
    found = patient.check("send", "--send")
    assert found["state"] == "fault"
    assert "the websocket did not tell" in found["what"]
    town = patient.mattermost.town
    told = patient.mattermost.ledger.entries(user_id=town.bot)
    assert len(told) == 1


def test_a_server_that_never_answers_does_not_hold_the_doctor(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malexbot.cli.doctor.visit.READ_S", 1)
    patient.mattermost.faults.half_open()
    began = time.monotonic()
    found = patient.check("server")
    assert time.monotonic() - began < 25
    assert found["state"] == "fault"
    assert "does a firewall stand between" in found["cure"]


def test_a_server_that_trickles_does_not_hold_the_doctor(patient: Patient) -> None:
    """Each byte comes in time, and the answer never."""
    patient.mattermost.faults.slow(chunk=1, gap_s=0.5)
    began = time.monotonic()
    found = patient.check("server")
    patient.mattermost.faults.heal()
    patient.mattermost.faults.cut()
    assert time.monotonic() - began < 25
    assert (found["state"], "timed out" in found["what"]) == ("fault", True)
    assert "does a firewall stand between" in found["cure"]
