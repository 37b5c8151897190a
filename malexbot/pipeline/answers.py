"""What is done to a chat but posting: answers, edits, dialogs, files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from malexbot.errors import Uncertain
from malexbot.pipeline.desk import Desk
from malexbot.pipeline.effects import POST
from malexbot.pipeline.hold import Hold
from malexbot.pipeline.sends import chat_of, known
from malexbot.pipeline.verdicts import Again, Done, Postponed, wait_s
from malexbot.ports import Chat, Effect, Job, Sent, Terms
from malexbot.ports.chats import fits_call
from malexbot.ports.ways import AnswerWays


class ChatAnswers:
    """The handler of "chat.answer": to the call that waits for it, else another way.

    Whether an answer arrived that a crash cut off nobody knows: it is given again,
    for nobody misses one that came twice.
    """

    def __init__(
        self, *, chats: Mapping[str, Chat], desk: Desk, ways: AnswerWays
    ) -> None:
        self._chats = chats
        self._desk = desk
        self._ways = ways

    def __call__(self, job: Job, hold: Hold) -> Done:
        payload = job.payload
        event_id = str(payload["event_id"])
        writes = known(payload.get("update") or {}, str(payload.get("post_id") or ""))
        if not fits_call(payload["kind"], payload):
            self._desk.let_go(event_id)
        elif self._desk.hand_over(event_id, payload):
            return Done(note="answered", writes=writes)
        sent = self._answer_late(job, hold, event_id)
        return Done(
            note="answered later", writes=[*writes, *known(payload, sent.post_id)]
        )

    def _answer_late(self, job: Job, hold: Hold, event_id: str) -> Sent:
        chat, payload = chat_of(self._chats, job), dict(job.payload)
        if "response_url" in payload and not self._ways.use(event_id, key=job.key):
            del payload["response_url"]
        hold.check_for(chat.timeout_s)
        try:
            return chat.answer(payload, key=job.key)
        except Uncertain as error:
            raise _again(job, error) from error


class ChatEdits:
    """The handler of "chat.edit": the same change twice is there once."""

    def __init__(self, chats: Mapping[str, Chat]) -> None:
        self._chats = chats

    def __call__(self, job: Job, hold: Hold) -> Done:
        chat = chat_of(self._chats, job)
        hold.check_for(chat.timeout_s)
        try:
            chat.edit(job.payload)
        except Uncertain as error:
            raise _again(job, error) from error
        return Done(writes=known(job.payload, str(job.payload["post_id"])))


class ChatDialogs:
    """The handler of "chat.dialog": it opens once at most, who wants it asks again."""

    def __init__(self, chats: Mapping[str, Chat]) -> None:
        self._chats = chats

    def __call__(self, job: Job, hold: Hold) -> Done:
        chat = chat_of(self._chats, job)
        hold.check_for(chat.timeout_s)
        chat.open_dialog(job.payload)
        return Done()


class ChatUploads:
    """The handler of "chat.upload": then the post that shows the file is a send.

    A file that nobody's post has may be there twice: it is seen by nobody.
    """

    def __init__(self, chats: Mapping[str, Chat]) -> None:
        self._chats = chats

    def __call__(self, job: Job, hold: Hold) -> Done:
        chat = chat_of(self._chats, job)
        hold.check_for(chat.timeout_s)
        try:
            file_id = chat.upload(job.payload)
        except Uncertain as error:
            raise _again(job, error) from error
        said = ("channel_id", "user_id", "root_id", "message")
        payload: dict[str, Any] = {
            name: job.payload[name] for name in said if name in job.payload
        }
        payload["file_ids"] = [file_id]
        return Done((Effect(POST, job.name, payload, Terms(job.left_s)),))


def _again(job: Job, error: Exception) -> Postponed:
    return Postponed(Again(wait_s(job, error), str(error)))
