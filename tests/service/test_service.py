"""The service on a machine that a real systemd booted, with the embedded database."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from malexbot.daemon import CLOSE_S
from tests.service.conftest import VENV
from tests.support.systemd import Machine, until

pytestmark = pytest.mark.slow

CONFIG = "/etc/malexbot.yaml"
OWN = "/opt/malexbot/bin/malexbot"
# Where the journal stood when the test began.
CURSOR = "/run/test-began"
NOW = "journalctl --lines=0 --show-cursor | sed -n 's/^-- cursor: //p'"
TOKEN = "credential-of-the-test"
# With a server that cannot be reached, the network being off.
MATTERMOST = "mattermost: {http_host: https://chat.example.org}\n"


@pytest.fixture
def service(machine: Machine) -> Iterator[Machine]:
    """Installed and stopped; the config listens to nothing."""
    write(machine, CONFIG, "log: {level: info}\n")
    machine.run("sh", "-c", f"journalctl --sync; {NOW} >{CURSOR}")
    yield machine
    machine.run("systemctl", "stop", "malexbot")
    machine.run("systemctl", "reset-failed")


@pytest.fixture
def credential(service: Machine) -> Iterator[Machine]:
    """Root's file with the token, and a config that has none."""
    write(service, CONFIG, MATTERMOST)
    file = "/etc/malexbot/credentials/mattermost.token"
    write(service, file, f"{TOKEN}\n")
    service.run("chmod", "600", file)
    yield service
    service.run("rm", file)


def write(machine: Machine, path: str, text: str) -> None:
    (machine.root / path.lstrip("/")).write_text(text)


def journal(machine: Machine, *options: str) -> str:
    """What the service and systemd have told of it since the test began."""
    machine.run("journalctl", "--sync")
    since = f"--after-cursor={machine.run('cat', CURSOR).strip()}"
    lines = ("journalctl", "--unit=malexbot", "--output=cat", "--no-pager", "--quiet")
    return machine.run(*lines, since, *options)


def epochs(machine: Machine) -> list[int]:
    """The database counts each time that a daemon became the active one."""
    return [int(n) for n in re.findall(r"active \(epoch (\d+)\)", journal(machine))]


def main_process(machine: Machine) -> str:
    return machine.show("malexbot", "MainPID")


def test_the_service_starts_reloads_and_stops(service: Machine) -> None:
    service.run("systemctl", "start", "malexbot")
    assert service.show("malexbot", "ActiveState") == "active"
    assert re.search("Status: .*active", service.run("systemctl", "status", "malexbot"))
    first = main_process(service)

    write(service, CONFIG, "log: {level: debug}\n")
    service.run("systemctl", "reload", "malexbot")
    until(lambda: "reloaded; changed: log" in journal(service), 10)
    until(lambda: service.show("malexbot", "ActiveState") == "active", 10)
    assert main_process(service) == first

    begun = time.monotonic()
    service.run("systemctl", "stop", "malexbot")
    assert time.monotonic() - begun < CLOSE_S
    assert service.show("malexbot", "Result") == "success"
    assert service.show("malexbot", "ExecMainStatus") == "0"

    # By the daemon alone, after the drain: a SIGTERM of systemd would be "smart".
    database = service.run("cat", "/var/lib/malexbot/postgres.log")
    assert "received fast shutdown request" in database
    assert "received smart shutdown request" not in database

    told = journal(service)
    for line in ("starts with /etc/malexbot.yaml", "active (epoch", "stopped"):
        assert line in told
    assert journal(service, "--priority=err") == ""
    assert "starts with" not in journal(service, "--priority=warning")


def test_a_broken_config_is_refused_and_the_daemon_runs_on(service: Machine) -> None:
    service.run("systemctl", "start", "malexbot")
    first = main_process(service)
    write(service, CONFIG, "lgo: {}\n")
    service.run("systemctl", "reload", "malexbot")
    until(lambda: "lgo" in journal(service, "--priority=err"), 10)
    until(lambda: service.show("malexbot", "ActiveState") == "active", 10)
    assert main_process(service) == first


def test_with_bad_settings_it_is_not_started_again(service: Machine) -> None:
    write(service, CONFIG, MATTERMOST)
    service.run("systemctl", "start", "malexbot", fails=True)
    assert "mattermost.token" in journal(service)
    assert service.show("malexbot", "ExecMainStatus") == "78"
    assert service.show("malexbot", "ActiveState") == "failed"


def test_after_its_death_it_is_started_again(service: Machine) -> None:
    service.run("systemctl", "start", "malexbot")
    first = main_process(service)
    kill = ("systemctl", "kill", "--kill-whom=main", "--signal=KILL")
    service.run(*kill, "malexbot")
    until(lambda: main_process(service) not in ("0", first), 30)
    until(lambda: service.show("malexbot", "ActiveState") == "active", 30)
    assert int(service.show("malexbot", "NRestarts")) > 0


def test_a_credential_reaches_the_daemon(credential: Machine) -> None:
    credential.run("systemctl", "start", "malexbot")
    environment = f"/proc/{main_process(credential)}/environ"
    found = re.search(
        r"CREDENTIALS_DIRECTORY=([^\0]+)", credential.run("cat", environment)
    )
    assert found
    assert credential.run("cat", f"{found[1]}/mattermost.token") == f"{TOKEN}\n"
    assert TOKEN not in journal(credential)


def test_the_daemon_is_locked_in(service: Machine) -> None:
    service.run("systemctl", "start", "malexbot")
    status = service.run("cat", f"/proc/{main_process(service)}/status")
    uid = service.run("id", "--user", "malexbot").strip()
    for line in (f"Uid:\t{uid}\t", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1"):
        assert line in status
    told = service.run("systemd-analyze", "security", "--no-pager", "malexbot")
    found = re.search(r"exposure level for malexbot\.service: ([\d.]+)", told)
    assert found and float(found[1]) <= 1.5
    mode = service.run("stat", "--format=%a %U", "/var/lib/malexbot")
    assert mode == "700 malexbot\n"


def test_install_gives_a_program_in_roots_home_its_own_venv(machine: Machine) -> None:
    assert f"ExecStart={OWN} run" in machine.run("systemctl", "cat", "malexbot")
    assert machine.run("readlink", "/usr/local/bin/malexbot") == f"{OWN}\n"
    for program in (f"{VENV}/bin/malexbot", "malexbot"):
        assert machine.run(program, "install").startswith("all is in place\n")
    rights = machine.run("stat", "--format=%a %U:%G", CONFIG)
    assert rights == "640 root:malexbot\n"


def test_install_without_root_or_systemd_is_refused_in_a_line(machine: Machine) -> None:
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    for verb in ("install", "uninstall"):
        told = machine.run(*nobody, OWN, verb, fails=True)
        assert told == f"malexbot: needs root: sudo malexbot {verb}\n"
    hide = f"mount -t tmpfs none /run/systemd && exec {OWN} install"
    told = machine.run("unshare", "--mount", "sh", "-c", hide, fails=True)
    assert told.startswith("malexbot: systemd does not run this machine")
    assert told.count("\n") == 1


def test_uninstall_takes_the_service_and_leaves_the_data(service: Machine) -> None:
    service.run("systemctl", "enable", "--now", "malexbot")
    told = service.run("malexbot", "uninstall")
    try:
        assert "kept: /var/lib/malexbot\n" in told
        assert service.show("malexbot", "LoadState") == "not-found"
        service.run("test", "-e", "/opt/malexbot", fails=True)
        service.run("test", "-e", "/var/lib/malexbot/postgres/PG_VERSION")
        service.run("test", "-e", CONFIG)
    finally:
        service.run(f"{VENV}/bin/malexbot", "install")
    service.run("systemctl", "start", "malexbot")
    before, after = epochs(service)
    assert after == before + 1
