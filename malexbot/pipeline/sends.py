"""Sends one thing to a messenger, once: the rules for what may be sent again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from malexbot.errors import Permanent, Transient, Uncertain
from malexbot.pipeline.controls import refs
from malexbot.pipeline.hold import Hold
from malexbot.pipeline.verdicts import (
    LOOK_AFTER_S,
    Again,
    Done,
    Postponed,
    is_repeatable,
    uncertain_wait_s,
    until_look_s,
    wait_s,
)
from malexbot.ports import Chat, Grants, Job, Jobs, PostKnown, Put, Sent, Write


class ChatPosts:
    """The handler of "chat.post".

    Before the first byte leaves, that is noted durably: whoever finds the note knows
    that the message may be there, also after a crash. It is looked for before it is
    repeated: a server that was started anew knows no key. What is not found so early
    may still be on its way, and then the key tells.
    """

    def __init__(
        self,
        *,
        chats: Mapping[str, Chat],
        jobs: Jobs,
        grants: Grants | None = None,
    ) -> None:
        self._chats = chats
        self._jobs = jobs
        self._grants = grants

    def __call__(self, job: Job, hold: Hold) -> Done:
        chat = chat_of(self._chats, job)
        if job.sent_ago_s is None:
            return self._send_first(chat, job, hold)
        if pressed := self._pressed(job):
            return _done(job, pressed)
        if found := self._find(chat, job, hold, _age_s(chat, job, hold)):
            return _done(job, found)
        # The look took its time.
        if _age_s(chat, job, hold) < LOOK_AFTER_S:
            return self._send_again(chat, job, hold)
        return self._send_first(chat, job, hold)

    def _send_first(self, chat: Chat, job: Job, hold: Hold) -> Done:
        hold.check_for(chat.timeout_s)
        marked_at_s = self._note(job, hold)
        hold.check_for(chat.timeout_s)
        try:
            return _done(job, chat.send(job.payload, key=job.key))
        except Uncertain as error:
            raise _uncertain(chat, job, error, hold.age_s - marked_at_s) from error

    def _note(self, job: Job, hold: Hold) -> float:
        """How old the hold is now that what is about to be sent is noted."""
        if job.is_noted:
            return 0.0
        self._jobs.mark_sending(job)
        return hold.age_s

    def _send_again(self, chat: Chat, job: Job, hold: Hold) -> Done:
        """With the same key; whatever fails now, the first send stays uncertain."""
        hold.check_for(chat.timeout_s)
        try:
            return _done(job, chat.send(job.payload, key=job.key))
        except (Uncertain, Transient) as error:
            ago_s = hold.age_s + (job.sent_ago_s or 0)
            raise _uncertain(chat, job, error, ago_s) from error

    def _pressed(self, job: Job) -> Sent | None:
        """Somebody has pressed what is below it: so it is there, however changed."""
        if self._grants is None:
            return None
        try:
            granted = map(self._grants.look, refs(job.payload.get("cards")))
            posts = [each.post_id for each in granted if each and each.post_id]
        except Transient as error:
            raise _uncertain_again(job, error) from error
        return Sent(posts[0], is_repeat=True) if posts else None

    def _find(self, chat: Chat, job: Job, hold: Hold, ago_s: float) -> Sent | None:
        hold.check_for(chat.timeout_s)
        try:
            return chat.find(job.payload, key=job.key, ago_s=ago_s)
        except (Uncertain, Transient) as error:
            raise _uncertain_again(job, error) from error


class ChatReactions:
    """The handler of "chat.react": the same emoji twice is there once."""

    def __init__(self, chats: Mapping[str, Chat]) -> None:
        self._chats = chats

    def __call__(self, job: Job, hold: Hold) -> Done:
        chat = chat_of(self._chats, job)
        hold.check_for(chat.timeout_s)
        try:
            chat.react(job.payload)
        except Uncertain as error:
            raise Postponed(Again(wait_s(job, error), str(error))) from error
        return Done()


def chat_of(chats: Mapping[str, Chat], job: Job) -> Chat:
    """The messenger of a target such as `mattermost:channel`."""
    source = job.name.partition(":")[0]
    if source not in chats:
        raise Permanent(f"no messenger {source!r} is configured")
    return chats[source]


def _age_s(chat: Chat, job: Job, hold: Hold) -> float:
    """How long ago it may have been sent; postponed if now nothing is sure."""
    ago_s = (job.sent_ago_s or 0) + hold.age_s
    if is_repeatable(ago_s, chat.timeout_s) or ago_s >= LOOK_AFTER_S:
        return ago_s
    reason = "it may have been sent: it is looked for later"
    raise Postponed(Again(until_look_s(ago_s), reason, is_uncertain=True))


def _done(job: Job, sent: Sent) -> Done:
    note = f"post {sent.post_id}" + (", found" if sent.is_repeat else "")
    writes = [*known(job.payload, sent.post_id), *_named(job.payload, sent.post_id)]
    return Done(note=note, writes=writes)


def known(payload: Mapping[str, Any], post_id: str) -> Sequence[Write]:
    """That what can be pressed in it stands below this post."""
    pressed = refs(payload.get("cards"))
    return [PostKnown(pressed, post_id)] if pressed and post_id else []


def _named(payload: Mapping[str, Any], post_id: str) -> Sequence[Write]:
    """By the name that a plugin gave it, the post is found again."""
    if not payload.get("named"):
        return []
    space, name = payload["named"]
    told = {"post_id": post_id, "channel_id": payload.get("channel_id", "")}
    return [Put(space, name, told)]


def _uncertain_again(job: Job, error: Exception) -> Postponed:
    return Postponed(Again(wait_s(job, error), str(error), is_uncertain=True))


def _uncertain(chat: Chat, job: Job, error: Exception, ago_s: float) -> Postponed:
    wait = uncertain_wait_s(job, error, sent_ago_s=ago_s, time_out_s=chat.timeout_s)
    return Postponed(Again(wait, str(error), is_uncertain=True))
