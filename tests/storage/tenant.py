"""A process that uses the embedded server: `tenant.py STATE_DIR`, until stdin ends.

With a third argument it becomes that user first.
"""

from __future__ import annotations

import codecs
import os
import sys
from pathlib import Path

from malexbot.errors import MalexbotError
from malexbot.storage.database import Database
from malexbot.storage.embedded import Embedded


def main(state_dir: str, user: str = "") -> None:
    if user:
        codecs.lookup("ascii")  # the Python of root may be closed to that user
        os.setgroups([])
        os.setgid(int(user))
        os.setuid(int(user))
    try:
        with Embedded(Path(state_dir), fsync=False) as server:
            with Database(server.dsn) as database, database.transaction() as cursor:
                cursor.execute("SELECT current_user")
                print(*(cursor.fetchone() or ()), flush=True)
            sys.stdin.read()
    except MalexbotError as error:
        print(f"{type(error).__name__}: {error}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
