"""Plugins are found, read, built, and when they fail told of in one line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from malexbot.config.problems import ConfigProblems
from malexbot.config.show import show
from malexbot.plugins.refusal import LONGEST_REASON
from malexbot.processors import build, builtin
from tests.plugins.conftest import Load

HEAD = "from malexbot.plugins import *\n"
SHOUT = HEAD + """
class Shout(Processor):
    name = "shout"

    class Params(Settings):
        times: int = 1
        key: Secret | None = None

    def __init__(self, params: Params) -> None:
        self.params = params

    def wants(self, event: Event, occasion: Occasion) -> bool:
        return True

    def handle(self, event: Event, occasion: Occasion, bot: Bot) -> None:
        bot.reply("!" * self.params.times)
"""
PLAIN = HEAD + """
class Plain(Processor):
    name = "plain"

    def look(self, event):
        pass
"""


@pytest.fixture
def shout(tmp_path: Path) -> Path:
    file = tmp_path / "shout.py"
    file.write_text(SHOUT)
    return file


def package(site: Path, dist: str, module: str, text: str, points: str) -> None:
    """What pip leaves behind of a package with entry points."""
    info = site / f"{dist}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {dist}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[malexbot.processors]\n{points}\n")
    (site / f"{module}.py").write_text(text)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    return site


# Where they come from.


@pytest.mark.usefixtures("shout")
def test_a_file_lies_beside_the_configuration(load: Load) -> None:
    loaded = load("save", "shout", plugins="shout.py")
    save, shout = build(loaded.config, builtin())["posted"]
    assert (save.name, shout.name) == ("save", "shout")
    assert (loaded.warnings, loaded.failures) == ((), ())


def test_a_file_may_lie_elsewhere(load: Load, shout: Path) -> None:
    loaded = load("shout", plugins=[str(shout)])
    assert list(loaded.config.plugged.processors) == ["shout"]


def test_a_module_is_known_by_its_name(load: Load, site: Path) -> None:
    (site / "malexbot_test_mine").mkdir()
    (site / "malexbot_test_mine" / "__init__.py").write_text("from .b import Plain\n")
    (site / "malexbot_test_mine" / "b.py").write_text(PLAIN)
    loaded = load("plain", plugins=["malexbot_test_mine"])
    assert list(loaded.config.plugged.processors) == ["plain"]


def test_an_installed_package_needs_no_line(load: Load, site: Path) -> None:
    points = "plain = malexbot_test_a:Plain\nother = malexbot_test_missing:X"
    package(site, "a", "malexbot_test_a", PLAIN, points)
    loaded = load("plain")
    assert list(loaded.config.plugged.processors) == ["plain"]
    assert loaded.failures == ()


def test_an_installed_package_that_nobody_names_is_left_alone(
    load: Load, site: Path
) -> None:
    package(site, "a", "malexbot_test_a", PLAIN, "plain = malexbot_test_a:Plain")
    load("save")
    assert "malexbot_test_a" not in sys.modules


@pytest.mark.usefixtures("shout")
def test_a_file_may_have_several_and_parts_that_are_none(
    load: Load, tmp_path: Path
) -> None:
    text = SHOUT + "\nclass _Base(Processor):\n    pass\n" + PLAIN + "\nAlias = Plain\n"
    (tmp_path / "both.py").write_text(text)
    loaded = load("plain", "shout", plugins=["both.py"])
    assert loaded.config.plugged.offered == ("shout", "plain")


def test_a_file_may_have_its_annotations_looked_up_later(
    load: Load, tmp_path: Path
) -> None:
    text = "from __future__ import annotations\n" + SHOUT.replace(
        "times: int = 1",
        "times: int = 1\n        pause: Duration = 2\n        x: X = None",
    )
    (tmp_path / "late.py").write_text(text + "\nX = int | None\n")
    settings = {"shout": {"pause": "1m", "x": 5}}
    config = load("shout", plugins=["late.py"], processors=settings).config
    params = config.processors["shout"]
    assert (params.pause, params.x) == (60, 5)


@pytest.mark.usefixtures("shout")
def test_what_is_not_switched_on_is_told_and_not_built(load: Load) -> None:
    loaded = load("save", plugins=["shout.py"], processors={"shout": {"times": 2}})
    assert loaded.config.plugged.processors == {}
    (warning,) = loaded.warnings
    assert "nothing is done with the processor 'shout'" in str(warning)


def test_a_file_goes_before_an_installed_package_of_the_same_name(
    load: Load, site: Path, tmp_path: Path
) -> None:
    package(site, "a", "malexbot_test_a", PLAIN, "plain = malexbot_test_a:Plain")
    (tmp_path / "mine.py").write_text(PLAIN)
    plain = load("plain", plugins=["mine.py"]).config.plugged.processors["plain"]
    assert type(plain).__module__ == "plugins.mine"


def test_a_name_belongs_to_the_first_that_has_it(load: Load, tmp_path: Path) -> None:
    for name in ("one.py", "two.py"):
        (tmp_path / name).write_text(PLAIN)
    loaded = load("plain", plugins=["one.py", "two.py"])
    assert list(loaded.config.plugged.processors) == ["plain"]
    (failure,) = loaded.failures
    assert f"two.py: {tmp_path / 'one.py'} has a processor 'plain' too" in str(failure)


def test_a_file_is_compiled_as_it_is_written(load: Load, tmp_path: Path) -> None:
    text = "def f(x: int): ...\nassert f.__annotations__ == {'x': int}\n"
    (tmp_path / "plain.py").write_text(text + PLAIN)
    assert load("plain", plugins=["plain.py"]).failures == ()


# Their settings.


@pytest.mark.usefixtures("shout")
def test_settings_are_read_and_their_secrets_are_kept(
    load: Load, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("S3cret\n")
    settings = {"shout": {"times": 3, "key_file": "key"}}
    config = load("shout", plugins=["shout.py"], processors=settings).config
    assert config.plugged.processors["shout"].params.times == 3  # type: ignore
    assert "S3cret" in config.secrets()
    assert "times: 3" in show(config)
    assert "S3cret" not in show(config) + repr(config)


@pytest.mark.usefixtures("shout")
def test_all_that_is_wrong_is_told_at_once_and_where(load: Load) -> None:
    with pytest.raises(ConfigProblems) as raised:
        load(
            *("shout", "shuot"),
            backend={"prot": 1},
            plugins=["shout.py"],
            processors={
                "shout": {"times": "x", "tmies": 1},
                "save": {"contains": "y"},
                "shoot": {},
                "shuot": {},
            },
        )
    said = str(raised.value)
    for line in (
        "processors.shout.times: needs a whole number, not text (line ",
        "processors.shout.tmies: unknown key (line 19); did you mean 'times'?",
        "processors.save: a processor of malexbot's own has no settings here (line ",
        "processors.shoot: no processor 'shoot' is known (line ",
        "posted[2]: no processor 'shuot' is known (line 9); did you mean 'shout'?",
        "backend.prot: unknown key",
    ):
        assert line in said
    assert "processors.shuot" not in said


@pytest.mark.parametrize("blocks", [["shout"], "shout", 5])
def test_settings_that_are_no_map_are_told(load: Load, blocks: object) -> None:
    with pytest.raises(ConfigProblems, match="processors: needs a map"):
        load("save", processors=blocks)


def test_settings_of_what_is_switched_off_may_be_missing(
    load: Load, tmp_path: Path
) -> None:
    (tmp_path / "a.py").write_text(SHOUT.replace("times: int = 1", "times: int"))
    assert load("save", plugins=["a.py"]).failures == ()
    with pytest.raises(ConfigProblems, match="processors.shout.times: missing"):
        load("shout", plugins=["a.py"])


def test_settings_of_what_has_none_are_told(load: Load, tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text(PLAIN)
    settings = {"plain": {"times": 3}}
    with pytest.raises(ConfigProblems, match="processors.plain.times: unknown key"):
        load("plain", plugins=["plain.py"], processors=settings)


def test_unknown_names_are_told_without_any_plugin(load: Load) -> None:
    with pytest.raises(ConfigProblems) as raised:
        load("saev", "juggle")
    assert "posted[1]: no processor 'saev' is known (line " in str(raised.value)
    assert "did you mean 'save'?" in str(raised.value)
    assert "known: log, save, response, route; those of your own" in str(raised.value)


# What may fail.

FAULTS = {
    "syntax": ("x = = 1\n", "line 1: SyntaxError: invalid syntax"),
    "name": ("\nundefined\n", "line 2: NameError: name 'undefined' is not defined"),
    "exit": ("import sys\nsys.exit('no')\n", "line 2: SystemExit: no"),
    "import": ("import nowhere_at_all\n", "line 1: ModuleNotFoundError: No module"),
    "nul": ("x = '\0'\n", "null bytes"),
    "long": ("raise ValueError('x\\n' * 500)\n", "line 1: ValueError: x x x"),
    "nothing": ("class Shout: name = 'shout'\n", "it has no class that inherits"),
    "nameless": (SHOUT.replace('name = "shout"', ""), "class Shout needs a name"),
    "two-words": (SHOUT.replace('"shout"', '"a b"'), "needs a name of one word"),
    "builtin": (SHOUT.replace('"shout"', '"save"'), "'save' is malexbot's own"),
    "twice": (SHOUT + SHOUT.replace("class Shout", "class B"), "two of it have"),
    "params": (SHOUT.replace("(Settings)", ""), "Shout.Params has to be a class"),
    "idle": (HEAD + "class A(Processor):\n  name = 'shout'\n", "does nothing"),
    "unasked": (SHOUT.replace("def wants", "def want"), "handle is never called"),
    "signature": (
        SHOUT.replace("occasion: Occasion, bot", "bot"),
        "Shout.handle has to take (self, event, occasion, bot)",
    ),
    "no-params": (
        SHOUT.replace("self, params: Params", "self").replace("= params", "= None"),
        "Shout.__init__ has to take (self, params)",
    ),
    "build": (
        SHOUT.replace("self.params = params", "raise OSError('no key')"),
        "bad.py, line 11: OSError: no key",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_plugin_that_fails_is_switched_off_and_the_rest_runs(
    load: Load, tmp_path: Path, fault: str
) -> None:
    text, reason = FAULTS[fault]
    (tmp_path / "bad.py").write_text(text)
    (tmp_path / "plain.py").write_text(PLAIN)
    loaded = load("shout", "save", "plain", plugins=["plain.py", "bad.py"])
    (failure,) = loaded.config.plugged.failures
    assert reason in failure.reason
    assert len(failure.reason) <= LONGEST_REASON
    assert "\n" not in failure.reason
    assert failure.plugin == ("shout" if fault == "build" else str(tmp_path / "bad.py"))
    made = build(loaded.config, builtin())["posted"]
    assert [each.name for each in made] == ["save", "plain"]


@pytest.mark.parametrize("fault", ["syntax", "build"])
def test_for_a_check_a_failure_is_a_problem_of_the_file(
    load: Load, tmp_path: Path, fault: str
) -> None:
    (tmp_path / "bad.py").write_text(FAULTS[fault][0])
    loaded = load("save", "shout", plugins=["bad.py"])
    with pytest.raises(ConfigProblems) as raised:
        loaded.require_plugins()
    (problem,) = raised.value.problems
    assert problem.line == {"syntax": 10, "build": 7}[fault]
    assert FAULTS[fault][1] in str(problem)


def test_problems_and_failures_are_told_together(load: Load, tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("x = = 1\n")
    with pytest.raises(ConfigProblems) as raised:
        load("save", "shout", plugins=["bad.py"], backend={"port": "x"})
    assert [p.path for p in raised.value.problems] == ["backend.port", "plugins[1]"]


@pytest.mark.parametrize(
    ("plugin", "reason"),
    [
        ("nowhere.py", "cannot be read: No such file or directory"),
        ("/", "cannot be read: Is a directory"),
        ("nowhere_at_all", "there is no module nowhere_at_all; install it where"),
        ("json", "it has no class that inherits Processor"),
    ],
)
def test_a_plugin_that_is_not_there_is_told(
    load: Load, plugin: str, reason: str
) -> None:
    (failure,) = load("save", plugins=[plugin]).config.plugged.failures
    assert reason in failure.reason


def test_what_is_neither_file_nor_module_is_a_problem(load: Load) -> None:
    with pytest.raises(ConfigProblems, match="needs files such as mine.py, or names"):
        load("save", plugins=["my plugin"])


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        ("plain = malexbot_test_a:Plain", "several packages have it: a, b"),
        ("plain = malexbot_test_b:Nothing", "AttributeError"),
        ("plain = malexbot_test_b:HEAD", "is not a class that inherits Processor"),
        ("other = malexbot_test_b:Plain", "its entry point leads to 'plain'"),
    ],
)
def test_a_package_that_fails_is_switched_off(
    load: Load, site: Path, points: str, reason: str
) -> None:
    if "several" in reason:
        package(site, "a", "malexbot_test_a", PLAIN, points)
    package(site, "b", "malexbot_test_b", PLAIN + "HEAD = 'x'\n", points)
    loaded = load("save", points.partition(" ")[0])
    (failure,) = loaded.config.plugged.failures
    assert reason in failure.reason
    made = build(loaded.config, builtin())["posted"]
    assert [each.name for each in made] == ["save"]


# Loading again.


def test_a_file_is_run_afresh_each_time(load: Load, shout: Path) -> None:
    first = load("shout", plugins=["shout.py"]).config.plugged.processors["shout"]
    # Of the same length, in the same second: no compiled file may be used.
    shout.write_text(SHOUT.replace('reply("!"', 'reply("?"'))
    second = load("shout", plugins=["shout.py"]).config.plugged.processors["shout"]
    assert type(first) is not type(second)
    assert "?" in second.handle.__code__.co_consts
    assert "!" in first.handle.__code__.co_consts
    assert not (shout.parent / "__pycache__").exists()


def test_a_file_that_fails_again_leaves_the_one_of_before(
    load: Load, shout: Path
) -> None:
    load("shout", plugins=["shout.py"])
    before = sys.modules["plugins.shout"]
    shout.write_text("x = = 1\n")
    assert load("shout", plugins=["shout.py"]).failures
    assert sys.modules["plugins.shout"] is before
