"""The sandbox as a process of its own: `python -m malexbot.sandbox --state FILE`."""

from __future__ import annotations

from pathlib import Path

from malexbot.sandbox.control import PARTS
from malexbot.sandbox.program import parser, serve, settings_of
from malexbot.sandbox.sandbox import Sandbox
from malexbot.sandbox.settings import Settings


def main(arguments: list[str] | None = None) -> int:
    known = parser("python -m malexbot.sandbox")
    known.add_argument("--state", type=Path, help="the file that survives a kill")
    known.add_argument(
        "--clock-ahead", type=int, default=0, help="milliseconds that it is wrong by"
    )
    options = known.parse_args(arguments)
    settings = Settings(**settings_of(options))
    sandbox = Sandbox(port=options.port, settings=settings, state=options.state)
    sandbox.clock.shift(options.clock_ahead)
    return serve(sandbox, PARTS, until_eof=options.until_eof)


if __name__ == "__main__":
    raise SystemExit(main())
