"""This machine: its disk, and the port that malexbot serves on."""

from __future__ import annotations

import errno
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

from malexbot.cli.doctor.checks import Check, Theme, Verdict, advice, fault, ok, unasked
from malexbot.cli.survey import NOBODY, Silent, address, ask_daemon
from malexbot.config.backend import Backend
from malexbot.config.model import Config

MIB = 1 << 20
# With less PostgreSQL stops at its next checkpoint or write-ahead file.
LEAST_MIB = 256
ENOUGH_MIB = 2048
PROBE_BYTES = 65_536
_FULL = (errno.ENOSPC, errno.EDQUOT)

Usage = Callable[[Path], os.statvfs_result]


def theme(config: Config) -> Theme:
    return Theme([Check("disk", lambda: look_at_disk(config.state_dir))])


def port(backend: Backend) -> Check:
    """Asked before anybody opens a door there."""
    return Check("port", lambda: _port(backend))


def look_at_disk(folder: Path, usage: Usage = os.statvfs) -> Verdict:
    """Room for what is to be kept, proven by writing."""
    place = _existing(folder)
    try:
        found = usage(place)
        if place == folder:
            _write(folder)
    except PermissionError:
        return unasked(
            f"{folder} is closed to who runs this", "run it as root or as malexbot"
        )
    except OSError as error:
        return _unfit(folder, error)
    return _room(folder, place, found)


def _room(folder: Path, place: Path, found: os.statvfs_result) -> Verdict:
    free_mib = found.f_bavail * found.f_frsize // MIB
    where = f"the disk of {folder}"
    cure = f"make room: df -h {place}; du -xh {place} | sort -h | tail"
    if free_mib < LEAST_MIB:
        return fault(f"{where} is full: {free_mib} MiB are free", cure)
    if found.f_files and not found.f_favail:
        return fault(
            f"{where} has no inode left for another file",
            f"df -i {place}; delete files",
        )
    if free_mib < ENOUGH_MIB:
        return advice(f"{where} has only {free_mib} MiB left", cure)
    made = "" if place == folder else f"; the first start makes {folder}"
    return ok(f"{free_mib / 1024:.0f} GiB free under {place}{made}")


def _unfit(folder: Path, error: OSError) -> Verdict:
    if error.errno in _FULL:
        return fault(
            f"the disk of {folder} is full: nothing can be written",
            f"make room: df -h {folder}; du -xh {folder} | sort -h | tail",
        )
    return fault(
        f"cannot write under {folder}: {error.strerror}",
        f"findmnt -T {folder}; ls -ld {folder}; or another state_dir",
    )


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(each for each in (folder, *folder.parents) if each.exists())


def _write(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"\0" * PROBE_BYTES)
        file.flush()
        os.fsync(file.fileno())


def _port(backend: Backend) -> Verdict:
    """Ours if it runs, free if not."""
    where = address(backend)
    try:
        daemon = ask_daemon(backend)
    except Silent as silence:
        if str(silence) != NOBODY and backend.port:
            return fault(
                f"{where} is taken, and not by malexbot: {silence}",
                f"ss -ltnp 'sport = :{backend.port}' tells by whom; or another"
                " backend.port",
            )
    else:
        return ok(f"{where}, malexbot {daemon.version} answers there")
    return _bindable(backend, where)


def _bindable(backend: Backend, where: str) -> Verdict:
    family = socket.AF_INET6 if ":" in backend.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            line.bind((backend.host, backend.port))
    except OSError as error:
        return fault(
            f"cannot listen on {where}: {error.strerror}",
            "backend.host needs an address of this machine, backend.port a free one",
        )
    return ok(f"{where} is free; the daemon does not run here now")
