"""Files come from any byte on; what their answers mean, and what no file is."""

from __future__ import annotations

import gzip

import pytest

from malexbot.errors import Transient
from malexbot.messengers.mattermost import files as module
from malexbot.messengers.mattermost.failures import Busy, Unreachable
from malexbot.messengers.mattermost.files import MattermostFiles
from malexbot.messengers.mattermost.link import Link
from malexbot.ports.files import FileBroken, FileClosed, FileGone, FileWanted
from malexbot.sandbox.fixtures import Mattermost
from tests.consumers.service import dripping
from tests.messengers.mattermost.scripted import RESET, Scripted, answer

TEXT = "0123456789" * 300
FILE = FileWanted("p1", "f1", 10)


@pytest.fixture
def files(link: Link) -> MattermostFiles:
    return MattermostFiles(link)


@pytest.fixture
def wanted(mattermost: Mattermost) -> FileWanted:
    return upload(mattermost, TEXT)


def upload(mattermost: Mattermost, text: str) -> FileWanted:
    town, scene = mattermost.town, mattermost.scene
    file = scene.upload(town.alice, "notes.txt", text)
    post = scene.post(town.channel, town.alice, "notes", file_ids=(file,))
    return FileWanted(post, file, len(text))


def read(files: MattermostFiles, file: FileWanted, at: int = 0) -> tuple[int, int, str]:
    """Where it begins, how long the whole is, and what came."""
    with files.open(file, at=at, read_s=5) as download:
        content = b"".join(download.chunks).decode()
        return download.at, download.total or 0, content


def scripted(said: bytes, at: int = 0) -> tuple[int, int, str]:
    with Scripted(said) as server:
        link = Link(url=server.url, token="t" * 26)
        try:
            return read(MattermostFiles(link), FILE, at)
        finally:
            link.close()


def test_a_file_comes_whole(files: MattermostFiles, wanted: FileWanted) -> None:
    assert read(files, wanted) == (0, 3000, TEXT)


def test_an_empty_file_comes_too(
    mattermost: Mattermost, files: MattermostFiles
) -> None:
    assert read(files, upload(mattermost, "")) == (0, 0, "")


def test_it_goes_on_where_it_was(files: MattermostFiles, wanted: FileWanted) -> None:
    assert read(files, wanted, at=2990) == (2990, 3000, "0123456789")


def test_nothing_comes_of_what_is_here_already(
    files: MattermostFiles, wanted: FileWanted
) -> None:
    assert read(files, wanted, at=3000) == (3000, 3000, "")


def test_more_than_there_is_begins_anew(
    files: MattermostFiles, wanted: FileWanted
) -> None:
    assert read(files, wanted, at=4000) == (0, 3000, "")


def test_a_server_without_parts_gives_all_of_it() -> None:
    assert scripted(answer("200 OK", b"0123456789"), at=4) == (0, 10, "0123456789")


def test_another_part_than_was_asked_for_is_refused() -> None:
    odd = answer("206 Partial Content", b"56", Content_Range="bytes 5-6/10")
    with pytest.raises(Busy, match="another part"):
        scripted(odd, at=4)


def test_a_part_whose_whole_nobody_knows_is_taken() -> None:
    part = answer("206 Partial Content", b"456", Content_Range="bytes 4-6/*")
    assert scripted(part, at=4) == (4, 0, "456")


def test_what_is_packed_for_the_way_has_no_size_of_its_own() -> None:
    packed = answer(
        "200 OK",
        gzip.compress(b"0123456789"),
        Content_Encoding="gzip",
        X_Request_Id="x",
    )
    assert scripted(packed) == (0, 0, "0123456789")


def test_a_page_of_a_proxy_is_no_file() -> None:
    with pytest.raises(Busy, match="not what Mattermost answers"):
        scripted(answer("200 OK", b"<html>sign in</html>"))
    with pytest.raises(Busy):
        scripted(answer("404 Not Found", b"<html>", Content_Type="text/html"))


def test_a_file_of_another_size_than_told_is_taken_from_the_server_itself() -> None:
    longer = answer("200 OK", b"0123456789ab", X_Request_Id="x")
    assert scripted(longer) == (0, 12, "0123456789ab")


def test_what_is_moved_is_not_followed() -> None:
    moved = answer("302 Found", b"", Location="http://127.0.0.1:1/elsewhere")
    with pytest.raises(FileBroken, match="moved"):
        scripted(moved)


def test_an_answer_that_is_none_is_refused() -> None:
    with pytest.raises(Busy, match="no file"):
        scripted(answer("204 No Content", b""))


def test_a_file_that_is_not_there_is_gone(
    mattermost: Mattermost, files: MattermostFiles, wanted: FileWanted
) -> None:
    mattermost.scene.lose_file(wanted.id)
    with pytest.raises(FileGone, match="Unable to get the file info"):
        read(files, wanted)


def test_a_file_of_a_channel_that_we_are_not_in_is_closed(
    mattermost: Mattermost, files: MattermostFiles
) -> None:
    town, scene = mattermost.town, mattermost.scene
    file = scene.upload(town.alice, "notes.txt", TEXT)
    post = scene.post(town.private, town.alice, "notes", file_ids=(file,))
    scene.leave(town.private, town.bot)
    with pytest.raises(FileClosed, match="permissions"):
        read(files, FileWanted(post, file, 5))


def test_an_error_of_the_server_itself_is_about_this_file(
    mattermost: Mattermost, files: MattermostFiles, wanted: FileWanted
) -> None:
    mattermost.faults.fail(500, pattern="/files/", times=1)
    with pytest.raises(FileBroken):
        read(files, wanted)
    mattermost.faults.fail(503, pattern="/files/", times=1)
    with pytest.raises(Busy):
        read(files, wanted)
    assert read(files, wanted)[2] == TEXT


@pytest.mark.parametrize("cut_after", [0, 1000])
def test_a_line_that_breaks_tells_so_and_what_came_was_given(cut_after: int) -> None:
    whole = answer("200 OK", TEXT.encode(), X_Request_Id="x")
    head = len(whole) - len(TEXT)
    script = whole[: head + cut_after] if cut_after else RESET
    came: list[bytes] = []
    with Scripted(script) as server:
        link = Link(url=server.url, token="t" * 26)
        with pytest.raises(Unreachable):
            with MattermostFiles(link).open(FILE, at=0, read_s=0.5) as download:
                for chunk in download.chunks:
                    came.append(chunk)
        link.close()
    assert len(b"".join(came)) in (0, cut_after)


def test_a_long_file_may_take_its_time() -> None:
    head = b"HTTP/1.1 200 OK\r\nX-Request-Id: x\r\nContent-Length: 30\r\n\r\n"
    with dripping(head, b"a") as url:
        link = Link(url=url, token="t" * 26)
        # A byte comes in time, all of them take twice as long.
        with MattermostFiles(link).open(FILE, at=0, read_s=0.3) as download:
            assert b"".join(download.chunks) == b"a" * 30
        link.close()


def test_it_waits_for_room_in_the_rate_limit(
    mattermost: Mattermost, link: Link, files: MattermostFiles, wanted: FileWanted
) -> None:
    mattermost.faults.fail(429, pattern="/files/", times=1, retry_after_s=7)
    with pytest.raises(Busy):
        read(files, wanted)
    # Everybody waits now, and who cannot wait so long takes no seat.
    assert (link.pace.seat_s() or 0) > 5
    with pytest.raises(Busy, match="rate limit"):
        read(files, wanted)


def test_what_its_reader_raises_is_its_readers(
    files: MattermostFiles, wanted: FileWanted
) -> None:
    with pytest.raises(Transient, match="^enough$"):
        with files.open(wanted, at=0, read_s=5):
            raise Transient("enough")


def test_chunks_are_small(
    files: MattermostFiles, wanted: FileWanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 1000)
    with files.open(wanted, at=0, read_s=5) as download:
        assert [len(chunk) for chunk in download.chunks] == [1000] * 3
