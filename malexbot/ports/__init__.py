"""What the core asks of the world: the journal, the jobs, the bookmarks, the chats.

Storage and messengers implement these; `app` hands them in. Whatever writes here
raises `Transient` when it may be repeated whole, which is always safe.
"""

from __future__ import annotations

from malexbot.ports.bookmarks import Bookmark, Bookmarks, ChannelNews
from malexbot.ports.chats import Chat, Sent
from malexbot.ports.jobs import Effect, Job, Jobs, JobState, LeaseLost
from malexbot.ports.journal import (
    CaughtUp,
    EditsRead,
    Entry,
    Journal,
    Looked,
    Mark,
    Parcel,
    Reject,
    Vanished,
    WalkedBack,
)
from malexbot.ports.processors import Bot, Occasion, Processor, Terms

__all__ = [
    "Bookmark",
    "Bookmarks",
    "Bot",
    "CaughtUp",
    "ChannelNews",
    "Chat",
    "EditsRead",
    "Effect",
    "Entry",
    "Job",
    "JobState",
    "Jobs",
    "Journal",
    "LeaseLost",
    "Looked",
    "Mark",
    "Occasion",
    "Parcel",
    "Processor",
    "Reject",
    "Sent",
    "Terms",
    "Vanished",
    "WalkedBack",
]
