"""Who may use what plugins offer: what is wrong there is told with the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from malexbot.config.load import load
from malexbot.config.model import Config
from malexbot.config.plugins import OWN_FUNCTIONS
from malexbot.config.problems import ConfigProblems
from malexbot.plugins.loader import plug
from malexbot.plugins.malex import built_in

PLUGIN = "from malexbot import *\n@command('/x')\ndef run(event, bot): ...\n"


def loaded(folder: Path, **blocks: object) -> Config:
    (folder / "deploy.py").write_text(PLUGIN)
    file = folder / "malexbot.yaml"
    file.write_text(yaml.safe_dump({"plugins": ["deploy.py"], **blocks}))
    return load(file, environ={}, plug=plug)


def test_they_are_known_by_plugin_and_by_function(tmp_path: Path) -> None:
    permissions = {
        "deploy": {"roles": "ops"},
        "deploy.run": {"channels": ["ops"]},
        "malex.status": {"users": ["anna"]},
        "malex": {},
    }
    config = loaded(tmp_path, roles={"ops": "boris"}, permissions=permissions)
    assert config.roles == {"ops": ("boris",)}
    assert config.permissions["deploy.run"].channels == ("ops",)


@pytest.mark.parametrize(
    ("blocks", "told"),
    [
        (
            {"permissions": {"deploi": {}}},
            "permissions.deploi: no plugin or function 'deploi' is known",
        ),
        ({"permissions": {"deploy.rum": {}}}, "did you mean 'deploy.run'?"),
        ({"permissions": {"malex.statsu": {}}}, "did you mean 'malex.stat"),
        (
            {"permissions": {"deploy": {"roles": ["ops"]}}},
            "permissions.deploy.roles[1]: there is no role 'ops'",
        ),
        ({"permissions": {"deploy": {"user": "x"}}}, "did you mean 'users'?"),
        ({"webhooks": {"github": {}}}, "webhooks.github.secret: missing"),
        ({"webhooks": {"github": {"secret": "short"}}}, "needs 16 characters"),
        ({"webhooks": {"Git Hub": {"secret": "x" * 16}}}, "needs names of small"),
    ],
)
def test_slips_are_told(tmp_path: Path, blocks: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigProblems) as raised:
        loaded(tmp_path, **blocks)
    assert told in str(raised.value)


def test_the_secret_of_a_webhook_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("0123456789abcdef\n")
    config = loaded(tmp_path, webhooks={"github": {"secret_file": "secret"}})
    assert config.webhooks["github"].secret.get_secret_value() == "0123456789abcdef"
    assert "0123456789abcdef" not in repr(config)


def test_malexbots_own_functions_are_those_that_it_has() -> None:
    public = {each.name for each in built_in() if each.name in OWN_FUNCTIONS}
    assert public == set(OWN_FUNCTIONS)
