"""What an operator writes becomes a Config, or problems that say what to change."""

from __future__ import annotations

from pathlib import Path

import pytest

from malexbot.config.load import load
from malexbot.config.problems import ConfigProblems


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "malexbot.yaml"
    file.write_text("mattermost:\n  http_host: chat.example.org\n  tokne: x\nprot: 1\n")
    with pytest.raises(ConfigProblems) as raised:
        load(file)
    assert str(raised.value).splitlines() == [
        f"{file} has 3 problems:",
        "  mattermost.token: missing (line 1); write it there, or its file as"
        " token_file, or a variable as ${NAME}",
        "  mattermost.tokne: unknown key (line 3); did you mean 'token'?",
        "  prot: unknown key (line 4); did you mean 'backend.port'?",
    ]
