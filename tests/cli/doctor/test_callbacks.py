"""Whether the server reaches us, as the server itself tells it."""

from __future__ import annotations

import re
from urllib.request import urlopen

import pytest

from malexbot.cli.doctor.callbacks import internal_address
from malexbot.runtime.health import Health
from malexbot.runtime.metrics import Metrics
from malexbot.web.health import mount_health
from malexbot.web.reach import mount_reach
from malexbot.web.status import mount_status
from tests.cli.doctor.conftest import Patient
from tests.support.settings import free_port
from tests.web.test_server import serving

ALLOWED = (
    "System Console > Environment > Developer"
    " > Allow untrusted internal connections to: add "
)


def test_nothing_is_asked_without_a_public_url(patient: Patient) -> None:
    found = patient.check("callbacks")
    assert found["state"] == "unasked"
    assert "backend.public_url" in found["what"]


def test_the_server_finds_a_door_though_no_daemon_runs(patient: Patient) -> None:
    patient.set_public_url()
    assert patient.check("callbacks")["state"] == "ok"
    port = patient.blocks["backend"]["port"]
    with pytest.raises(OSError):
        urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10)


def test_the_server_finds_the_daemon_that_runs(patient: Patient) -> None:
    health = Health()
    with serving(
        lambda application: mount_health(application, health),
        lambda application: mount_status(application, Metrics(), health),
        mount_reach,
    ) as (server, _):
        assert server.address is not None
        patient.set_backend(port=server.address[1])
        patient.set_public_url()
        assert patient.check("callbacks")["state"] == "ok"
        assert "answers there" in patient.check("port")["what"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_an_internal_address_that_the_server_will_not_call(
    patient: Patient, host: str
) -> None:
    patient.set_public_url(host)
    patient.mattermost.settings.allowed_internal = ""
    found = patient.check("callbacks")
    assert found["state"] == "fault"
    assert re.search("does not call .* whose address .* is internal", found["what"])
    assert found["cure"] == ALLOWED + host
    patient.mattermost.settings.allowed_internal = host
    assert patient.check("callbacks")["state"] == "ok"


def test_an_address_that_leads_nowhere(patient: Patient) -> None:
    patient.set_backend(public_url=f"http://127.0.0.1:{free_port()}")
    found = patient.check("callbacks")
    assert found["state"] == "fault"
    assert "does not lead to malexbot, from the server or from here" in found["what"]
    assert "backend.host and backend.port" in found["cure"]


def test_an_address_that_only_this_machine_reaches(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a certificate that the server does not trust."""
    patient.set_public_url()
    patient.mattermost.settings.allowed_internal = ""
    monkeypatch.setattr(
        "malexbot.cli.doctor.callbacks.internal_address", lambda url, server: ""
    )
    found = patient.check("callbacks")
    assert "though this machine does" in found["what"]
    assert "Enable Insecure Outgoing Connections" in found["cure"]


def test_something_else_behind_the_address(patient: Patient) -> None:
    """It says yes to everything."""
    patient.set_backend(public_url=f"{patient.mattermost.url}/api/v4/users/logout?")
    patient.mattermost.faults.fail(200, pattern="/reach")
    patient.set_backend(public_url=patient.mattermost.url)
    found = patient.check("callbacks")
    assert (found["state"], "something else" in found["what"]) == ("fault", True)
    assert "pass it on to" in found["cure"]


def test_an_address_that_swallows_what_comes(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("malexbot.cli.doctor.visit.READ_S", 0.5)
    patient.set_backend(public_url=patient.mattermost.url)
    patient.mattermost.faults.slow(latency_s=2, pattern="/reach")
    found = patient.check("callbacks")
    assert found["state"] == "fault"
    assert "gets no answer from" in found["what"]
    assert "firewall" in found["cure"]


def test_a_server_that_will_not_say_leaves_it_open(patient: Patient) -> None:
    patient.set_public_url()
    patient.mattermost.faults.fail(501, pattern="dialogs/submit")
    found = patient.check("callbacks")
    assert found["state"] == "unasked"
    assert "does not say whether" in found["what"]
    assert "Allow untrusted internal connections to: 127.0.0.1" in found["cure"]


@pytest.mark.parametrize(
    ("url", "server", "found"),
    [
        ("http://127.0.0.1:1", "chat.invalid", "127.0.0.1"),
        ("http://10.1.2.3", "chat.invalid", "10.1.2.3"),
        ("https://192.168.7.7/x", "chat.invalid", "192.168.7.7"),
        ("http://[fd00::7]:8765", "chat.invalid", "fd00::7"),
        ("http://8.8.8.8", "chat.invalid", ""),
        ("http://8.8.8.8", "8.8.8.8", "8.8.8.8"),
        ("http://nowhere.invalid", "chat.invalid", ""),
    ],
)
def test_internal_is_what_the_server_refuses_by_itself(
    url: str, server: str, found: str
) -> None:
    assert internal_address(url, server) == found
