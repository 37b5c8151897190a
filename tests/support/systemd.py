"""A Debian that a real systemd boots in a container, without a network, for tests."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.packages import give_up, need, need_root

RELEASE = "bookworm"
# The Python of that release: what is installed inside must be built for it.
PYTHON = "3.11"
PACKAGES = ("systemd", "systemd-sysv", "python3", "python3-venv")
# What nobody reads in there; without it a copy of the system is made faster.
BALLAST = ("usr/share/doc", "usr/share/man", "var/cache/apt", "var/lib/apt/lists")
BOOT_S = 60
STOP_S = 30
# Asks the systemd inside to power the machine off.
POWER_OFF = signal.SIGRTMIN + 4
DEBOOTSTRAP_S = 600
_BARE = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "HOME": "/root"}
_ON_OUR_DEATH = ("setpriv", "--pdeathsig", "KILL")
# Killed with us, and all that is inside with it, even when nobody can call stop().
_MORTAL = (*_ON_OUR_DEATH, "unshare", "--pid", "--mount-proc", "--fork", "--kill-child")
_NO_HOST = ("--register=no", "--keep-unit", "--link-journal=no", "--console=pipe")
_NO_NETWORK = ("--private-network", "--resolv-conf=off", "--timezone=off")
_NSPAWN = ("systemd-nspawn", "--quiet", *_NO_HOST, *_NO_NETWORK)


class Machine:
    """One boot of a copy of the system; what it writes is gone with it."""

    def __init__(self, root: Path, *, shown: tuple[Path, ...]) -> None:
        self.root = root
        self._binds = [f"--bind-ro={path}:/mnt/{path.name}" for path in shown]
        self._log = root.with_suffix(".log")
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._leader = 0

    def start(self) -> None:
        """Boot it; back when all that the boot starts has been started."""
        command = (*_MORTAL, *_NSPAWN, *self._binds, "-bD", str(self.root))
        with self._log.open("wb") as log:
            self._nspawn = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        until(self._is_up, BOOT_S)

    def stop(self) -> None:
        if self._nspawn is None:
            return
        with suppress(ProcessLookupError):
            if self._nspawn.poll() is None and self._leader:
                os.kill(self._leader, POWER_OFF)
        try:
            self._nspawn.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
            self._nspawn.wait()

    def run(self, *command: str, fails: bool = False, timeout: float = 120) -> str:
        """What the command printed inside, errors too; it has to end as expected."""
        done = self._enter(*command, timeout=timeout)
        assert (done.returncode != 0) == fails, f"{command}:\n{done.stdout}"
        return done.stdout

    def show(self, unit: str, name: str) -> str:
        """A property of a unit, as systemd has it."""
        return self.run("systemctl", "show", "--value", "-p", name, unit).strip()

    def _enter(self, *command: str, timeout: float) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ("nsenter", "--all", "--target", str(self._leader), *command),
            env=_BARE,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )

    def _is_up(self) -> bool:
        """While it boots, its first process may still be one that makes way."""
        assert self._nspawn is not None
        self._leader = self._find_leader(self._nspawn)
        answer = self._enter("systemctl", "is-system-running", timeout=BOOT_S)
        return answer.stdout.strip() in ("running", "degraded")

    def _find_leader(self, outer: subprocess.Popen[bytes]) -> int:
        """The first process inside: the only child of nspawn, the child of unshare."""
        found: list[int] = []

        def is_there() -> bool:
            found[:] = [leader for n in _children(outer.pid) for leader in _children(n)]
            return bool(found) or outer.poll() is not None

        until(is_there, BOOT_S)
        if not found:
            give_up(f"cannot boot a container here: {self._log.read_text().strip()}")
        return found[0]


def _children(pid: int) -> list[int]:
    try:
        return list(
            map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        )
    except FileNotFoundError:
        return []


def until(is_so: Callable[[], object], seconds: float) -> None:
    """Come back when it is so; an error when it is not so in time."""
    end, pause = time.monotonic() + seconds, threading.Event()
    while not is_so():
        assert time.monotonic() < end, f"not so within {seconds} s"
        pause.wait(0.05)


@contextmanager
def booted(*shown: Path) -> Iterator[Machine]:
    """A machine of its own that sees our folders in /mnt; one test run at a time."""
    need_root("it boots a container")
    need("systemd-container", "debootstrap")
    with alone("machine"):
        root = cache() / "machine"
        shutil.rmtree(root, ignore_errors=True)
        copy = ("cp", "--archive", "--reflink=auto", str(_system()), str(root))
        subprocess.run(copy, check=True)
        machine = Machine(root, shown=shown)
        try:
            machine.start()
            yield machine
        finally:
            machine.stop()
            shutil.rmtree(root, ignore_errors=True)


@contextmanager
def alone(what: str) -> Iterator[None]:
    """One test run at a time does this, of all that share the cache."""
    with (cache() / f"{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def cache() -> Path:
    """Where what is dear to make is kept from run to run."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(home) / "malexbot-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _system() -> Path:
    """The pristine system; made once for a release and a list of packages."""
    key = hashlib.sha256(" ".join(PACKAGES).encode()).hexdigest()[:8]
    system = cache() / f"{RELEASE}-{key}"
    if not system.is_dir():
        fresh = system.with_suffix(".fresh")
        shutil.rmtree(fresh, ignore_errors=True)
        _debootstrap(fresh)
        for folder in BALLAST:
            shutil.rmtree(fresh / folder, ignore_errors=True)
        fresh.rename(system)
    return system


def _debootstrap(target: Path) -> None:
    options = ("--variant=minbase", f"--include={','.join(PACKAGES)}")
    done = subprocess.run(
        ("debootstrap", *options, RELEASE, str(target), *_mirror()),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEBOOTSTRAP_S,
        check=False,
    )
    if done.returncode:
        give_up(f"cannot get a Debian system: {done.stdout.strip()[-500:]}")


def _mirror() -> tuple[str, ...]:
    """Where this machine has the release from; none lets debootstrap choose."""
    asked = ("apt-get", "indextargets", "--format", "$(REPO_URI)")
    which = (f"Codename: {RELEASE}", "Created-By: Packages", "Component: main")
    answer = subprocess.run((*asked, *which), capture_output=True, text=True)
    return tuple(answer.stdout.split()[:1])
