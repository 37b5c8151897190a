"""Where the parts of the service lie on this machine, and whether it can have one."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from malexbot.errors import Permanent

ACCOUNT = "malexbot"
UNIT = "malexbot.service"
OWN_VENV = "opt/malexbot"
CONFIG = "etc/malexbot.yaml"
CREDENTIALS = "etc/malexbot/credentials"
STATE = "var/lib/malexbot"


@dataclass(frozen=True, slots=True)
class Machine:
    """The paths of the service below a root; another root than / is an image."""

    root: Path = Path("/")

    @property
    def is_image(self) -> bool:
        """Yes means: files only, there is no systemd and no account to deal with."""
        return self.root != Path("/")

    @property
    def unit(self) -> Path:
        return self.root / "etc/systemd/system" / UNIT

    @property
    def drop_ins(self) -> Path:
        return self.unit.with_name(f"{UNIT}.d")

    @property
    def sysusers(self) -> Path:
        return self.root / "etc/sysusers.d/malexbot.conf"

    @property
    def config(self) -> Path:
        return self.root / CONFIG

    @property
    def new_sample(self) -> Path:
        return self.root / f"{CONFIG}.new"

    @property
    def last_sample(self) -> Path:
        """The sample as last installed: what differs from it was edited."""
        return self.root / "usr/local/share/malexbot/malexbot.yaml"

    @property
    def credentials(self) -> Path:
        return self.root / CREDENTIALS

    @property
    def state(self) -> Path:
        return self.root / STATE

    @property
    def own_venv(self) -> Path:
        return self.root / OWN_VENV

    @property
    def link(self) -> Path:
        return self.root / "usr/local/bin/malexbot"

    @property
    def group(self) -> str | None:
        return None if self.is_image else ACCOUNT

    def has_account(self) -> bool:
        try:
            pwd.getpwnam(ACCOUNT)
        except KeyError:
            return False
        return True

    def demand(self, command: str, *, is_dry: bool) -> None:
        """Refuse with a line where the command could not do its work."""
        if self.is_image:
            return
        if not Path("/run/systemd/system").is_dir():
            raise Permanent(
                "systemd does not run this machine; `malexbot run` starts the "
                "daemon under whatever does"
            )
        if not is_dry and os.geteuid() != 0:
            raise Permanent(f"needs root: sudo malexbot {command}")
