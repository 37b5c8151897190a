"""The scene of the demo: a Mattermost, a PostgreSQL and malexbot, in one folder."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from malexbot.cli.demo.conversation import COMMANDS, CONFIG, HISTORY, KEEPS, SECRET
from malexbot.cli.demo.ending import Ending
from malexbot.errors import MalexbotError
from malexbot.runtime.deadline import Deadline
from malexbot.sandbox.daemon import DaemonProcess
from malexbot.sandbox.sandbox import Sandbox
from malexbot.sandbox.town import BOT_NAME, build
from malexbot.storage.archive import Archive
from malexbot.storage.backlog import Backlog
from malexbot.storage.database import Database
from malexbot.storage.embedded import Embedded
from malexbot.storage.recent import Recent, recent

# What a start or an answer may take on a busy machine.
_PATIENCE_S = 30.0
_TURN_S = 0.05
_LAST_LINES = 5
_HOUR_MS = 3_600_000
# The door of the websocket, as a fault names requests.
_SOCKET = "/websocket"


class Stage:
    """All that plays; `with Stage(…) as stage:` has everything but malexbot running."""

    def __init__(self, folder: Path, ending: Ending, *, keeps: str = KEEPS) -> None:
        """`keeps` is the condition of the archive's filter."""
        self._folder = folder
        self._ending = ending
        self._keeps = keeps
        self._open = ExitStack()
        self._daemon: DaemonProcess | None = None
        self.mattermost = Sandbox()
        self.town = build(self.mattermost.scene)
        self.people = {"alice": self.town.alice, "bob": self.town.bob}
        self.names = {id: name for name, id in self.people.items()}
        self.names |= {self.town.bot: BOT_NAME, self.town.admin: "admin"}
        # of alice: what a person needs to post by hand
        self.token = self.mattermost.scene.add_token(user_id=self.town.alice)

    def __enter__(self) -> Stage:
        with self._open:
            self._open.enter_context(self.mattermost)
            self._write_config()
            # nothing here has to survive a loss of power
            server = Embedded(self._folder / "state", fsync=False)
            self._open.enter_context(server)
            # a few pages may look at once
            database = self._open.enter_context(Database(server.dsn, size=6))
            self.archive = Archive(database)
            self.recent: Callable[[str, int], Recent] = partial(recent, database)
            self._backlog = Backlog(database)
            self._open.callback(self._leave_daemon)
            self._open = self._open.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    # What people do.

    def say(self, who: str, text: str, *, root_id: str = "", ago_ms: int = 0) -> str:
        """In the channel that all are in; the id of the post."""
        at = self.mattermost.clock.now_ms() - ago_ms if ago_ms else 0
        return self.mattermost.scene.post(
            self.town.channel, self.people[who], text, root_id=root_id, create_at=at
        )

    def tell_history(self) -> list[str]:
        """What was said before malexbot came; the ids of the posts."""
        said: list[str] = []
        for line in HISTORY:
            root = said[-1] if line.is_reply else ""
            ago = round(line.hours_ago * _HOUR_MS)
            said.append(self.say(line.who, line.text, root_id=root, ago_ms=ago))
        return said

    # malexbot.

    @property
    def daemon(self) -> DaemonProcess:
        if self._daemon is None:
            raise MalexbotError("malexbot was not started")
        return self._daemon

    @property
    def is_down(self) -> bool:
        """Yes: it has died, or ended by itself."""
        return self.daemon.exit_code is not None

    @property
    def is_listening(self) -> bool:
        """Yes: it lives, and Mattermost believes its websocket to be open."""
        return not self.is_down and self.mattermost.sockets(self.town.bot) > 0

    @property
    def bot_is(self) -> str:
        """How malexbot is, as the chat page says it; any thread may ask."""
        try:
            if self.is_down:
                return "down"
            return "listening" if self.is_listening else "connecting"
        except MalexbotError:  # not started, or just being started again
            return "down"

    def start_daemon(self) -> None:
        """A first time, or again after its end."""
        self._leave_daemon()
        self._daemon = DaemonProcess(self.config)
        self._daemon.start()

    def shut_the_door(self) -> None:
        """Cut malexbot's websocket; it cannot come back until `open_the_door`."""
        self.mattermost.faults.fail(503, pattern=_SOCKET)
        self.mattermost.faults.cut(user_id=self.town.bot)

    def open_the_door(self) -> None:
        self.mattermost.faults.heal()

    # What the archive holds.

    def rows(self, since: int = 0) -> dict[str, Any]:
        """The archived posts by their ids; malexbot has made the tables."""
        return {row["id"]: row for row in self.archive.posts(since=since)}

    def has_caught_up(self) -> bool:
        """Yes: all that the filter should let in is kept, as it is by now."""
        lost = self.mattermost.ledger.lost(self.rows().values())
        return all(SECRET in each["text"] for each in lost)

    def has_work_left(self) -> bool:
        """Yes: something is still to be done or sent."""
        jobs = self._backlog.count()
        return bool(jobs["ready"] + jobs["leased"])

    # Waiting.

    def wait_until(self, is_true: Callable[[], bool], what: str) -> None:
        """For something that malexbot should do."""
        deadline = Deadline(_PATIENCE_S)
        while not is_true():
            self.pause(_TURN_S)
            if deadline.is_over:
                raise MalexbotError(
                    f"waited {_PATIENCE_S:g} s in vain {what}\n{self.last_words()}"
                )

    def wait_until_listening(self) -> None:
        """After a start; an error if malexbot does not live to listen."""
        self.wait_until(lambda: self.is_listening or self.is_down, "for malexbot")
        if self.is_down:
            code = self.daemon.exit_code
            raise MalexbotError(f"malexbot ended, code {code}\n{self.last_words()}")

    def last_words(self) -> str:
        """The end of malexbot's log."""
        return "\n".join(self.daemon.log.splitlines()[-_LAST_LINES:])

    def pause(self, seconds: float) -> None:
        """Raises Ended if the person who watches has seen enough."""
        self._ending.pause(seconds)

    @property
    def config(self) -> Path:
        return self._folder / "malexbot.yaml"

    def _write_config(self) -> None:
        """JSON's quotes are YAML's too."""
        port = free_port()
        public_url = f"http://127.0.0.1:{port}"
        self.config.touch(mode=0o600)
        self.config.write_text(
            CONFIG.format(
                folder=json.dumps(str(self._folder / "state")),
                plugin=json.dumps(str(Path(__file__).with_name("lunch.py"))),
                port=port,
                public_url=json.dumps(public_url),
                url=json.dumps(self.mattermost.url),
                token=json.dumps(self.town.token),
                tokens=json.dumps(self._register(f"{public_url}/slash")),
                keeps=json.dumps(self._keeps),
            )
        )

    def _register(self, url: str) -> dict[str, str]:
        """The slash commands, as an admin would; their tokens."""
        acts, town = self.mattermost.acts, self.town
        return {
            trigger: acts.add_command(
                *(town.team, trigger, url, town.admin),
                username=BOT_NAME,
                auto_complete_hint=hint,
                auto_complete_desc=told,
            )["token"]
            for trigger, (hint, told) in COMMANDS.items()
        }

    def _leave_daemon(self) -> None:
        """Keep what it logged; it ends, if it has not."""
        daemon, self._daemon = self._daemon, None
        if daemon is None:
            return
        daemon.stop()
        with open(self._folder / "malexbot.log", "a") as file:
            file.write(daemon.log)


def free_port() -> int:
    """For malexbot's own HTTP, which `malexbot status` asks."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port
