"""The door at which a server that was sent here finds malexbot."""

from __future__ import annotations

import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from malexbot.web.reach import HEARD, PATH, mount_reach
from tests.web.test_server import serving, url


def test_who_knocks_is_told_who_is_here() -> None:
    with serving(mount_reach) as (server, _):
        body = b'{"type": "dialog_submission", "state": "x"}'
        knock = Request(url(server, PATH), data=body, method="POST")
        with urlopen(knock, timeout=10) as answer:
            assert answer.status == 200
            # What Mattermost hands back to who submitted a dialog.
            assert json.loads(answer.read()) == {"error": HEARD}
        with pytest.raises(HTTPError) as refused:
            urlopen(url(server, PATH), timeout=10)
        with refused.value as error:
            assert error.code == 405
