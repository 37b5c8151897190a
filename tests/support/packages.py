"""Debian packages that a test needs: installed when we may, else it is skipped."""

from __future__ import annotations

import fcntl
import os
import subprocess
from pathlib import Path

import pytest

APT_TIMEOUT_S = 300
_APT = ("apt-get", "--quiet=2", "-o", f"DPkg::Lock::Timeout={APT_TIMEOUT_S}")
_QUIET = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1"}


def need(*packages: str) -> None:
    """After this the packages are there; a test that cannot have them is skipped.

    With `CI` set in the environment a skip is a failure, so that nothing that
    the pipeline is meant to prove can fall out of it in silence.
    """
    missing = _missing(packages)
    if missing and os.geteuid() == 0:
        missing = _install(missing)
    if missing:
        give_up(f"needs the Debian packages {' '.join(missing)} (or root to get them)")


def unpack(package: str, folder: Path) -> Path:
    """The files of a Debian package below a folder; nothing is installed or started."""
    has_it = _download(package, folder)
    if not has_it and _run_apt("update"):
        has_it = _download(package, folder)
    if not has_it:
        give_up(f"needs the Debian package {package}, which apt-get cannot download")
    (archive,) = folder.glob(f"{package}_*.deb")
    subprocess.run(("dpkg-deb", "--extract", archive, folder), check=True)
    return folder


def need_root(why: str) -> None:
    """After this we are root; a test that is not is skipped."""
    if os.geteuid() != 0:
        give_up(f"needs root: {why}")


def give_up(why: str) -> None:
    """Skip the test loudly; fail it where the pipeline counts on it."""
    if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
        pytest.fail(why, pytrace=False)
    pytest.skip(f"*** NOT TESTED *** {why}")


def _missing(packages: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(package for package in packages if not _is_installed(package))


def _is_installed(package: str) -> bool:
    query = ("dpkg-query", "--show", "--showformat=${db:Status-Status}", package)
    try:
        answer = subprocess.run(query, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return False
    return answer.stdout == "installed"


def _install(packages: tuple[str, ...]) -> tuple[str, ...]:
    """Install them, one process of ours at a time; returns those still missing."""
    with Path("/run/lock/malexbot-tests-apt").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        packages = _missing(packages)
        if packages and not _run_apt("install", *packages):
            _run_apt("update")
            _run_apt("install", *packages)
        return _missing(packages)


def _download(package: str, folder: Path) -> bool:
    return _run_apt("download", package, folder=folder)


def _run_apt(verb: str, *packages: str, folder: Path | None = None) -> bool:
    options = ("--yes", "--no-install-recommends") if verb == "install" else ()
    try:
        done = subprocess.run(
            (*_APT, verb, *options, *packages),
            cwd=folder,
            env=os.environ | _QUIET,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=APT_TIMEOUT_S,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
