"""What a person does with a bot besides talking: commands, buttons, menus, dialogs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from malexbot.sandbox import attachments
from malexbot.sandbox.buttons import Buttons, Press
from malexbot.sandbox.clock import new_id
from malexbot.sandbox.commands import Commands, Typed
from malexbot.sandbox.dialogs import Dialogs
from malexbot.sandbox.integrations import IncomingHook, OutgoingHook
from malexbot.sandbox.model import Json
from malexbot.sandbox.outgoing import FORM, JSON
from malexbot.sandbox.world import World


@dataclass(frozen=True)
class Acts:
    """Ids and plain values in and out; what the server refuses is raised.

    A call returns when the integration has answered, or has not.
    """

    world: World
    commands: Commands
    buttons: Buttons
    forms: Dialogs
    # The server's address.
    site: Callable[[], str]

    # What an admin sets up.

    def add_command(
        self, team_id: str, trigger: str, url: str, creator_id: str, **more: str
    ) -> Json:
        """As the server tells it, its `token` too; `method="G"` makes it a GET."""
        given = {"trigger": trigger, "url": url, "auto_complete": True, **more}
        with self.world.lock:
            creator = self.world.user(creator_id)
            return self.commands.create(creator, team_id, given).as_dict()

    def add_incoming_hook(self, channel_id: str, user_id: str) -> str:
        """The address to post to, in the name of that user."""
        with self.world.lock:
            channel, now = self.world.channel(channel_id), self.world.now_ms()
            hook = IncomingHook(
                id=new_id(),
                create_at=now,
                update_at=now,
                user_id=user_id,
                channel_id=channel_id,
                team_id=channel.team_id,
            )
            self.world.incoming_hooks.put(hook)
        return f"{self.site()}/hooks/{hook.id}"

    def add_outgoing_hook(
        self,
        team_id: str,
        url: str,
        creator_id: str,
        *,
        words: list[str],
        is_json: bool = True,
    ) -> str:
        """Its token; it tells of posts whose first word is one of these."""
        with self.world.lock:
            now = self.world.now_ms()
            hook = OutgoingHook(
                id=new_id(),
                token=new_id(),
                create_at=now,
                update_at=now,
                creator_id=creator_id,
                team_id=team_id,
                trigger_words=words,
                callback_urls=[url],
                content_type=JSON if is_json else FORM,
            )
            self.world.outgoing_hooks.put(hook)
        return hook.token

    # What a person does.

    def execute(
        self,
        user_id: str,
        channel_id: str,
        text: str,
        *,
        team_id: str = "",
        root_id: str = "",
    ) -> Json:
        """Types a slash command; `team_id` matters in direct channels alone."""
        user = self.world.user(user_id)
        typed = Typed(text, channel_id, team_id, root_id)
        return self.commands.execute(user, typed, self.site())

    def press(
        self, user_id: str, post_id: str, action_id: str, *, option: str = ""
    ) -> str:
        """A button, or an option of a menu; on an ephemeral post as on another."""
        with self.world.lock:
            user = self.world.user(user_id)
            cookie = self._cookie(post_id, action_id)
        return self.buttons.press(user, Press(post_id, action_id, option, cookie))

    def submit(
        self,
        dialog_id: str,
        channel_id: str,
        submission: Json | None = None,
        *,
        is_cancelled: bool = False,
    ) -> Json:
        """Sends what one has filled in, or that one has not; what the client shows."""
        with self.world.lock:
            row = self.world.dialogs[dialog_id]
            user = self.world.user(row.user_id)
            team_id = self._team_id(user.id, channel_id)
        given = {
            "url": row.url,
            "callback_id": row.dialog["callback_id"],
            "state": row.dialog["state"],
            "channel_id": channel_id,
            "team_id": team_id,
            "submission": submission or {},
            "cancelled": is_cancelled,
        }
        return self.forms.submit(user, given)

    # What a person sees.

    def actions(self, post_id: str) -> list[Json]:
        """The buttons and menus of a post, as clients see them."""
        with self.world.lock:
            props = attachments.shown(self._props(post_id))
            return list(attachments.actions(props))

    def whispers(self, user_id: str) -> list[Json]:
        """What was shown to this one alone, oldest first."""
        with self.world.lock:
            mine = [row for row in self.world.whispers if row.to_id == user_id]
        return [asdict(row) for row in mine]

    def dialogs(self, user_id: str) -> list[Json]:
        """What was opened before him, oldest first; `id` is for `submit`."""
        with self.world.lock:
            mine = [row for row in self.world.dialogs if row.user_id == user_id]
        return [asdict(row) for row in mine]

    def _props(self, post_id: str) -> Json:
        whisper = self.world.whispers.get(post_id)
        return whisper.props if whisper else self.world.live_post(post_id).props

    def _cookie(self, post_id: str, action_id: str) -> str:
        if post_id not in self.world.whispers:
            return ""
        found = attachments.actions(self._props(post_id))
        return next((each["cookie"] for each in found if each["id"] == action_id), "")

    def _team_id(self, user_id: str, channel_id: str) -> str:
        """The channel's team, or one that the person is in."""
        team_id = self.world.channel(channel_id).team_id
        mine = (
            row.team_id for row in self.world.team_members if row.user_id == user_id
        )
        return team_id or next(mine, "")
