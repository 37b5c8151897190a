"""The README tells the truth about commands, layout and files."""

from __future__ import annotations

import re
from pathlib import Path

from malexbot.cli import COMMANDS
from malexbot.config.load import load
from malexbot.errors import EXIT_CODES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_the_command_list_is_the_command_list() -> None:
    assert re.findall(r"^\| `malexbot ([\w-]+)", README, re.M) == list(COMMANDS)


def test_the_exit_codes_are_the_exit_codes() -> None:
    told = re.findall(r"^\| (\d+) \| (.*) \|$", README, re.M)
    assert {int(code): meaning for code, meaning in told} == EXIT_CODES


def test_the_layout_names_every_room() -> None:
    told = re.findall(r"^\| `malexbot/(\w+(?:\.py)?)/?`", README, re.M)
    rooms = [
        path.name
        for path in (ROOT / "malexbot").iterdir()
        if not path.name.startswith(("_", "py."))
    ]
    assert sorted(told) == sorted(rooms)


def test_the_commands_of_its_first_screen_are_there() -> None:
    assert "&& .venv/bin/malexbot demo" in README
    assert "\ntests/run\n" in README
    assert (ROOT / "tests" / "run").stat().st_mode & 0o111


def test_what_it_tells_malexbot_to_do_is_a_configuration(tmp_path: Path) -> None:
    (told,) = re.findall(r"```yaml\n(mattermost:\n.*?)```", README, re.S)
    token = tmp_path / "token"
    token.write_text("secret")
    token.chmod(0o600)
    file = tmp_path / "malexbot.yaml"
    file.write_text(told.replace("/etc/malexbot/token", str(token)))
    config = load(file)
    assert config.mattermost is not None and config.responses and config.backfill.since


def test_the_routes_that_it_shows_are_right(tmp_path: Path) -> None:
    (told,) = re.findall(r"```yaml\n(routes:\n.*?)```", README, re.S)
    file = tmp_path / "malexbot.yaml"
    file.write_text(told)
    config = load(file, environ={"MODERATION_SECRET": "as made by openssl rand"})
    assert [rule.name for rule in config.routes] == ["outages", "commands", "rest"]


def test_what_it_links_to_is_there() -> None:
    for page in (ROOT / "README.md", *ROOT.glob("malexbot/**/README.md")):
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page}: {link}"


def test_its_list_of_contents_leads_to_its_sections() -> None:
    titles = re.findall(r"^## (.*)$", README, re.M)
    sections = {
        re.sub(r"[^\w-]", "", each.lower().replace(" ", "-")) for each in titles
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= sections


def test_the_folders_of_tests_that_it_names_are_there() -> None:
    for name in re.findall(r"`(tests/\w+)`", README):
        assert (ROOT / name).exists(), name
