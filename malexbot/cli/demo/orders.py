"""What a person may type into the demo: words of alice's, and orders."""

from __future__ import annotations

from collections.abc import Callable

from malexbot.cli.demo.attendant import SHUT_S, Attendant
from malexbot.cli.demo.ending import Ended
from malexbot.cli.demo.stage import Stage
from malexbot.cli.demo.telling import Teller
from malexbot.sandbox.refusals import Refusal

# Behind /kill: it stays away until /start, as the page's button has it.
FOR_LONG = "for long"

HELP = f"""
  words       alice says them; malexbot answers a question? and ping
  /edit WORDS alice changes what she said last
  /delete     … or takes it back
  /cut        malexbot's line to Mattermost is cut for {SHUT_S:.0f} s
  /kill       malexbot is killed (kill -9), and soon started again
  /start      it is started again at once
  /quit       the demo ends, as by Ctrl-C
"""


class Orders:
    """Does what one typed line says."""

    def __init__(self, stage: Stage, teller: Teller, attendant: Attendant) -> None:
        self._stage = stage
        self._teller = teller
        self._orders: dict[str, Callable[[str], object]] = {
            "/edit": self._edit,
            "/delete": self._delete,
            "/cut": lambda _: attendant.cut(),
            "/kill": lambda words: attendant.kill(for_long=words == FOR_LONG),
            "/start": lambda _: attendant.start(),
            "/quit": self._quit,
        }

    def obey(self, line: str) -> None:
        """A word with a slash that nobody knows gets the help."""
        word, _, rest = line.strip().partition(" ")
        order = self._orders.get(word, self._help if word[:1] == "/" else None)
        try:
            if order:
                order(rest.strip())
            elif word:
                self._stage.say("alice", line.strip())
        except Refusal as refusal:
            self._teller.note(f"Mattermost refuses: {refusal.message}", "red")

    def _edit(self, words: str) -> None:
        if (last := self._last_post()) and words:
            self._stage.mattermost.scene.edit(last, words)

    def _delete(self, _: str) -> None:
        if last := self._last_post():
            self._stage.mattermost.scene.delete(last)

    def _last_post(self) -> str:
        """Of alice, from here or from elsewhere; "" if nothing of hers is left."""
        said = self._stage.mattermost.ledger.entries(user_id=self._stage.town.alice)
        return next((each.id for each in reversed(said) if not each.delete_at), "")

    def _help(self, _: str) -> None:
        self._teller.text(HELP)

    def _quit(self, _: str) -> None:
        raise Ended
