"""The built wheel, installed on a machine that a real systemd has booted."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from platform import machine as architecture

import pytest

from tests.support.packages import give_up, need_root
from tests.support.systemd import PYTHON, Machine, alone, booted, cache

TOP = Path(__file__).parents[2]
# What a wheel is made of; a folder that an older build left behind is not.
SOURCES = (
    "malexbot",
    "systemd",
    "etc",
    "setup.cfg",
    "setup.py",
    "README.md",
    "LICENSE",
)
# The wheels that the Debian of the machine can load; pip wants each one named.
LIBC = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")
# As an operator does it first: in root's home, where the service cannot look.
VENV = "/root/venv"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the sources."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        copy = shutil.copytree if (TOP / name).is_dir() else shutil.copy
        copy(TOP / name, source / name)
    _pip("wheel", "--no-deps", "--wheel-dir", str(target), str(source))
    return next(target.glob("malexbot-*.whl"))


@pytest.fixture(scope="session")
def wheelhouse(wheel: Path) -> Path:
    """All that the wheel requires, for the Python of the machine."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        metadata = archive.read(name).decode().splitlines()
    required = [line for line in metadata if line.startswith("Requires-Dist:")]
    house = cache() / f"wheels-{sha256(repr(required).encode()).hexdigest()[:8]}"
    with alone("wheels"):
        if not house.is_dir():
            _download(f"{wheel}[embedded]", house)
    return house


@pytest.fixture(scope="session")
def machine(request: pytest.FixtureRequest) -> Iterator[Machine]:
    """Booted, with malexbot in a venv in root's home and installed from there."""
    need_root("it boots a container")
    wheel: Path = request.getfixturevalue("wheel")
    wheelhouse: Path = request.getfixturevalue("wheelhouse")
    with booted(wheel.parent, wheelhouse) as machine:
        machine.run("python3", "-m", "venv", VENV)
        pip = (f"{VENV}/bin/python", "-m", "pip", "install", "--quiet", "--no-index")
        # Hardly anything runs from there; where it is copied to, it is compiled.
        how = ("--no-compile", f"--find-links=/mnt/{wheelhouse.name}")
        machine.run(*pip, *how, f"/mnt/{wheel.parent.name}/{wheel.name}[embedded]")
        machine.run(f"{VENV}/bin/malexbot", "install")
        yield machine


def _download(wanted: str, house: Path) -> None:
    fresh = house.with_suffix(".fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    platforms = [f"--platform={libc}_{architecture()}" for libc in LIBC]
    only = ("--only-binary=:all:", f"--python-version={PYTHON}", *platforms)
    _pip("download", *only, f"--dest={fresh}", wanted)
    for own in fresh.glob("malexbot-*.whl"):
        own.unlink()
    fresh.rename(house)


def _pip(*arguments: str) -> None:
    done = subprocess.run(
        (sys.executable, "-m", "pip", "--quiet", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        give_up(f"pip {arguments[0]} failed: {done.stdout.strip()[-500:]}")
