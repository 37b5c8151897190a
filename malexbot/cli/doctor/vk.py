"""The checks of VK, in the order in which one needs the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from malexbot.cli.doctor.checks import Answer, Check, Theme, advice, fault, ok
from malexbot.config.model import Config, Vk
from malexbot.messengers.vk.client import Client
from malexbot.messengers.vk.failures import Failure, Forbidden, Unauthorised
from malexbot.messengers.vk.link import Link

# How long a call may be repeated, and how long one answer may take.
PATIENCE_S = 2.0
READ_S = 5.0
MANAGE = "in the community, Manage > API usage"
LONG_POLL = f"{MANAGE} > Long Poll API"
NEEDED = ("messages", "manage")
# By which of VK's events functions of plugins are called.
_BRINGS = {
    "command": "message_new",
    "posted": "message_new",
    "button": "message_event",
    "post_edited": "message_edit",
    "reaction_added": "message_reaction_event",
    "reaction_removed": "message_reaction_event",
}


def theme(config: Config, config_file: Path) -> Theme:
    """Without the block there is nothing to look at."""
    if config.vk is None:
        return Theme([])
    visit = Visit(config.vk, _needed(config, config.vk), config_file)
    made = Theme(
        [
            visit.check("VK", visit.community, lack="VK does not let us in"),
            visit.check("VK rights", visit.rights, needs=("VK",)),
            visit.check("VK events", visit.events, needs=("VK",)),
        ]
    )
    made.opened.callback(visit.link.close)
    return made


def _needed(config: Config, vk: Vk) -> set[str]:
    """What has to be switched on; `gap` comes from us."""
    events = vk.target_events_processors
    named = {name for name, processors in events.items() if processors}
    of_plugins = {name for each in config.plugged.handlers for name in each.events}
    return (named - {"gap"}) | {_BRINGS[name] for name in of_plugins & _BRINGS.keys()}


class Visit:
    """Shared by the checks, which come one after the other."""

    def __init__(self, settings: Vk, needed: set[str], config_file: Path) -> None:
        self._settings = settings
        self._needed = needed
        self._file = config_file
        self.link = Link(
            token=settings.token.get_secret_value(),
            url=settings.api_url,
            version=settings.api_version,
        )
        self._client = Client(self.link, patience_s=PATIENCE_S, read_s=READ_S)

    def check(
        self,
        name: str,
        ask: Callable[[], Answer],
        *,
        needs: tuple[str, ...] = (),
        lack: str = "",
    ) -> Check:
        def guarded() -> Answer:
            try:
                return ask()
            except Failure as error:
                return fault(str(error.args[1]), self._remedy(error))

        return Check(name, guarded, needs=needs, lack=lack)

    def community(self) -> Answer:
        group, wanted = self._client.group(), self._settings.group_id
        name = str(group.get("name", ""))
        if group.get("id") != wanted:
            return fault(
                f"the token is of {name} ({group.get('id')}), vk.group_id is {wanted}",
                f"write its own number, or the token of the other one, to {self._file}",
            )
        return ok(f"the community {name} ({wanted})")

    def rights(self) -> Answer:
        missing = [name for name in NEEDED if name not in self._client.rights()]
        if missing:
            return fault(
                f"the token has no right to: {', '.join(missing)}",
                f"{MANAGE} > Access tokens: make one that has, and write it to"
                f" vk.token of {self._file}",
            )
        return ok(f"to {' and '.join(NEEDED)}")

    def events(self) -> Answer:
        told = self._client.long_poll_settings(self._settings.group_id)
        if not told.get("is_enabled"):
            return fault("the Long Poll API is off", f"{LONG_POLL}: switch it on")
        switched = told.get("events")
        is_on = switched if isinstance(switched, dict) else {}
        if missing := sorted(name for name in self._needed if not is_on.get(name)):
            return fault(
                f"VK does not tell of {', '.join(missing)}: switched off",
                f"{LONG_POLL} > Event types: switch them on",
            )
        if not self._needed:
            return advice(
                "nothing is done on any event: vk.target_events_processors is empty",
                f"name processors there, such as `message_new: [log]`, in {self._file}",
            )
        return ok(f"VK tells of {', '.join(sorted(self._needed))}")

    def _remedy(self, error: Failure) -> str:
        if isinstance(error, Unauthorised):
            return (
                f"{MANAGE} > Access tokens: make one, and write it to vk.token of"
                f" {self._file}"
            )
        if isinstance(error, Forbidden):
            return f"{MANAGE} > Access tokens: make one that may manage the community"
        url = f"{self._settings.api_url}/utils.getServerTime"
        return f"is vk.api_base right? curl -m 5 {url}"
