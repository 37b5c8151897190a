"""The list of edges stays true to the tests that there are."""

from __future__ import annotations

import pytest

from tests.promises.test_list import functions_of
from tests.promises.the_edges import EDGES


@pytest.mark.parametrize("part", EDGES)
def test_each_test_of_an_edge_is_there_once(part: str) -> None:
    assert all(EDGES[part].values())
    named = {test for tests in EDGES[part].values() for test in tests}
    for test in named:
        module, name = test.split("::")
        assert functions_of(module).count(name) == 1, test
