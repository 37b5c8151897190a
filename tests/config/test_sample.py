"""The sample that is shipped is the one that the model makes, and it works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from malexbot.config.load import load, load_with_warnings
from malexbot.config.model import Config
from malexbot.config.problems import ConfigProblems
from malexbot.config.sample import HEAD, sample
from malexbot.config.shape import blocks, names_in

SHIPPED = Path(__file__).parents[2] / "etc" / "malexbot.yaml"
REMAKE = "malexbot.config.sample.sample() makes it: write that to etc/malexbot.yaml"


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "malexbot.yaml"
    file.write_text(text)
    return file


def test_the_shipped_sample_is_the_models() -> None:
    assert SHIPPED.read_text() == sample(), REMAKE


def test_every_setting_is_in_it_with_a_comment() -> None:
    for _, block in blocks(Config):
        for name in names_in(block):
            assert re.search(rf"^[ #]*{name}:", sample(), re.MULTILINE), name
        for name, field in block.model_fields.items():
            assert field.description, name


def test_as_shipped_it_lacks_only_the_token(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems) as raised:
        load(written(tmp_path, sample()), environ={})
    (problem,) = raised.value.problems
    assert (problem.path, problem.text) == ("mattermost.token", "missing")


def test_filled_in_it_is_fine(tmp_path: Path) -> None:
    text = sample().replace('  token: ""', "  token: abc")
    loaded = load_with_warnings(written(tmp_path, text), environ={})
    assert loaded.warnings == ()
    assert loaded.config.mattermost is not None
    assert loaded.config.mattermost.listen_channels == ("*",)
    assert loaded.config.drain_timeout == Config().drain_timeout


def test_its_comments_are_the_defaults(tmp_path: Path) -> None:
    """With every `#name: value` taken in, nothing but the examples changes."""
    text = sample().removeprefix(HEAD)
    text = re.sub(r"^#(?=  |[a-z_]+:)", "", text, flags=re.MULTILINE)
    text = re.sub(r"^( *)#(?=[a-z_]+:)", r"\1", text, flags=re.MULTILINE)
    text = re.sub(r"^ *[a-z_]+_file: .*\n", "", text, flags=re.MULTILINE)
    text = text.replace('  token: ""', "  token: abc")
    config = load(written(tmp_path, text), environ={})
    default = Config()
    assert (config.state_dir, config.drain_timeout) == (
        default.state_dir,
        default.drain_timeout,
    )
    backend = config.backend.model_copy(update={"public_url": None})
    assert (config.log, backend) == (default.log, default.backend)
    assert config.db is not None
    assert (config.db.host, config.db.port) == ("localhost", 5432)


def test_it_is_pleasant_to_read() -> None:
    lines = sample().splitlines()
    assert max(map(len, lines)) <= 88
    assert not any(line != line.rstrip() for line in lines)
