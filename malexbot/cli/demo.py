"""`malexbot demo`: the life of the daemon, told as it happens."""

from __future__ import annotations

import signal
import socket
import tempfile
from pathlib import Path

import click

from malexbot.errors import MalexbotError
from malexbot.sandbox.daemon import DaemonProcess
from malexbot.storage.embedded import Embedded

CONFIG = """\
state_dir: {folder}/state
backend:
  host: 127.0.0.1
  port: {port}
"""


@click.command()
def command() -> None:
    """Show a daemon live, fall and be followed.

    Two daemons share an embedded PostgreSQL in a temporary folder; the active one
    is killed, the other takes over. Nothing of yours is touched.
    """
    with tempfile.TemporaryDirectory(prefix="malexbot-demo-") as name:
        folder = Path(name)
        first, second = (daemon(folder, label) for label in ("first", "second"))
        try:
            play(first, second, folder)
        finally:
            first.stop()
            second.stop()
            end_server(folder / "state")


def play(first: DaemonProcess, second: DaemonProcess, folder: Path) -> None:
    click.echo("A first daemon starts and makes itself a PostgreSQL database.")
    first.start()
    took = first.wait_for_status("active (epoch", 60)
    show(f"{first.status}   after {took:.1f} s")

    tell("A second one starts on the same database: only one may be active.")
    second.start()
    second.wait_for_status("standby")
    show(second.status)

    tell("Its settings are broken and reloaded (SIGHUP): it keeps the good ones.")
    config_file(folder, "second").write_text("backned: {}\n")
    second.signal(signal.SIGHUP)
    second.wait_for_log("reload refused")
    show("backned: unknown key; the old settings stay")

    tell("The first is killed without a warning (kill -9).")
    first.signal(signal.SIGKILL)
    took = second.wait_for_status("active (epoch")
    show(f"the second took over after {took:.1f} s: {second.status}")

    tell("The second is told to stop (SIGTERM), and takes the database along.")
    second.signal(signal.SIGTERM)
    code = second.wait()
    show(f"it ended with exit code {code}")
    if code:
        raise MalexbotError(f"the demo failed; the second daemon said\n{second.log}")


def end_server(state: Path) -> None:
    """Of a daemon that was killed the database goes on: take it over, and stop it."""
    if (state / "postgres" / "postmaster.pid").exists():
        with Embedded(state):
            pass


def daemon(folder: Path, label: str) -> DaemonProcess:
    file = config_file(folder, label)
    file.write_text(CONFIG.format(folder=folder, port=free_port()))
    return DaemonProcess(file)


def config_file(folder: Path, label: str) -> Path:
    return folder / f"{label}.yaml"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def tell(text: str) -> None:
    click.echo(f"\n{text}")


def show(text: str) -> None:
    click.echo(f"    {text}")
