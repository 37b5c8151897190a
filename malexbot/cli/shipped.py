"""The files that travel with the program: the unit, its account, the sample config."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import malexbot
from malexbot.errors import Permanent

SERVICE = "malexbot.service"
SYSUSERS = "malexbot.sysusers"
SAMPLE = "malexbot.yaml"
SHIPPED = (SERVICE, SYSUSERS, SAMPLE)
# Below the prefix of an installation; setup.cfg says the same.
SHARE = Path("share/malexbot")


def shipped(name: str) -> Path:
    """Where the file lies: in the checkout that we run from, else in the prefix."""
    for path in (*_in_checkout(name), *_installed(name)):
        if path.is_file():
            return path
    raise Permanent(f"{name} is missing from this installation; install malexbot anew")


def package_folder() -> Path:
    return Path(malexbot.__file__).parent


def _in_checkout(name: str) -> Iterator[Path]:
    top = package_folder().parent
    if (top / "setup.cfg").is_file():
        yield top / "systemd" / name
        yield top / "etc" / name


def _installed(name: str) -> Iterator[Path]:
    try:
        files = metadata.files("malexbot") or []
    except metadata.PackageNotFoundError:
        return
    for file in files:
        if file.parts[-3:] == (*SHARE.parts, name):
            yield Path(str(file.locate()))
