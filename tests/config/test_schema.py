"""Editors accept with the schema what load.py accepts, and mark what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from malexbot.config.sample import sample
from malexbot.config.schema import schema
from tests.config.test_load import SEED


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    Draft202012Validator.check_schema(schema())
    return Draft202012Validator(schema())


@pytest.mark.parametrize("text", [SEED, sample()], ids=["seed", "sample"])
def test_the_samples_are_valid(validator: Draft202012Validator, text: str) -> None:
    assert list(validator.iter_errors(yaml.safe_load(text))) == []


MATTERMOST = {"http_host": "h"}


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"db": None, "log": None},
        {"drain_timeout": 5},
        {"drain_timeout": "1h30m"},
        {"drain_timeout": "${WAIT}"},
        {"backend": {"port": "8765"}},
        {"backend": {"port": "${PORT}"}},
        {"log": {"level": "debug"}},
        {"mattermost": MATTERMOST | {"token_file": "/x"}},
        {"mattermost": MATTERMOST | {"token": "abc"}},
        {"mattermost": MATTERMOST | {"filter_messages_contains": ["a", "b"]}},
        {"mattermost": MATTERMOST | {"target_events_processors": {"posted": "save"}}},
    ],
)
def test_what_is_right_is_valid(validator: Draft202012Validator, value: Any) -> None:
    assert list(validator.iter_errors(value)) == []


@pytest.mark.parametrize(
    "value",
    [
        {"mattermots": {}},
        {"drain_timeout": "soon"},
        {"drain_timeout": -1},
        {"backend": {"port": 70000}},
        {"backend": {"port": "web"}},
        {"log": {"level": "loud"}},
        {"mattermost": {"token": "abc"}},
        {"mattermost": MATTERMOST | {"token": ["abc"]}},
        {"mattermost": MATTERMOST | {"target_events_processors": "log"}},
    ],
)
def test_what_is_wrong_is_marked(validator: Draft202012Validator, value: Any) -> None:
    assert list(validator.iter_errors(value))


def test_every_setting_is_described() -> None:
    whole = schema()
    for block in (whole, *whole["$defs"].values()):
        for name, setting in block["properties"].items():
            assert setting.get("description"), name
