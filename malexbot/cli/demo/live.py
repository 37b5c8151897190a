"""The demo as it goes on until a person ends it: people talk, malexbot keeps up."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

from malexbot.cli.demo.attendant import Attendant
from malexbot.cli.demo.backstage import Backstage
from malexbot.cli.demo.conversation import SECRET
from malexbot.cli.demo.ending import Ended
from malexbot.cli.demo.keyboard import Keyboard
from malexbot.cli.demo.orders import Orders
from malexbot.cli.demo.stage import Stage
from malexbot.cli.demo.story import Story
from malexbot.cli.demo.telling import Teller
from malexbot.errors import Transient
from malexbot.runtime.deadline import Deadline

_TURN_S = 0.1
# Between two lines of bob's, who talks by himself in the beginning.
_BEAT_S = 1.5


class Live:
    """Takes turns: what was typed, what became of malexbot, what was said."""

    def __init__(self, stage: Stage, teller: Teller, end: Deadline) -> None:
        self._stage = stage
        self._teller = teller
        self._end = end
        self._keyboard = Keyboard()
        self._story = Story(stage, teller)
        self._attendant = Attendant(stage, teller)
        self._orders = Orders(stage, teller, self._attendant)
        self._asked: SimpleQueue[str] = SimpleQueue()
        stage.mattermost.page.show(Backstage(stage, self._asked.put))
        self._opening = bob_talks(stage)
        self._next_beat = Deadline(_BEAT_S)
        self._is_blind = False

    def run(self) -> None:
        """Until `end`, a signal or /quit."""
        try:
            self._begin()
            self._invite()
            while not self._end.is_over:
                self._turn()
                self._stage.pause(_TURN_S)
        except Ended:
            pass
        finally:
            self._teller.dismiss()

    def _begin(self) -> None:
        teller, stage = self._teller, self._stage
        stage.tell_history()
        with teller.step("alice and bob have talked since yesterday; malexbot comes"):
            stage.start_daemon()
            stage.wait_until_listening()
            stage.wait_until(stage.has_caught_up, "for what was said before")
        teller.text()
        while self._story.is_behind():
            stage.pause(_TURN_S)
            self._story.look()

    def _invite(self) -> None:
        teller, stage = self._teller, self._stage
        teller.text()
        teller.title("Now it listens. Chat with it in a browser:")
        teller.text()
        teller.title(f"  {stage.mattermost.url}")
        teller.text()
        teller.text(f"A question? and ping are answered; {SECRET!r} is not kept.")
        teller.text(
            "/malex help tells what it can do, /lunch has a dialog and buttons."
        )
        if self._keyboard.is_there:
            teller.text("Or type a line here: you are alice. /help tells what else.")
        teller.text()
        teller.text("To say something from a program, paste this into a terminal:")
        teller.text()
        for line in curl(stage.mattermost.url, stage.token, stage.town.channel):
            teller.text(line)
        teller.text()
        teller.text(f"Its state:  {called()} status --config {stage.config}")
        teller.text(f"Kill it:    kill -9 {stage.daemon.pid}  (it comes back)")
        teller.text("End all:    Ctrl-C")
        teller.text()
        if self._keyboard.is_there:
            teller.invite()

    def _turn(self) -> None:
        for line in self._keyboard.lines():
            self._teller.swallow()
            self._orders.obey(line)
        while not self._asked.empty():
            self._orders.obey(self._asked.get())
        if self._next_beat.is_over:
            self._next_beat = Deadline(_BEAT_S)
            next(self._opening, None)
        self._attendant.look()
        self.follow()

    def follow(self) -> None:
        """Tell the story; what cannot be looked up now is told later."""
        was, self._is_blind = self._is_blind, False
        try:
            self._story.look()
        except Transient as error:
            self._is_blind = True
            if not was:
                self._teller.note(f"the archive cannot be read: {error}", "red")
        else:
            if was:
                self._teller.note("the archive can be read again")


def bob_talks(stage: Stage) -> Iterator[None]:
    """So that something is to be seen before anybody types."""
    scene = stage.mattermost.scene
    stage.say("bob", "Is anybody there?")
    yield
    lunch = stage.say("bob", "Lunch is at noon.")
    yield
    scene.edit(lunch, "Lunch is at one.")
    yield
    stage.say("bob", f"{SECRET}: the soup is better than the fish")
    yield
    scene.delete(lunch)


def called() -> str:
    """malexbot as a shell finds it, which may be in an environment of its own."""
    program = sys.argv[0]
    if Path(program).name != "malexbot":
        return f"{shlex.quote(sys.executable)} -m malexbot"
    return "malexbot" if shutil.which("malexbot") == program else shlex.quote(program)


def curl(url: str, token: str, channel_id: str) -> list[str]:
    """A command that posts, as it can be pasted into a shell."""
    post = json.dumps({"channel_id": channel_id, "message": "ping"})
    header = f"Authorization: Bearer {token}"
    return [
        f"  curl {url}/api/v4/posts \\",
        f"    -H {shlex.quote(header)} \\",
        f"    -d {shlex.quote(post)}",
    ]
