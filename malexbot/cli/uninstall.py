"""`malexbot uninstall`: takes the service back, keeps its data and settings."""

from __future__ import annotations

from pathlib import Path

import click

from malexbot.cli.place import ACCOUNT, UNIT, Machine
from malexbot.cli.steps import Remove, Run, Step, carry_out, needed
from malexbot.cli.transplant import MARK
from malexbot.errors import Permanent


@click.command("uninstall")
@click.option("--dry-run", is_flag=True, help="Show what it would do; change nothing.")
@click.option("--root", type=Path, default=Path("/"), hidden=True)
def command(dry_run: bool, root: Path) -> None:
    """Stop the service and remove it.

    Data, settings and secrets stay.

    \b
    sudo malexbot uninstall
    malexbot uninstall --dry-run
    """
    machine = Machine(root)
    machine.demand("uninstall", is_dry=dry_run)
    try:
        steps = plan(machine)
        carry_out(steps, is_dry=dry_run)
    except OSError as error:
        raise Permanent(f"{error.filename}: {error.strerror}") from error
    if not steps:
        click.echo("nothing of it is installed")
    for kept in _what_stays(machine):
        click.echo(f"kept: {kept}")


def plan(machine: Machine) -> list[Step]:
    """What has to be done, in order; the program that runs this goes last."""
    unit = needed(Remove(machine.unit))
    live = bool(unit) and not machine.is_image
    steps: list[Step] = []
    if live:
        steps.append(Run(("systemctl", "disable", "--now", UNIT)))
    steps += unit
    if live:
        steps.append(Run(("systemctl", "daemon-reload")))
    steps += needed(Remove(machine.sysusers), Remove(machine.last_sample.parent))
    if machine.link.is_symlink():
        steps.append(Remove(machine.link))
    if (machine.own_venv / MARK).exists():
        steps.append(Remove(machine.own_venv))
    return steps


def _what_stays(machine: Machine) -> list[str]:
    places = (
        machine.config,
        machine.new_sample,
        machine.credentials,
        machine.drop_ins,
        machine.state,
    )
    stay = [str(place) for place in places if place.exists()]
    if not machine.is_image and machine.has_account():
        stay.append(f"the account {ACCOUNT}, which owns the data")
    return stay
