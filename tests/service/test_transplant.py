"""The copy of the running program in a venv of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import malexbot
from malexbot.cli.shipped import SHIPPED
from malexbot.cli.transplant import MARK, CopyProgram, is_hidden, system_python
from malexbot.errors import Permanent


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> CopyProgram:
    copy = CopyProgram(tmp_path_factory.mktemp("opt") / "malexbot", sys.executable)
    assert copy.is_needed()
    copy.do()
    return copy


def site(copy: CopyProgram) -> Path:
    return next((copy.place / "lib").glob("python3.*/site-packages"))


def test_the_copy_runs_without_the_original(copied: CopyProgram) -> None:
    """It says where it comes from: from its own place, not from ours."""
    where = "import malexbot, malexbot.app; print(malexbot.__file__)"
    python = copied.place / "bin/python"
    answer = subprocess.check_output((python, "-I", "-c", where), text=True)
    assert answer.strip() == str(site(copied) / "malexbot/__init__.py")
    version = (copied.place / "bin/malexbot", "--version")
    assert malexbot.__version__ in subprocess.check_output(version, text=True)


def test_the_copy_brings_what_install_needs(copied: CopyProgram) -> None:
    there = metadata.Distribution.discover(name="malexbot", path=[str(site(copied))])
    files = {file.name: file.locate() for file in next(iter(there)).files or ()}
    assert all(Path(str(files[name])).is_file() for name in SHIPPED)


def test_the_copy_is_readable_for_all_and_compiled(copied: CopyProgram) -> None:
    ours = [path for path in site(copied).rglob("malexbot/**/*") if path.is_file()]
    assert all(path.stat().st_mode & 0o444 == 0o444 for path in ours)
    assert (site(copied) / "malexbot/__pycache__").is_dir()


def test_the_same_again_is_not_needed(copied: CopyProgram) -> None:
    assert not copied.is_needed()


@pytest.mark.parametrize("spoil", ["changed", "missing", "cut off"])
def test_an_upgrade_brings_it_up_to_date_and_drops_old_files(
    copied: CopyProgram, spoil: str
) -> None:
    package = site(copied) / "malexbot"
    info = next(site(copied).glob("malexbot-*.dist-info"))
    gone, foreign = package / "gone.py", site(copied) / "plugin_of_the_operator.py"
    for file in (gone, foreign):
        file.touch()
    if spoil == "cut off":
        (info / "RECORD").unlink()
    else:
        with (info / "RECORD").open("a") as record:
            record.write("malexbot/gone.py,,\n")
    if spoil == "changed":
        (package / "errors.py").write_text("# older\n")
    if spoil == "missing":
        (package / "errors.py").unlink()
    assert copied.is_needed()
    copied.do()
    assert not copied.is_needed()
    assert foreign.exists()
    assert spoil == "cut off" or not gone.exists()


def test_an_upgrade_copies_only_what_has_another_version(copied: CopyProgram) -> None:
    same, other = site(copied) / "yaml/__init__.py", site(copied) / "click/__init__.py"
    (told,) = site(copied).glob("click-*.dist-info/METADATA")
    told.write_text(re.sub("(?m)^Version: .*", "Version: 0.1", told.read_text()))
    before = same.stat().st_ctime_ns
    other.write_text("# older\n")
    assert copied.is_needed()
    copied.do()
    assert not copied.is_needed()
    assert other.read_text() != "# older\n"
    assert same.stat().st_ctime_ns == before


def test_a_venv_of_somebody_else_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "theirs").touch()
    with pytest.raises(Permanent, match="not ours"):
        CopyProgram(tmp_path, sys.executable).do()
    assert not (tmp_path / MARK).exists()


def test_homes_and_temporary_folders_are_hidden() -> None:
    for path in ("/home/alex/venv", "/root/venv", "/tmp/venv", "/run/user/0/venv"):
        assert is_hidden(Path(path))
    assert not is_hidden(Path("/usr/bin/env"))
    with TemporaryDirectory(dir="/tmp") as hidden:
        link = Path(hidden, "env")
        link.symlink_to("/usr/bin/env")
        assert is_hidden(link)


def test_a_folder_that_only_its_owner_enters_is_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("malexbot.cli.transplant.HIDDEN", ())
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        assert not is_hidden(folder / "malexbot")
        folder.chmod(0o700)
        assert is_hidden(folder / "malexbot")


def test_without_a_python_in_reach_there_is_a_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("malexbot.cli.transplant.HIDDEN", (Path("/"),))
    with pytest.raises(Permanent, match="venv /opt/malexbot && "):
        system_python()
