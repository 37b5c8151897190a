"""What a rule may be made of: no files, nothing that calls itself, short loops.

So each name stands for something that the event holds, and no chain of them grows.
"""

from __future__ import annotations

from jinja2 import TemplateSyntaxError, nodes

from malexbot.rules.language import MATCHING, TURNS, language
from malexbot.rules.patterns import PatternError, pattern

_REFUSED: dict[type[nodes.Node], str] = {
    nodes.Include: "a rule cannot read files",
    nodes.Import: "a rule cannot read files",
    nodes.FromImport: "a rule cannot read files",
    nodes.Extends: "a rule cannot read files",
    nodes.Macro: "a rule has no macros",
    nodes.CallBlock: "a rule has no macros",
    nodes.Block: "a rule has no blocks",
    nodes.FilterBlock: "filters are written as `text|filter`",
    nodes.AssignBlock: "`set` has the form {% set name = value %}",
    nodes.With: "names are given by {% set name = value %}",
}

# Where the test `matching` is named, by what asks: the pattern is the next word.
_PATTERN_AT = {MATCHING: 0, "select": 1, "reject": 1, "selectattr": 2, "rejectattr": 2}


def check_form(tree: nodes.Template) -> None:
    """Raises TemplateSyntaxError; makes the loops count their turns."""
    for node in tree.find_all(tuple(_REFUSED)):
        raise TemplateSyntaxError(_REFUSED[type(node)], node.lineno)
    _check_names(tree)
    for loop in list(tree.find_all(nodes.For)):
        _check_loop(loop)
    for test in tree.find_all(nodes.Test):
        _check_pattern(test)
    for chosen in tree.find_all(nodes.Filter):
        _check_pattern(chosen)


def _check_names(tree: nodes.Template) -> None:
    """One that is made of another could grow with each."""
    given = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
    for node in tree.find_all(nodes.Assign):
        for name in node.node.find_all(nodes.Name):
            if name.name in given:
                told = f"{name.name!r} is a name that the rule gives itself; `set` is"
                raise TemplateSyntaxError(f"{told} for the event's", node.lineno)


def _check_loop(loop: nodes.For) -> None:
    if loop.recursive or any(inner is not loop for inner in loop.find_all(nodes.For)):
        raise TemplateSyntaxError("a loop within a loop is too much", loop.lineno)
    counted = nodes.Filter(loop.iter, TURNS, [], [], None, None, lineno=loop.lineno)
    counted.set_environment(language())
    loop.iter = counted


def _check_pattern(asked: nodes.Test | nodes.Filter) -> None:
    """A pattern that a person on the other side could write would be theirs."""
    words = [asked.name, *map(_constant, asked.args), None, None, None]
    place = _PATTERN_AT.get(asked.name)
    if place is None or words[place] != MATCHING:
        return
    text = words[place + 1]
    if not isinstance(text, str):
        told = "`is matching(…)` takes a pattern in quotes"
        raise TemplateSyntaxError(told, asked.lineno)
    try:
        pattern(text)
    except PatternError as error:
        told = f"the pattern is wrong: {error}"
        raise TemplateSyntaxError(told, asked.lineno) from error


def _constant(node: nodes.Node) -> object:
    return node.value if isinstance(node, nodes.Const) else None
