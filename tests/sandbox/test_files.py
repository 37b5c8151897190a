"""Files are given back whole, from any byte on, and to those who may see their post."""

from __future__ import annotations

import pytest

from malexbot.sandbox.fixtures import Mattermost
from tests.sandbox.clients import Rest

TEXT = "0123456789"


@pytest.fixture
def path(mattermost: Mattermost) -> str:
    town, scene = mattermost.town, mattermost.scene
    file = scene.upload(town.alice, "notes.txt", TEXT)
    scene.post(town.channel, town.alice, "notes", file_ids=(file,))
    return f"/files/{file}"


def test_a_file_says_that_parts_of_it_can_be_had(bot: Rest, path: str) -> None:
    whole = bot("GET", path)
    assert (whole.status_code, whole.text) == (200, TEXT)
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["X-Uncompressed-Content-Length"] == "10"
    assert whole.headers["Last-Modified"].endswith("GMT")


@pytest.mark.parametrize(
    ("asked", "given", "where"),
    [
        ("bytes=4-", "456789", "bytes 4-9/10"),
        ("bytes=4-5", "45", "bytes 4-5/10"),
        ("bytes=4-99", "456789", "bytes 4-9/10"),
        ("bytes=-3", "789", "bytes 7-9/10"),
        ("bytes=-99", TEXT, "bytes 0-9/10"),
    ],
)
def test_a_part_is_given(
    bot: Rest, path: str, asked: str, given: str, where: str
) -> None:
    part = bot("GET", path, headers={"Range": asked})
    assert (part.status_code, part.text) == (206, given)
    assert part.headers["Content-Range"] == where
    assert part.headers["Content-Length"] == str(len(given))


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=5-4", "bytes=-0"])
def test_a_part_that_is_not_there_is_refused(bot: Rest, path: str, asked: str) -> None:
    refused = bot("GET", path, headers={"Range": asked})
    assert refused.status_code == 416
    assert refused.headers["Content-Range"] == "bytes */10"


@pytest.mark.parametrize("asked", ["bytes=0-1,4-5", "lines=1-2", "bytes=-"])
def test_what_is_no_single_part_is_the_whole(bot: Rest, path: str, asked: str) -> None:
    assert bot("GET", path, headers={"Range": asked}).status_code == 200


def test_a_part_of_a_large_file_is_never_packed(
    mattermost: Mattermost, bot: Rest
) -> None:
    town, scene = mattermost.town, mattermost.scene
    file = scene.upload(town.alice, "long.txt", "a" * 5000)
    scene.post(town.channel, town.alice, "long", file_ids=(file,))
    assert bot("GET", f"/files/{file}").headers["Content-Encoding"] == "gzip"
    part = bot("GET", f"/files/{file}", headers={"Range": "bytes=1000-"})
    assert "Content-Encoding" not in part.headers
    assert len(part.content) == 4000


def test_the_files_of_a_deleted_post_are_gone(
    mattermost: Mattermost, bot: Rest
) -> None:
    town, scene = mattermost.town, mattermost.scene
    file = scene.upload(town.alice, "notes.txt", TEXT)
    post = scene.post(town.channel, town.alice, "notes", file_ids=(file,))
    scene.delete(post)
    assert bot("GET", f"/files/{file}").status_code == 404


def test_a_file_that_the_server_lost_is_still_told_of(
    mattermost: Mattermost, bot: Rest
) -> None:
    town, scene = mattermost.town, mattermost.scene
    file = scene.upload(town.alice, "notes.txt", TEXT)
    post = scene.post(town.channel, town.alice, "notes", file_ids=(file,))
    scene.lose_file(file)
    assert bot("GET", f"/files/{file}").status_code == 404
    assert bot.get(f"/posts/{post}")["metadata"]["files"][0]["id"] == file
