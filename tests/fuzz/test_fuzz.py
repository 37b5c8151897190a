"""Each target, fuzzed for some seconds; what ever broke one is in its corpus."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.__main__ import CORPUS, main
from tests.fuzz.targets import TARGETS

# Of fuzzing, for all targets together.
WHOLE_S = 32
PATIENCE_S = 120
HAS_ATHERIS = importlib.util.find_spec("atheris") is not None


def fuzzed(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
    # Coverage watches by the same door, and would slow it down by a lot.
    environ = {k: v for k, v in os.environ.items() if not k.startswith("COV")}
    return subprocess.run(
        [sys.executable, "-m", "tests.fuzz", *words],
        env=environ | more,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=PATIENCE_S,
    )


@pytest.mark.slow
@pytest.mark.skipif(not HAS_ATHERIS, reason="atheris has no wheel for this machine")
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_breaks_it(target: str, tmp_path: Path) -> None:
    seconds = str(WHOLE_S // len(TARGETS))
    done = fuzzed(target, "--seconds", seconds, "--out", str(tmp_path))
    broken_by = [file.read_bytes() for file in tmp_path.iterdir()]
    if done.returncode or broken_by:
        pytest.fail(f"{broken_by} breaks it:\n{done.stdout[-4000:]}", pytrace=False)
    assert "number_of_executed_units" in done.stdout


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_in_the_corpus_breaks_nothing(target: str) -> None:
    files = sorted((CORPUS / target).iterdir())
    assert files
    assert main([target, *map(str, files)]) == 0


@pytest.mark.slow
@pytest.mark.skipif(not HAS_ATHERIS, reason="atheris has no wheel for this machine")
def test_what_breaks_a_target_is_told_and_kept(tmp_path: Path) -> None:
    """The fault is planted when the process starts."""
    (tmp_path / "sitecustomize.py").write_text(
        "import malexbot.config.load as load\n"
        "def broken(*_, **__): raise KeyError('planted')\n"
        "load.parse = broken\n"
    )
    out = tmp_path / "out"
    out.mkdir()
    done = fuzzed("config", "--out", str(out), PYTHONPATH=str(tmp_path))
    assert done.returncode != 0
    assert "planted" in done.stdout
    assert [file.name for file in out.iterdir() if file.name.startswith("crash-")]
