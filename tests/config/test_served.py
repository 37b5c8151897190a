"""A target that nobody could deliver to is told before the daemon starts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from malexbot.config.load import load
from malexbot.config.model import Config
from malexbot.config.problems import LINE_WIDTH, ConfigProblems, clipped
from malexbot.config.reload import merge

ROUTES = """\
routes:
  - name: a
    to: [redis:command, "http:moderation", "http:{{ event.name }}"]
routing:
  default: http:elsewhere
"""


def told(folder: Path, text: str) -> list[str]:
    file = folder / "malexbot.yaml"
    file.write_text(text)
    try:
        load(file, environ={})
    except ConfigProblems as error:
        return [str(problem) for problem in error.problems]
    return []


def test_what_is_missing_is_told_with_its_line_and_a_way_out(tmp_path: Path) -> None:
    assert told(tmp_path, ROUTES) == [
        "routes[1].to[1]: no Redis is in the settings (line 3); add the block `redis`",
        *(
            f"{path}: nothing below `http` has that name (line {line});"
            " add it: `http:`, and below it `NAME: https://host/path`"
            for path, line in (
                ("routes[1].to[2]", 3),
                ("routes[1].to[3]", 3),
                ("routing.default[1]", 5),
            )
        ),
    ]


def test_of_the_names_those_that_are_there_are_told(tmp_path: Path) -> None:
    settings = "redis: {}\nhttp: {moderation: 'https://example.org'}\n"
    (problem,) = told(tmp_path, ROUTES + settings)
    assert problem.startswith("routing.default[1]: nothing below `http` has that name")
    assert problem.endswith("there are: moderation")
    assert not told(tmp_path, ROUTES.replace("elsewhere", "moderation") + settings)


def test_it_is_told_together_with_all_else(tmp_path: Path) -> None:
    found = told(tmp_path, ROUTES + "drain_timeout: soon\nhttp: 5\n")
    assert [problem.partition(":")[0] for problem in found] == [
        "routes[1].to[1]",
        "drain_timeout",
        "http",
    ]


@pytest.mark.parametrize(
    "routes", ["routes: 5\n", "routes: [5, {to: 7}]\n", "routing: [1]\n"]
)
def test_what_is_no_route_at_all_is_told_once(routes: str, tmp_path: Path) -> None:
    assert all("settings has" not in problem for problem in told(tmp_path, routes))


def test_without_the_package_a_redis_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    assert told(tmp_path, "state_dir: /tmp\nredis:\n  url: redis://localhost\n") == [
        "redis: the Python package redis is missing (line 2);"
        " pip install 'malexbot[redis]'"
    ]
    assert not told(tmp_path, "state_dir: /tmp\nredis:\n")


@pytest.mark.parametrize("block", ["redis:\n", "http:\n  x:\n    url: https://y\n"])
def test_certificates_that_are_not_there_are_told(tmp_path: Path, block: str) -> None:
    file = tmp_path / "ca.pem"
    lines = block.count("\n") + 2
    settings = f"state_dir: /tmp\n{block}    ca_file: {file}\n"
    place = "redis.ca_file" if block.startswith("redis") else "http.x.ca_file"
    way_out = f"(line {lines}); name a PEM file that malexbot's user may read"

    (problem,) = told(tmp_path, settings)
    words = f"{place}: {file} cannot be read: No such file or directory {way_out}"
    assert problem == clipped(words, LINE_WIDTH)
    file.mkdir()
    assert "cannot be read: Is a directory" in told(tmp_path, settings)[0]
    file.rmdir()
    file.write_text("-----BEGIN PRIVATE KEY-----\n")
    assert "holds no certificate" in told(tmp_path, settings)[0]
    file.write_text("# ours\n-----BEGIN CERTIFICATE-----\n")
    assert told(tmp_path, settings) == []


def test_a_path_that_is_none_is_told_once(tmp_path: Path) -> None:
    (problem,) = told(tmp_path, "state_dir: /tmp\nredis: {ca_file: ca.pem}\n")
    assert "needs an absolute path" in problem
    assert told(tmp_path, "state_dir: /tmp\nredis: {ca_file: ''}\n") == []


def test_a_reload_takes_targets_up() -> None:
    fresh = Config.model_validate(
        {"redis": {"prefix": "a:"}, "http": {"b": "https://example.org"}}
    )
    reload = merge(Config(), fresh)
    assert (reload.changed, reload.late) == (("redis", "http"), ())
    assert reload.config.redis == fresh.redis and reload.config.http == fresh.http
