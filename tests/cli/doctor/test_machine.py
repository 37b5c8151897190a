"""The disk and the port of this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from malexbot.cli.doctor.checks import State
from malexbot.cli.doctor.machine import MIB, look_at_disk
from tests.cli.doctor.conftest import Patient

BLOCK = 4096
UNSHARE = ("unshare", "--user", "--map-root-user", "--mount")
PROGRAM = (
    "import sys; from pathlib import Path;"
    "from malexbot.cli.doctor.machine import look_at_disk;"
    "print(*look_at_disk(Path(sys.argv[1])), sep=chr(124))"
)


def disk(free_mib: int, *, inodes: int = 1000) -> os.statvfs_result:
    """Of 100 GiB, with so much of it free for anybody."""
    total = 100 * 1024 * MIB // BLOCK
    free = free_mib * MIB // BLOCK
    return os.statvfs_result(
        (BLOCK, BLOCK, total, free, free, 10**6, inodes, inodes, 0, 255)
    )


@pytest.mark.parametrize(
    ("found", "state", "what"),
    [
        (disk(50_000), State.OK, "49 GiB free"),
        (disk(1_000), State.ADVICE, "has only 1000 MiB left"),
        (disk(20), State.FAULT, "is full: 20 MiB are free"),
        (disk(50_000, inodes=0), State.FAULT, "no inode left"),
    ],
)
def test_the_room_that_is_left_is_judged(
    tmp_path: Path, found: os.statvfs_result, state: State, what: str
) -> None:
    verdict = look_at_disk(tmp_path, lambda place: found)
    assert (verdict.state, what in verdict.what) == (state, True), verdict
    assert ("df -" in verdict.cure) == (state is not State.OK)


def test_a_full_disk_is_found_by_writing(tmp_path: Path) -> None:
    """A real one of 64 KiB, which only this test sees."""
    command = f"mount -t tmpfs -o size=64k none {tmp_path} || exit 77;"
    command += f" head -c 61440 /dev/zero > {tmp_path}/stuff;"
    command += f" exec {sys.executable} -c {PROGRAM!r} {tmp_path}"
    run = subprocess.run(
        [*UNSHARE, "sh", "-c", command], capture_output=True, text=True
    )
    if run.returncode in (1, 77) and "|" not in run.stdout:
        pytest.skip(f"no disk of one's own here: {run.stderr.strip()}")
    state, what, cure = run.stdout.strip().split("|")[:3]
    assert (state, "is full: nothing can be written" in what) == ("fault", True)
    assert f"df -h {tmp_path}" in cure


def test_a_folder_that_is_yet_to_be_made_is_judged_by_the_one_above(
    tmp_path: Path,
) -> None:
    verdict = look_at_disk(tmp_path / "a" / "b", lambda place: disk(5_000))
    assert verdict.state is State.OK
    assert f"under {tmp_path}; the first start makes" in verdict.what
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_no_file_is_told(tmp_path: Path) -> None:
    in_the_way = tmp_path / "state"
    in_the_way.write_text("")
    verdict = look_at_disk(in_the_way, lambda place: disk(5_000))
    assert verdict.state is State.FAULT
    assert "Not a directory" in verdict.what
    assert "another state_dir" in verdict.cure


def test_a_closed_folder_is_not_judged(tmp_path: Path) -> None:
    def closed(place: Path) -> os.statvfs_result:
        raise PermissionError

    verdict = look_at_disk(tmp_path, closed)
    assert verdict.state is State.UNASKED
    assert verdict.cure == "run it as root or as malexbot"


def test_a_free_port_is_well(patient: Patient) -> None:
    found = patient.check("port")
    assert (found["state"], "is free" in found["what"]) == ("ok", True)


def test_a_port_of_somebody_else_is_told(patient: Patient) -> None:
    patient.set_backend(port=patient.mattermost.port)
    found = patient.check("port")
    assert found["state"] == "fault"
    assert "is taken, and not by malexbot" in found["what"]
    assert "ss -ltnp 'sport = :" in found["cure"]


def test_an_address_of_another_machine_is_told(patient: Patient) -> None:
    patient.set_backend(host="192.0.2.7")
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
    found = patient.check("port")
    assert found["state"] == "fault"
    assert "192.0.2.7" in found["what"]
