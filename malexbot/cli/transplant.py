"""A copy of the running program in a venv of its own, where the service can see it.

The copy needs no network and has exactly the versions that ran here: the files of
malexbot, of all that it requires and that is installed, and of its plugins.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from malexbot.cli.shipped import SHARE, SHIPPED, package_folder, shipped
from malexbot.cli.steps import content_of, run
from malexbot.errors import Permanent

# What ProtectHome= and PrivateTmp= of our unit take out of sight.
HIDDEN = tuple(map(Path, ("/home", "/root", "/run/user", "/tmp", "/var/tmp")))
# Says that the venv is a copy of ours, so that uninstall may remove it.
MARK = ".made-by-malexbot-install"
# What tells where a distribution came from is not true of the copy.
WRITTEN = ("RECORD", "direct_url.json")
SYSTEM_PATH = "/usr/bin:/usr/local/bin"

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_FOR_DEVELOPERS = re.compile(r"extra == .(test|lint)\b")
_ABI = "import sysconfig, venv; print(sysconfig.get_config_var('SOABI'))"
_SITE = "import sysconfig; print(sysconfig.get_path('purelib'))"
_SCRIPT = """\
#!{python}
import sys

from malexbot.cli import main

sys.exit(main())
"""


def running_program() -> Path:
    """The `malexbot` command of the installation that runs now."""
    return Path(sysconfig.get_path("scripts")) / "malexbot"


def is_hidden(path: Path) -> bool:
    """Yes means that the service, with its account and its unit, cannot get there."""
    return any(
        place.is_relative_to(hidden)
        for place in (path.absolute(), path.resolve())
        for hidden in HIDDEN
    ) or not all(_is_open(parent) for parent in path.resolve().parents)


def is_out_of_reach() -> bool:
    """Yes means that the service could not run what runs now."""
    program = running_program()
    places = (program, package_folder(), Path(sys.executable), Path(sys.base_prefix))
    return not program.is_file() or any(map(is_hidden, places))


@dataclass(frozen=True, slots=True)
class CopyProgram:
    """The program stands in a venv at this place; what else is in there stays."""

    place: Path
    python: str

    def __str__(self) -> str:
        names = len(_wanted())
        return f"copy the program ({names} distributions) into a venv at {self.place}"

    def is_needed(self) -> bool:
        return not (self.place / "bin/malexbot").is_file() or bool(self._outdated())

    def do(self) -> None:
        """Only what is not there as it is here is copied anew."""
        self._make_venv()
        for distribution in self._outdated():
            self._take_out(distribution.name)
            self._put_in(distribution)
        python, script = self.place / "bin/python", self.place / "bin/malexbot"
        script.write_text(_SCRIPT.format(python=python))
        script.chmod(0o755)
        # The service may not write here: what is not compiled now never will be.
        run(str(python), "-I", "-m", "compileall", "-q", str(self._site))

    def _outdated(self) -> list[metadata.Distribution]:
        """By the version; of malexbot, which may be a checkout, by the files."""
        found = metadata.distributions(path=[str(self._site)])
        # RECORD is written last: what has none was cut off.
        there = {d.name: d.version for d in found if d.files is not None}
        return [
            d
            for d in _wanted()
            if there.get(d.name) != d.version or (_is_ours(d) and self._differs())
        ]

    def _differs(self) -> bool:
        return any(
            content_of(file) != content_of(self._site / name)
            for file, name in _package_files()
        )

    @property
    def _site(self) -> Path:
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        return self.place / "lib" / version / "site-packages"

    def _make_venv(self) -> None:
        if self.place.is_dir() and not self._is_ours():
            raise Permanent(
                f"{self.place} is there and not ours; move it away, or install "
                f"malexbot into it and run {self.place}/bin/malexbot install"
            )
        if not self._site.is_dir() and self.place.is_dir():
            shutil.rmtree(self.place)  # made for another Python: of no use to this
        self.place.mkdir(parents=True, exist_ok=True)
        # First of all, so that the next run knows one that was cut off.
        (self.place / MARK).touch()
        run(self.python, "-m", "venv", "--without-pip", str(self.place))

    def _is_ours(self) -> bool:
        return (self.place / MARK).exists() or not any(self.place.iterdir())

    def _take_out(self, name: str) -> None:
        """Remove an older version; our RECORD lists all that it brought."""
        found = metadata.distributions(name=name, path=[str(self._site)])
        for distribution in list(found):
            for file in distribution.files or ():
                path = Path(str(file.locate()))
                path.unlink(missing_ok=True)
                if path.suffix == ".py":
                    Path(util.cache_from_source(path)).unlink(missing_ok=True)

    def _put_in(self, distribution: metadata.Distribution) -> None:
        record = []
        for source, name in _files(distribution):
            target = self._site / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
            is_program = source.stat().st_mode & stat.S_IXUSR
            target.chmod(0o755 if is_program else 0o644)
            record.append(f"{name},,\n")
        folder = self._site / _metadata_folder(distribution).name
        (folder / "RECORD").write_text("".join((*record, f"{folder.name}/RECORD,,\n")))


def system_python() -> str:
    """An interpreter that the service can see and that loads our compiled parts."""
    wanted = sysconfig.get_config_var("SOABI")
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for python in (os.path.realpath(sys.executable), _on_system_path(name)):
        if python and not is_hidden(Path(python)) and _abi(python) == wanted:
            return python
    raise Permanent(
        f"the service cannot see {sys.base_prefix}, and there is no {name} in "
        f"{SYSTEM_PATH}; install it, or make the venv with a Python that is there: "
        "python3 -m venv /opt/malexbot && /opt/malexbot/bin/pip install malexbot "
        "&& /opt/malexbot/bin/malexbot install"
    )


def _on_system_path(name: str) -> str | None:
    return shutil.which(name, path=SYSTEM_PATH)


def _abi(python: str) -> str | None:
    """What its compiled modules must be built for; None if it can make no venv."""
    try:
        return run(python, "-I", "-c", _ABI).strip()
    except Permanent:
        return None


def _wanted() -> list[metadata.Distribution]:
    """malexbot, what it requires as far as it is installed, its plugins, and pip."""
    installed: dict[str, metadata.Distribution] = {}
    # What pip installed goes before what a build left in a checkout.
    for distribution in sorted(metadata.distributions(), key=_is_by_others):
        installed.setdefault(_normal(distribution.name), distribution)
    names = ["malexbot", "pip", *_plugins(installed)]
    found: dict[str, metadata.Distribution] = {}
    while names:
        name = _normal(names.pop())
        if name in installed and name not in found:
            found[name] = installed[name]
            names += _requirements(installed[name])
    return list(found.values())


def _plugins(installed: dict[str, metadata.Distribution]) -> list[str]:
    return [
        name
        for name, distribution in installed.items()
        if any(p.group.startswith("malexbot.") for p in distribution.entry_points)
    ]


def _requirements(distribution: metadata.Distribution) -> Iterator[str]:
    """The names alone: what a marker or an extra rules out is not installed."""
    for requirement in distribution.requires or ():
        name = _NAME.match(requirement)
        if name and not _FOR_DEVELOPERS.search(requirement):
            yield name[0]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _files(distribution: metadata.Distribution) -> Iterator[tuple[Path, str]]:
    """What belongs to it, and where that goes below site-packages."""
    if distribution.files is None:
        raise _not_by_pip(distribution)
    is_ours = _is_ours(distribution)
    own_folder = _metadata_folder(distribution)
    for file in distribution.files:
        source = Path(str(file.locate()))
        if is_ours and not source.is_relative_to(own_folder):
            continue
        if file.parts[0] != ".." and file.name not in WRITTEN and source.is_file():
            yield source, str(file)
    if is_ours:
        yield from _package_files()


def _package_files() -> Iterator[tuple[Path, str]]:
    """Our own files, from a checkout as well: pip's list has only a link to one."""
    package = package_folder()
    for source in sorted(package.rglob("*")):
        if source.is_file() and source.suffix != ".pyc":
            yield source, str(source.relative_to(package.parent))
    for name in SHIPPED:
        yield shipped(name), str(Path("../../..") / SHARE / name)


def _metadata_folder(distribution: metadata.Distribution) -> Path:
    for file in distribution.files or ():
        if file.name == "METADATA":
            return Path(str(file.locate())).parent
    raise _not_by_pip(distribution)


def _is_ours(distribution: metadata.Distribution) -> bool:
    return _normal(distribution.name) == "malexbot"


def _is_by_others(distribution: metadata.Distribution) -> bool:
    return distribution.read_text("METADATA") is None


def _not_by_pip(distribution: metadata.Distribution) -> Permanent:
    return Permanent(
        f"cannot copy {distribution.name}, which pip did not install; install "
        "malexbot with all that it needs into a venv of its own"
    )


def _is_open(folder: Path) -> bool:
    try:
        return bool(folder.stat().st_mode & stat.S_IXOTH)
    except OSError:
        return False
