"""The advisory locks that malexbot takes in a database."""

from __future__ import annotations

# Two keys each: ours ("male" in ASCII), and what is locked. They are of one
# database, so several malexbots may share a server.
_OURS = 0x6D616C65

DAEMON = (_OURS, 1)
"""Held by the active daemon, or by a command that must run without one."""

MIGRATION = (_OURS, 2)
"""Held in each transaction that changes the schema."""
