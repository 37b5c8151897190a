"""What the built wheel carries besides Python."""

from __future__ import annotations

import zipfile
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "malexbot"


def test_all_that_is_read_at_run_time_is_in_it(wheel: Path) -> None:
    needed = [
        file
        for pattern in ("**/*.sql", "**/py.typed", "sandbox/page/*")
        for file in SOURCE.glob(pattern)
    ]
    with zipfile.ZipFile(wheel) as archive:
        carried = set(archive.namelist())
    missing = [
        file.name
        for file in needed
        if str(file.relative_to(SOURCE.parent)) not in carried
    ]
    assert len(needed) > 20
    assert missing == []
