"""The list of what is promised stays true to the tests that there are."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.promises.the_list import LIST

TESTS = Path(__file__).parents[1]
PROMISES = 16


def functions_of(module: str) -> list[str]:
    tree = ast.parse((TESTS / module).read_text())
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]


def test_each_promise_is_on_the_list() -> None:
    assert list(LIST) == list(range(1, PROMISES + 1))
    assert all(tests for lines in LIST.values() for tests in lines.values())


@pytest.mark.parametrize("promise", LIST)
def test_each_test_on_the_list_is_there_once(promise: int) -> None:
    named = {test for tests in LIST[promise].values() for test in tests}
    for test in named:
        module, name = test.split("::")
        assert functions_of(module).count(name) == 1, test
