"""Which settings a reload takes over."""

from __future__ import annotations

from typing import Any

from malexbot.config.model import Config
from malexbot.config.plugins import Plugged
from malexbot.config.reload import AT_ONCE, merge


def config(**mattermost: Any) -> Config:
    block = {"http_host": "http://localhost:8065", "token": "t", **mattermost}
    return Config.model_validate({"state_dir": "/var/lib/x", "mattermost": block})


def test_nothing_changed_is_nothing_told() -> None:
    assert merge(config(), config()) == (config(), (), ())


def test_one_setting_of_a_block_counts_at_once_and_another_one_later() -> None:
    fresh = config(listen_channels=["*"], token="other")
    found = merge(config(), fresh)
    assert found.changed == ("mattermost.token", "mattermost.listen_channels")
    assert found.late == ("mattermost.token",)
    assert found.config == config(listen_channels=["*"])


def test_a_block_that_comes_or_goes_needs_a_restart() -> None:
    none = config().model_copy(update={"mattermost": None})
    assert merge(none, config()) == (none, ("mattermost",), ("mattermost",))
    assert merge(config(), none) == (config(), ("mattermost",), ("mattermost",))


def test_a_whole_block_counts_at_once() -> None:
    fresh = config().model_copy(
        update={"archive": config().archive.model_copy(update={"when": "true"})}
    )
    found = merge(config(), fresh)
    assert found == (fresh, ("archive",), ())


def test_plugins_count_at_once_and_come_along() -> None:
    plugged = Plugged(offered=("shout",))
    blocks = {"plugins": ("shout.py",), "processors": {"shout": {"times": 2}}}
    fresh = config().model_copy(update=blocks).plugged_with(plugged)
    found = merge(config(), fresh)
    assert (found.changed, found.late) == (("plugins", "processors"), ())
    assert found.config.plugged is plugged


def test_what_counts_at_once_is_a_setting() -> None:
    for name in AT_ONCE:
        model: Any = Config
        for field in name.split("."):
            annotation = model.model_fields[field].annotation
            args = getattr(annotation, "__args__", (annotation,))
            model = args[0]
