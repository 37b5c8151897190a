"""What every sandbox does that is a process of its own.

It prints one JSON line with its address and that of its control door, and runs
until SIGTERM, SIGINT, or the end of its standard input with `--until-eof` (so
that it dies with its test).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import Any, Protocol

from malexbot.sandbox.control import Door


class Served(Protocol):
    """A sandbox that was started."""

    @property
    def url(self) -> str: ...


def parser(prog: str) -> argparse.ArgumentParser:
    """The options of all of them."""
    made = argparse.ArgumentParser(prog=prog)
    made.add_argument("--port", type=int, default=0, help="0 takes a free one")
    made.add_argument("--settings", default="{}", help="JSON, see the class Settings")
    made.add_argument("--until-eof", action="store_true", help="end with the input")
    return made


def serve(
    sandbox: AbstractContextManager[Served],
    parts: tuple[str, ...],
    *,
    until_eof: bool,
    told: Mapping[str, Any] = MappingProxyType({}),
) -> int:
    """Until it is told to end; these parts of it can be reached by the door.

    `told`: what it prints beside its addresses.
    """
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with sandbox as served:
        door = Door(served, parts)
        door.start()
        address = {"url": served.url, "door": door.url, "pid": os.getpid(), **told}
        print(json.dumps(address), flush=True)
        if until_eof:
            threading.Thread(target=_wait_for_eof, args=(ended,), daemon=True).start()
        ended.wait()
        door.stop()
    return 0


def settings_of(options: argparse.Namespace) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(options.settings)
    return told


def _wait_for_eof(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()
