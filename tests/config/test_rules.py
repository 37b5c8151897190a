"""The settings of the processors: rules are compiled when the file is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from malexbot.config.backfill import since_ms
from malexbot.config.events import MATTERMOST_EVENTS
from malexbot.config.load import load_with_warnings
from malexbot.config.model import Config
from malexbot.config.problems import ConfigProblems

MATTERMOST = "mattermost: {http_host: h, token: abc, listen_channels: ['*']"


def read(tmp_path: Path, text: str) -> Config:
    file = tmp_path / "malexbot.yaml"
    file.write_text(text)
    return load_with_warnings(file, environ={}).config


def refused(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigProblems) as raised:
        read(tmp_path, text)
    return [str(problem) for problem in raised.value.problems]


def test_a_response_has_sound_defaults(tmp_path: Path) -> None:
    text = 'responses: [{when: "event.message", reply: "hi {{ event.user.nick }}"}]'
    (rule,) = read(tmp_path, text).responses
    assert (rule.thread, rule.direct, rule.bots, rule.react) == (
        False,
        False,
        False,
        None,
    )
    assert (rule.cooldown, rule.max_age) == (0.0, 600.0)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            'responses: [{reply: a}, {when: "event.messag3", reply: b}]',
            "responses[2].when: is no rule: 'event' has no 'messag3';"
            " did you mean 'message'? (line 1)",
        ),
        (
            "archive:\n  when: event.message.text is matching('a(?<=b)')",
            "archive.when: is no rule: the pattern is wrong: invalid perl operator:"
            " (?<=; ask twice: `is matching('a') and … is not matching('b')` (line 2)",
        ),
        (
            "archive: {when: event.message.text is matching('(')}",
            "the pattern is wrong: missing ): (",
        ),
        ('responses: [{reply: "{{ event"}]', "responses[1].reply: is no rule"),
        ('responses: [{when: "event.message"}]', "needs `reply`, `react` or both"),
        ("responses: [{react: 'not one'}]", "needs the name of an emoji"),
        ("responses: [{reply: a, cooldown: 2d}]", "a day at most"),
        ("responses: [{reply: a, thraed: true}]", "did you mean 'thread'?"),
        ("responses: {reply: a}", "needs a list"),
        ("archive: {when: 'event.post.messag3'}", "did you mean 'message'?"),
        ("backfill: {every: 1s}", "needs a duration of 10s at least"),
        ("backfill: {since: yesterday}", "needs a date such as 2024-12-31"),
        ("backfill: {since: 2024}", "needs a date such as 2024-12-31"),
        ("workers: {threads: 0}", "needs a number from 1 to 64"),
        ("workers: {handler_timeout: 5s}", "needs a duration of 30s at least"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    tmp_path: Path, text: str, problem: str
) -> None:
    assert any(problem in told for told in refused(tmp_path, text))


def test_an_emoji_may_stand_between_colons(tmp_path: Path) -> None:
    assert read(tmp_path, "responses: [{react: ':+1:'}]").responses[0].react == "+1"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1970-01-02", 86_400_000),
        ("1970-01-01T01:00+01:00", 0),
        ("1970-01-01T00:00Z", 0),
        ("90m", 10**12 - 5_400_000),
    ],
)
def test_backfill_begins_at_a_date_a_time_or_so_long_ago(
    tmp_path: Path, text: str, moment: int
) -> None:
    since = read(tmp_path, f"backfill: {{since: {text}}}").backfill.since
    assert since is not None
    assert since_ms(since, now_ms=10**12) == moment


def test_an_unknown_event_is_a_warning_with_a_suggestion(tmp_path: Path) -> None:
    file = tmp_path / "malexbot.yaml"
    events = "target_events_processors: {postd: [save], hello: [log]}"
    file.write_text(f"{MATTERMOST}, {events}}}")
    (warning,) = load_with_warnings(file, environ={}).warnings
    assert "no event 'postd' is known" in str(warning)
    assert "did you mean 'posted'?" in str(warning)


def test_the_events_that_people_name_are_known() -> None:
    named = "hello posted post_edited post_deleted reaction_added reaction_removed"
    named += " user_added user_removed channel_created direct_added typing"
    assert set(named.split()) <= MATTERMOST_EVENTS
