"""malexbot: archives Mattermost, and answers."""

import sys

if sys.version_info < (3, 11):
    raise SystemExit(
        "malexbot needs Python 3.11 or newer, but this is Python %s.%s: "
        "make the virtual environment with a newer python3." % sys.version_info[:2]
    )

__version__ = "0.1.0"
