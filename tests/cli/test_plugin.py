"""`malexbot plugin`: a plugin is begun, and what plugins do is listed."""

from __future__ import annotations

from pathlib import Path

import yaml
from click.testing import CliRunner

from malexbot.cli import main


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["plugin", *words])
    return result.exit_code, result.output


def test_a_plugin_is_written_and_what_is_next_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "plugins"
    code, told = run("new", "wave", "--into", str(folder))
    assert code == 0
    assert sorted(file.name for file in folder.iterdir()) == [
        *("conftest.py", "test_wave.py", "wave.py"),
    ]
    assert f"pytest {folder / 'test_wave.py'}" in told
    assert f"plugins: [{folder / 'wave.py'}]" in told


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "test_wave.py").write_text("mine")
    (tmp_path / "conftest.py").write_text("mine too")
    code, told = run("new", "wave", "--into", str(tmp_path))
    assert code == 1
    assert "test_wave.py is there already; take another name" in told
    assert not (tmp_path / "wave.py").exists()
    code, _ = run("new", "other", "--into", str(tmp_path))
    assert code == 0
    assert (tmp_path / "conftest.py").read_text() == "mine too"


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, told = run("new", "wave", "--into", str(tmp_path / "file" / "x"))
    assert code == 1
    assert "Not a directory" in told


def test_without_plugins_it_is_told_where_they_are_named(tmp_path: Path) -> None:
    config = tmp_path / "malexbot.yaml"
    config.write_text("state_dir: /tmp\n")
    assert run("list", "--config", str(config)) == (
        0,
        "no plugins: name their files below `plugins`\n",
    )


def test_what_plugins_do_is_listed(tmp_path: Path) -> None:
    run("new", "wave", "--into", str(tmp_path))
    (tmp_path / "bad.py").write_text("x = = 1\n")
    config = tmp_path / "malexbot.yaml"
    config.write_text(yaml.safe_dump({"plugins": ["wave.py", "bad.py"]}))
    code, told = run("list", "--config", str(config))
    assert code == 0
    assert told.splitlines() == [
        "wave.hello   /wave",
        "wave.wave    the action 'wave'",
        "wave.answer  listening to posted",
        "switched off: plugins[2]: bad.py: line 1: SyntaxError: invalid syntax"
        " (line 3)",
    ]
