"""`malexbot install`: sets malexbot up as a systemd service of this machine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import click

from malexbot.cli.place import UNIT, Machine
from malexbot.cli.shipped import SAMPLE, SERVICE, SYSUSERS, shipped
from malexbot.cli.steps import (
    Link,
    MakeFolder,
    Protect,
    Run,
    Step,
    WriteFile,
    carry_out,
    content_of,
    needed,
)
from malexbot.cli.transplant import (
    CopyProgram,
    is_out_of_reach,
    running_program,
    system_python,
)
from malexbot.errors import Permanent

# What the shipped unit starts; the real program takes its place.
SHIPPED_PROGRAM = "/opt/malexbot/bin/malexbot"


@click.command("install")
@click.option("--dry-run", is_flag=True, help="Show what it would do; change nothing.")
@click.option("--root", type=Path, default=Path("/"), hidden=True)
def command(dry_run: bool, root: Path) -> None:
    """Set malexbot up as a systemd service.

    Run again, it upgrades it. An edited /etc/malexbot.yaml is kept; a newer sample
    is put beside it.

    \b
    sudo malexbot install
    malexbot install --dry-run
    """
    machine = Machine(root)
    machine.demand("install", is_dry=dry_run)
    # The service's account has to read all this, whatever root's own mask is.
    os.umask(0o022)
    try:
        steps = plan(machine)
        carry_out(steps, is_dry=dry_run)
    except OSError as error:
        raise Permanent(f"{error.filename}: {error.strerror}") from error
    if not steps:
        click.echo("all is in place")
    if not dry_run:
        click.echo(_what_next(machine))


def plan(machine: Machine) -> list[Step]:
    """What has to be done, in order; nothing of what is as it should be."""
    program, steps = running_program(), list[Step]()
    if is_out_of_reach():
        program = machine.own_venv / "bin/malexbot"
        steps += needed(CopyProgram(machine.own_venv, system_python()))
    if program.parent not in (Path("/usr/bin"), machine.link.parent):
        steps += needed(Link(machine.link, program))
    steps += _account(machine)
    steps += _settings(machine)
    steps += needed(MakeFolder(machine.credentials, 0o700))
    steps += _unit(machine, program)
    return steps


def unit_text(program: Path) -> str:
    """The shipped unit, starting the program at this path."""
    path = str(program).replace("%", "%%").replace(" ", "\\x20")
    return shipped(SERVICE).read_text().replace(SHIPPED_PROGRAM, path)


def _account(machine: Machine) -> list[Step]:
    steps = needed(WriteFile(machine.sysusers, shipped(SYSUSERS).read_bytes()))
    if not machine.is_image and (steps or not machine.has_account()):
        steps.append(Run(("systemd-sysusers", str(machine.sysusers))))
    return steps


def _settings(machine: Machine) -> list[Step]:
    """A config that nobody edited follows the sample; an edited one never does."""
    sample = shipped(SAMPLE).read_bytes()
    config, last = content_of(machine.config), content_of(machine.last_sample)
    steps = []
    if config in (None, last, sample):
        steps += needed(WriteFile(machine.config, sample, 0o640, machine.group))
    else:
        steps += needed(Protect(machine.config, 0o640, machine.group))
        if sample != last:
            steps += needed(WriteFile(machine.new_sample, sample, 0o640, machine.group))
    return steps + needed(WriteFile(machine.last_sample, sample))


def _unit(machine: Machine, program: Path) -> list[Step]:
    steps = needed(WriteFile(machine.unit, unit_text(program).encode()))
    if steps and not machine.is_image:
        steps.append(Run(("systemctl", "daemon-reload")))
    return steps


def _what_next(machine: Machine) -> str:
    if not machine.is_image and _is_active():
        first, then = f"sudo systemctl restart {UNIT}", f"systemctl status {UNIT}"
        return f"\nNext:\n  {first}\n  {then}"
    first, then = "sudo malexbot check", f"sudo systemctl enable --now {UNIT}"
    return f"\nNext, with your settings in {machine.config}:\n  {first}\n  {then}"


def _is_active() -> bool:
    asked = subprocess.run(("systemctl", "is-active", "--quiet", UNIT), check=False)
    return asked.returncode == 0
