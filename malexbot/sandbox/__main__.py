"""The sandbox as a process of its own: `python -m malexbot.sandbox --state FILE`.

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
from pathlib import Path

from malexbot.sandbox.control import Door
from malexbot.sandbox.sandbox import Sandbox
from malexbot.sandbox.settings import Settings


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    settings = Settings(**json.loads(options.settings))
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    sandbox = Sandbox(port=options.port, settings=settings, state=options.state)
    sandbox.clock.shift(options.clock_ahead)
    with sandbox:
        door = Door(sandbox)
        door.start()
        address = {"url": sandbox.url, "door": door.url, "pid": os.getpid()}
        print(json.dumps(address), flush=True)
        if options.until_eof:
            threading.Thread(target=_wait_for_eof, args=(ended,), daemon=True).start()
        ended.wait()
        door.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m malexbot.sandbox")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--state", type=Path, help="the file that survives a kill")
    parser.add_argument("--settings", default="{}", help="JSON, see settings.py")
    parser.add_argument(
        "--clock-ahead", type=int, default=0, help="milliseconds that it is wrong by"
    )
    parser.add_argument("--until-eof", action="store_true", help="end with the input")
    return parser


def _wait_for_eof(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


if __name__ == "__main__":
    raise SystemExit(main())
