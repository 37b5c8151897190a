"""The unit file as it is shipped."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from malexbot.cli.install import SHIPPED_PROGRAM, unit_text
from malexbot.cli.shipped import SERVICE, shipped
from malexbot.config.model import Config
from malexbot.daemon import CLOSE_S
from malexbot.errors import EXIT_CONFIG
from tests.support.packages import need

MAX_EXPOSURE = 1.5
SECRETS = {"mattermost.token", "db.password"}


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit as it is installed, for a program that is there."""
    need("systemd")
    file = tmp_path / SERVICE
    file.write_text(unit_text(Path(sys.executable)))
    return file


def lines() -> list[str]:
    return shipped(SERVICE).read_text().splitlines()


def values(name: str) -> list[str]:
    return [line.split("=", 1)[1] for line in lines() if line.startswith(f"{name}=")]


def analyze(*arguments: str) -> str:
    done = subprocess.run(
        ("systemd-analyze", "--no-pager", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_systemd_finds_nothing_to_complain_about(unit: Path) -> None:
    assert analyze("verify", str(unit)) == ""


def test_systemd_complains_when_there_is_a_reason(unit: Path) -> None:
    unit.write_text(unit.read_text().replace("RestartSec=", "RestartSecond="))
    assert "RestartSecond" in analyze("verify", str(unit))


def test_the_service_is_exposed_to_little(unit: Path) -> None:
    told = analyze("security", "--offline=true", str(unit))
    found = re.search(r"exposure level for malexbot\.service: ([\d.]+)", told)
    assert found and float(found[1]) <= MAX_EXPOSURE, told


def test_each_line_says_why_it_is_there() -> None:
    settings = [
        (before, line)
        for before, line in zip(["", *lines()], lines(), strict=False)
        if "=" in line and not line.startswith("#")
    ]
    assert len(settings) > 40
    assert [line for before, line in settings if not before.startswith("# ")] == []


def test_a_secret_without_a_file_has_a_default() -> None:
    loaded = {value.split(":")[0] for value in values("LoadCredential")}
    assert loaded == {value.split(":")[0] for value in values("SetCredential")}
    assert loaded == SECRETS


def test_stopping_has_more_time_than_the_daemon_takes() -> None:
    drain_s = Config.model_fields["drain_timeout"].get_default()
    assert int(values("TimeoutStopSec")[0]) > drain_s + CLOSE_S


def test_what_a_person_must_mend_first_is_not_started_again() -> None:
    assert values("RestartPreventExitStatus") == [str(EXIT_CONFIG)]


def test_the_program_is_written_where_the_unit_starts_it() -> None:
    text = unit_text(Path("/srv/100% mine/bin/malexbot"))
    assert r"ExecStart=/srv/100%%\x20mine/bin/malexbot run" in text
    assert SHIPPED_PROGRAM not in text
