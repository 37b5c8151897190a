"""The runner as it is run by hand."""

from __future__ import annotations

import subprocess
import sys

import pytest

# What a start, two minutes and the end may take on a busy machine.
PATIENCE_S = 360


@pytest.mark.slow
def test_two_minutes_of_seed_1_do_no_harm() -> None:
    command = (sys.executable, "-m", "tests.faults", "--minutes", "2", "--seed", "1")
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
