"""The steps of install and uninstall: each can say what it does, and do it."""

from __future__ import annotations

import grp
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import click

from malexbot.errors import Permanent


class Step(Protocol):
    """One change of the machine; `str` of it completes the words "it would"."""

    def do(self) -> None: ...


class Check(Step, Protocol):
    """A step that can tell whether the machine is like that already."""

    def is_needed(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class WriteFile:
    """The file has this content and these rights; replaced whole or not at all."""

    path: Path
    content: bytes
    mode: int = 0o644
    group: str | None = None

    def __str__(self) -> str:
        return f"write {self.path} ({_rights(self.mode, self.group)})"

    def is_needed(self) -> bool:
        return content_of(self.path) != self.content or _differs(
            self.path, self.mode, self.group
        )

    def do(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(f".{self.path.name}.fresh")
        fresh.unlink(missing_ok=True)
        # Never wider than it will be, not even for a moment: it may hold secrets.
        opened = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(opened, "wb") as file:
            file.write(self.content)
            file.flush()
            os.fsync(file.fileno())
        _set_rights(fresh, self.mode, self.group)
        fresh.replace(self.path)


@dataclass(frozen=True, slots=True)
class Protect:
    """What is there has these rights; its content is somebody else's."""

    path: Path
    mode: int
    group: str | None = None

    def __str__(self) -> str:
        return f"keep {self.path}, with the rights {_rights(self.mode, self.group)}"

    def is_needed(self) -> bool:
        return _differs(self.path, self.mode, self.group)

    def do(self) -> None:
        _set_rights(self.path, self.mode, self.group)


@dataclass(frozen=True, slots=True)
class MakeFolder:
    """The folder is there; its rights are set when it is made."""

    path: Path
    mode: int

    def __str__(self) -> str:
        return f"make {self.path} ({_rights(self.mode, None)})"

    def is_needed(self) -> bool:
        return not self.path.is_dir()

    def do(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        self.path.chmod(self.mode)


@dataclass(frozen=True, slots=True)
class Link:
    """The path leads to the target; a link is replaced, a file of others never."""

    path: Path
    target: Path

    def __str__(self) -> str:
        return f"link {self.path} to {self.target}"

    def is_needed(self) -> bool:
        if self.path.is_symlink():
            return self.path.readlink() != self.target
        return not self.path.exists()

    def do(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(self.target)


@dataclass(frozen=True, slots=True)
class Remove:
    """Nothing is at this path any more."""

    path: Path

    def __str__(self) -> str:
        return f"remove {self.path}"

    def is_needed(self) -> bool:
        return self.path.is_symlink() or self.path.exists()

    def do(self) -> None:
        if self.path.is_dir() and not self.path.is_symlink():
            shutil.rmtree(self.path)
        else:
            self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Run:
    """A command of the system is run; it has to succeed."""

    command: tuple[str, ...]

    def __str__(self) -> str:
        return f"run {shlex.join(self.command)}"

    def do(self) -> None:
        run(*self.command)


def run(*command: str) -> str:
    """What the command printed; a failure is told with its last words."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Permanent(f"cannot run {command[0]}: {error.strerror}") from error
    if done.returncode:
        words = (done.stderr or done.stdout).strip() or f"exit code {done.returncode}"
        raise Permanent(f"{shlex.join(command)} failed: {words.splitlines()[-1]}")
    return done.stdout


def needed(*steps: Check) -> list[Step]:
    return [step for step in steps if step.is_needed()]


def carry_out(steps: Iterable[Step], *, is_dry: bool) -> None:
    """Do the steps one by one, each told first; a dry run only tells."""
    for step in steps:
        click.echo(f"would {step}" if is_dry else f"{step}")
        if not is_dry:
            step.do()


def content_of(path: Path) -> bytes | None:
    """What is in the file, None when there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _rights(mode: int, group: str | None) -> str:
    return f"{mode:04o} root:{group}" if group else f"{mode:04o}"


def _differs(path: Path, mode: int, group: str | None) -> bool:
    try:
        status = path.stat()
    except FileNotFoundError:
        return True
    owner = (0, _group_id(group)) if group else (status.st_uid, status.st_gid)
    return (status.st_mode & 0o7777, status.st_uid, status.st_gid) != (mode, *owner)


def _set_rights(path: Path, mode: int, group: str | None) -> None:
    if group:
        os.chown(path, 0, _group_id(group))
    path.chmod(mode)


def _group_id(name: str) -> int:
    """The group's number, -1 for a group that is still to be made."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return -1
