"""The process that fuzzes: `python -m tests.fuzz.run TARGET FOLDER ORDER…`.

The orders are those of libFuzzer, which ends the process where it stands.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import atheris  # type: ignore[import-untyped]

from tests.fuzz.targets import build

# What is watched besides our own code: what decides over a text of the language.
ALSO = {"expression": ["jinja2"]}


def main() -> None:
    program, target, folder, *orders = sys.argv
    # Each rule that fails is told once, and here that is each input.
    logging.disable()
    with atheris.instrument_imports(include=["malexbot", *ALSO.get(target, ())]):
        fuzz = build(target, Path(folder))
    atheris.Setup([program, *orders], fuzz)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
