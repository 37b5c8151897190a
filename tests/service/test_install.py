"""What `malexbot install` and `malexbot uninstall` do to a machine's files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from malexbot.cli import install, main
from malexbot.cli.place import Machine
from malexbot.cli.shipped import SAMPLE, SERVICE, shipped

Call = Callable[..., str]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Runs a command on the image below tmp_path; the program is in reach there."""
    monkeypatch.setattr(install, "is_out_of_reach", lambda: False)
    monkeypatch.setattr(install, "running_program", lambda: PROGRAM)

    def run(name: str, *arguments: str) -> str:
        command = [name, "--root", str(tmp_path), *arguments]
        result = CliRunner().invoke(main, command, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    return run


PROGRAM = Path("/srv/malexbot/bin/malexbot")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def modes(folder: Path) -> dict[str, int]:
    """Every file below the folder, with its rights."""
    return {
        str(path.relative_to(folder)): path.lstat().st_mode & 0o777
        for path in folder.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }


def test_install_puts_each_file_in_its_place(call: Call, machine: Machine) -> None:
    call("install")
    assert modes(machine.root) == {
        "etc/malexbot.yaml": 0o640,
        "etc/systemd/system/malexbot.service": 0o644,
        "etc/sysusers.d/malexbot.conf": 0o644,
        "usr/local/bin/malexbot": 0o777,
        "usr/local/share/malexbot/malexbot.yaml": 0o644,
    }
    assert machine.credentials.stat().st_mode & 0o777 == 0o700
    assert f"ExecStart={PROGRAM} run" in machine.unit.read_text()
    assert machine.link.readlink() == PROGRAM
    assert machine.config.read_bytes() == shipped(SAMPLE).read_bytes()


def test_a_dry_run_tells_each_step_and_does_none(call: Call, machine: Machine) -> None:
    planned = call("install", "--dry-run").splitlines()
    assert list(machine.root.iterdir()) == []
    done = call("install").splitlines()
    assert planned == [f"would {line}" for line in done[: len(planned)]]
    assert done[len(planned)] == ""  # all steps are told; the next commands follow


def test_install_ends_with_the_next_two_commands(call: Call) -> None:
    assert call("install").splitlines()[-2:] == [
        "  sudo malexbot check",
        "  sudo systemctl enable --now malexbot.service",
    ]


def test_a_second_install_has_nothing_to_do(call: Call, machine: Machine) -> None:
    call("install")
    before = {path: path.lstat().st_ino for path in machine.root.rglob("*")}
    assert call("install").startswith("all is in place\n")
    assert before == {path: path.lstat().st_ino for path in machine.root.rglob("*")}


def test_an_edited_config_is_kept(call: Call, machine: Machine) -> None:
    call("install")
    machine.config.write_text("log: {level: debug}\n")
    call("install")
    assert machine.config.read_text() == "log: {level: debug}\n"
    assert not machine.new_sample.exists()


def test_a_newer_sample_is_put_beside_an_edited_config_once(
    call: Call, machine: Machine
) -> None:
    machine.config.parent.mkdir()
    machine.config.write_text("log: {level: debug}\n")
    call("install")
    assert machine.config.read_text() == "log: {level: debug}\n"
    assert machine.new_sample.read_bytes() == shipped(SAMPLE).read_bytes()
    machine.new_sample.unlink()
    call("install")
    assert not machine.new_sample.exists()


def test_a_config_that_nobody_edited_follows_the_sample(
    call: Call, machine: Machine
) -> None:
    call("install")
    for file in (machine.config, machine.last_sample):
        file.write_text("# as an older version had it\n")
    call("install")
    assert machine.config.read_bytes() == shipped(SAMPLE).read_bytes()
    assert not machine.new_sample.exists()


def test_rights_that_show_a_config_to_all_are_taken_back(
    call: Call, machine: Machine
) -> None:
    call("install")
    machine.config.write_text("log: {level: debug}\n")
    machine.config.chmod(0o644)
    assert "keep" in call("install")
    assert machine.config.stat().st_mode & 0o777 == 0o640


def test_a_changed_unit_is_brought_back(call: Call, machine: Machine) -> None:
    call("install")
    machine.unit.write_text("[Service]\n")
    call("install")
    assert shipped(SERVICE).read_text().splitlines()[-1] in machine.unit.read_text()


def test_a_command_that_is_not_ours_is_left_alone(call: Call, machine: Machine) -> None:
    machine.link.parent.mkdir(parents=True)
    machine.link.write_text("#!/bin/sh\n")
    call("install")
    call("uninstall")
    assert machine.link.read_text() == "#!/bin/sh\n"


def test_uninstall_keeps_what_is_the_operators(call: Call, machine: Machine) -> None:
    call("install")
    machine.state.mkdir(parents=True)
    told = call("uninstall")
    assert list(modes(machine.root)) == ["etc/malexbot.yaml"]
    for kept in (machine.config, machine.credentials, machine.state):
        assert f"kept: {kept}\n" in told
    assert "nothing of it is installed" in call("uninstall")


def test_a_dry_uninstall_removes_nothing(call: Call, machine: Machine) -> None:
    call("install")
    before = modes(machine.root)
    assert f"would remove {machine.unit}\n" in call("uninstall", "--dry-run")
    assert modes(machine.root) == before


def test_a_folder_that_is_in_the_way_is_told_in_a_line(
    call: Call, machine: Machine
) -> None:
    machine.unit.mkdir(parents=True)
    result = CliRunner().invoke(main, ["install", "--root", str(machine.root)])
    assert result.exit_code == 1
    assert result.output.splitlines()[-1].endswith("malexbot.service: Is a directory")
