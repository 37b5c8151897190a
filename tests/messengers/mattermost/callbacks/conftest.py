from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.messengers.mattermost.callbacks.calls import Backend


@pytest.fixture
def backend() -> Iterator[Backend]:
    backend = Backend()
    yield backend
    backend.close()
