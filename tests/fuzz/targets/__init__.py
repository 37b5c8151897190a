"""What is fuzzed: each module has a `build`, which gives a function of bytes.

That raises for what must never happen, and only then.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import cast

Target = Callable[[bytes], None]
TARGETS = ("frame", "row", "config", "expression", "callback", "update")


def build(name: str, folder: Path) -> Target:
    """Import it, with what it tests; not before, so that it can be instrumented.

    `folder` is empty, and for what it needs as a file.
    """
    module = importlib.import_module(f"{__name__}.{name}")
    return cast(Target, module.build(folder))
