"""The daemon as it is, but for one number: here it is never the job that kills us.

By chance the same job is under way at five kills, and would be given up for that.
"""

from __future__ import annotations

import sys
from pathlib import Path

from malexbot.cli.run import leave, serve
from malexbot.storage import claims

PROGRAM = (sys.executable, "-m", f"{__package__}.{Path(__file__).stem}")

if __name__ == "__main__":
    claims.MOST_CUT_OFF = 1_000
    leave(serve(Path(sys.argv[2])))
