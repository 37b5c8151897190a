"""What the core asks of the world: the journal, the jobs, the bookmarks, the chats.

Storage and messengers implement these; `app` hands them in. Whatever writes here
raises `Transient` when it may be repeated whole, which is always safe.
"""

from __future__ import annotations

from malexbot.ports.bookmarks import Bookmark, Bookmarks, ChannelNews, Feed, Feeds
from malexbot.ports.calls import Answered, Call, Door
from malexbot.ports.chats import Chat, Sent
from malexbot.ports.commands import Commands, KeptCommand
from malexbot.ports.forms import Button, Card, Dialog, Fact, Field, Menu, Option
from malexbot.ports.grants import Grant, Granted, Grants
from malexbot.ports.jobs import (
    LANE_HELD_S,
    Conflict,
    Effect,
    End,
    Job,
    Jobs,
    JobState,
    LeaseLost,
)
from malexbot.ports.journal import (
    CaughtUp,
    EditsRead,
    Entry,
    Journal,
    Live,
    Looked,
    Lost,
    Mark,
    Parcel,
    Polled,
    ReadAnew,
    Reject,
    Vanished,
    WalkedBack,
)
from malexbot.ports.processors import Bot, Found, Occasion, Processor, Shelf, Terms
from malexbot.ports.store import GiveBack, Kept, PostKnown, Put, Seen, Store, Write
from malexbot.ports.ways import AnswerWays, Use

__all__ = [
    "LANE_HELD_S",
    "AnswerWays",
    "Answered",
    "Bookmark",
    "Bookmarks",
    "Bot",
    "Button",
    "Call",
    "Card",
    "CaughtUp",
    "ChannelNews",
    "Chat",
    "Commands",
    "Conflict",
    "Dialog",
    "Door",
    "EditsRead",
    "Effect",
    "End",
    "Entry",
    "Fact",
    "Feed",
    "Feeds",
    "Field",
    "Found",
    "GiveBack",
    "Grant",
    "Granted",
    "Grants",
    "Job",
    "JobState",
    "Jobs",
    "Journal",
    "Kept",
    "KeptCommand",
    "LeaseLost",
    "Live",
    "Looked",
    "Lost",
    "Mark",
    "Menu",
    "Occasion",
    "Option",
    "Parcel",
    "Polled",
    "PostKnown",
    "Processor",
    "Put",
    "ReadAnew",
    "Reject",
    "Seen",
    "Sent",
    "Shelf",
    "Store",
    "Terms",
    "Use",
    "Vanished",
    "WalkedBack",
    "Write",
]
