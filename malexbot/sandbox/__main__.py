"""The sandbox as a process of its own: `python -m malexbot.sandbox --state FILE`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from malexbot.sandbox.control import PARTS
from malexbot.sandbox.program import parser, serve, settings_of
from malexbot.sandbox.sandbox import Sandbox
from malexbot.sandbox.settings import Settings
from malexbot.sandbox.town import build


def main(arguments: list[str] | None = None) -> int:
    known = parser("python -m malexbot.sandbox")
    known.add_argument("--state", type=Path, help="the file that survives a kill")
    known.add_argument(
        "--clock-ahead", type=int, default=0, help="milliseconds that it is wrong by"
    )
    known.add_argument(
        "--town", action="store_true", help="with people, channels and a bot's token"
    )
    options = known.parse_args(arguments)
    if options.town and options.state and options.state.exists():
        known.error(f"--town is for a new world, and {options.state} holds one")
    settings = Settings(**settings_of(options))
    sandbox = Sandbox(port=options.port, settings=settings, state=options.state)
    sandbox.clock.shift(options.clock_ahead)
    town = {"town": asdict(build(sandbox.scene))} if options.town else {}
    return serve(sandbox, PARTS, until_eof=options.until_eof, told=town)


if __name__ == "__main__":
    raise SystemExit(main())
