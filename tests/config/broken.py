"""Broken configurations, each with what has to be said of it; shared by the tests."""

from __future__ import annotations

from dataclasses import dataclass

MATTERMOST = "mattermost:\n  http_host: chat.example.org\n  token: S3cret\n"


@dataclass(frozen=True, slots=True)
class Broken:
    name: str
    content: bytes
    parts: tuple[str, ...]


def broken(name: str, content: str | bytes, *parts: str) -> Broken:
    raw = content.encode() if isinstance(content, str) else content
    return Broken(name, raw, parts)


def _bomb() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for n in range(1, 12):
        again = ", ".join([f"*a{n - 1}"] * 9)
        lines.append(f"a{n}: &a{n} [{again}]")
    return "\n".join(lines)


_NOT_A_FILE = (
    broken("empty", "", "the file is empty; `malexbot install`"),
    broken("blank", "  \n\n", "the file is empty"),
    broken("only-a-mark", b"\xef\xbb\xbf", "the file is empty"),
    broken("only-comments", "# nothing\n", "no settings are in it, only comments"),
    broken("only-a-start", "---\n", "no settings are in it"),
    broken("a-list", "- a\n- b\n", "no settings are in it", "`mattermost:`"),
    broken("a-word", "hello\n", "no settings are in it"),
    broken("binary", bytes(range(256)), "not UTF-8 text (line"),
    broken("elf", b"\x7fELF\x02\x01\x01\x00", "control character U+007F"),
    broken("nul", "a: 1\nb: \0\n", "control character U+0000 (line 2)"),
    broken("c1", "a: 1\nb: \x97\n", "control character U+0097 (line 2)"),
    broken("utf-16", "log: {}\n".encode("utf-16"), "not UTF-8 text (line 1); save"),
    broken("latin-1", "db:\n  name: é\n".encode("latin-1"), "not UTF-8 text (line 2)"),
    broken("too-large", b"# " + b"x" * 1_100_000, "larger than 1 MiB"),
)
_NOT_YAML = (
    broken("tab", "db:\n\tname: x\n", "a tab stands before the text (line 2)"),
    broken("tab-after-blanks", "db:\n  \tname: x\n y: 2\n", "a tab", "(line 2)"),
    broken("tab-later", "a:\n  b: 1\n\tc: 2\n  d: 3\n", "a tab", "(line 3)"),
    broken("two-colons", "log: level: info\n", "not YAML (line 1)", "in quotes"),
    broken("open-quote", 'db:\n  name: "x\n', "not YAML", "closing quote"),
    broken("open-list", "a: [1, 2\n", "not YAML", "closing ] or a comma"),
    broken("open-map", "a: {b: 1\n", "not YAML", "closing } or a comma"),
    broken("at-sign", "db:\n  password: @S3cret\n", "line 2", "begins with @"),
    broken("star", "a: [*]\n", "not YAML (line 1); put a value that begins with *"),
    broken("after-end", "log: {}\n...\nx: y\n", "the settings ended above"),
    broken("escape", 'a: "\\q"\n', "not YAML (line 1)", "single quotes"),
    broken(
        "further-right", "db:\n  name: x\n   port: 1\n", "(line 3)", "further right"
    ),
    broken(
        "quoted-start", "a:\n - b: 'x' in y\n", "(line 2); the value goes on behind"
    ),
    broken("glued", "db:\n  name:x\n", "db: needs settings", "blank after each colon"),
    broken("no-list", "routes:\n  to: x\n", "needs a list", "entries with `- `"),
    broken("hidden", "plugins:\n  - #x\n", "(line 2); what begins with # is a comment"),
    broken("columns", "log:\n  level: info\n format: text\n", "(line 3)", "column"),
    broken("no-colon", "log:\n  level: info\n  format\n", "(line", 'a ":" is missing'),
    broken("returns", 'a: "x\r\r\r\n  y"\nb\n', "this is not YAML (line 6)"),
    broken("separators", 'a: "x\u2028\x85y"\nb\n\tc: 1\n', "a tab", "(line 5)"),
    broken("unprintable", 'db:\n  password_file: "/a\\tb"\n', "/a?b cannot be read"),
    broken("two-documents", "log: {}\n---\nlog: {}\n", "second document", "line 2"),
    broken("python", "a: !!python/object:os.system {}\n", "the tag `!!python/object"),
    broken(
        "python-apply",
        "state_dir: !!python/object/apply:os.system ['id']\n",
        "is not allowed (line 1)",
    ),
    broken("own-tag", "token: !S3\n", "the tag `!S3` is not allowed (line 1)"),
    broken("binary-tag", "a: !!binary aGk=\n", "the tag `!!binary` is not allowed"),
    broken("no-anchor", "a: *nothing\n", "`*nothing` stands for nothing (line 1)"),
    broken("endless", "a: &a [*a]\n", "`*a` stands for nothing"),
    broken("bomb", _bomb(), "more than 50000 values are in it", "aliases"),
    broken("deep", "a: " + "[" * 500 + "]" * 500, "more than 32 levels deep"),
    broken("very-deep", "a: " + "[" * 100_000, "more than 32 levels deep"),
    broken("deep-blocks", "".join(" " * n + "a:\n" for n in range(90)), "32 levels"),
    broken("map-as-key", "{a: 1}: 2\n", "cannot be the name of a setting (line 1)"),
    broken("no-key", "'': 2\n", "a setting without a name (line 1)"),
    broken("merged-text", "<<: text\n", "`<<` takes a map"),
)
_NOT_RIGHT = (
    broken(
        "twice",
        MATTERMOST + "  token: S3cret2\n",
        "mattermost.token: written twice (line 4); it is on line 3 already",
    ),
    broken(
        "typing-slip",
        "mattermost:\n  http_host: h\n  tokne: S3cret\n",
        "mattermost.tokne: unknown key (line 3); did you mean 'token'?",
        "mattermost.token: missing",
    ),
    broken("too-high", "token: S3cret\n", "did you mean 'mattermost.token'?"),
    broken("too-low", "log:\n  state_dir: /x\n", "did you mean 'state_dir'?"),
    broken("capitals", "DRAIN-TIMEOUT: 1\n", "did you mean 'drain_timeout'?"),
    broken("unknown", "log:\n  xyzzy: 1\n", "unknown key (line 2); known here: level"),
    broken("number-key", "1: x\n", "1: unknown key (line 1)"),
    broken(
        "no-server", "mattermost:\n  token: S3cret\n", "mattermost.http_host: missing"
    ),
    broken(
        "no-token",
        "mattermost:\n  http_host: h\n  token:\n",
        "mattermost.token: missing (line 3); write it there, or its file as token_file",
    ),
    broken("empty-block", "mattermost: {}\n", "http_host: missing", "token: missing"),
    broken(
        "no-database-name", "db: {host: x}\n", "db.name: missing (line 1); for example"
    ),
    broken("block-is-text", "log: loud\n", "log: needs settings below it", "not text"),
    broken("block-is-list", "db:\n - x\n", "db: needs settings below it", "not a list"),
    broken("port-word", "backend: {port: web}\n", "a number from 0 to 65535 (line 1)"),
    broken("port-high", "db: {name: x, port: 70000}\n", "number from 1 to 65535"),
    broken("port-octal", "backend: {port: 0123}\n", "backend.port: needs a number"),
    broken("port-yes", "backend: {port: true}\n", "backend.port: needs a number"),
    broken("port-float", "backend: {port: 1.5}\n", "backend.port: needs a number"),
    broken("port-list", "backend: {port: [1]}\n", "backend.port: needs a number"),
    broken("host-port", "backend: {host: '0.0.0.0:80'}\n", "an address alone"),
    broken("host-star", "backend: {host: '*'}\n", "needs an address alone, such as"),
    broken(
        "no-blank",
        "mattermost: {http_host: h, token:S3cret}\n",
        "mattermost.token:…: unknown key (line 1); put a blank after the colon",
    ),
    broken("level", "log: {level: warn}\n", "one of debug,", "did you mean 'warning'?"),
    broken("format", "log: {format: [S3cret]}\n", "log.format: needs one of auto"),
    broken("relative", "state_dir: here\n", "state_dir: needs an absolute path"),
    broken("path-list", "state_dir: [/x]\n", "state_dir: needs a path, not a list"),
    broken("duration", "drain_timeout: soon\n", "needs a duration such as 30s, 10m"),
    broken("negative", "drain_timeout: -5\n", "needs a duration such as 30s"),
    broken("minutes", "drain_timeout: 1:30\n", "needs a duration such as 30s"),
    broken("endless-wait", "drain_timeout: 99999d\n", "10 years at most"),
    broken("truth", "mattermost: {id: true}\n", "not true or false (line 1); put it"),
    broken("text-map", "mattermost:\n  id: {a: 1}\n", "id: needs text, not a map"),
    broken(
        "token-list",
        "mattermost: {http_host: h, token: [S3cret]}\n",
        "mattermost.token: needs text, not a list (line 1)",
    ),
    broken(
        "token-lines",
        'mattermost: {http_host: h, token: "S3cret\\nS3cret"}\n',
        "mattermost.token: needs one word",
    ),
    broken(
        "placeholder",
        "mattermost: {http_host: 'wss://{mattermost_host}/api/v4/websocket'}\n",
        "mattermost.http_host: still has a placeholder",
    ),
    broken("scheme", "mattermost: {http_host: 'ftp://h'}\n", "needs https://, wss://"),
    broken(
        "user",
        "mattermost: {http_host: 'https://me:S3cret@h'}\n",
        "has a user or a password in it",
    ),
    broken("host-blank", "mattermost: {http_host: 'a b'}\n", "more than a server"),
    broken("bad-port", "mattermost: {http_host: 'h:99999'}\n", "port from 1 to 65535"),
    broken("bad-ipv6", "mattermost: {http_host: 'http://[::1'}\n", "name of a server"),
    broken("api", "mattermost: {api_location: 'http://h/api'}\n", "needs a path such"),
    broken(
        "channels",
        "mattermost:\n  listen_channels:\n    - a\n    - [b]\n    -\n",
        "listen_channels[2]: needs text, not a list (line 4)",
        "listen_channels[3]: needs text, not nothing (line 5)",
    ),
    broken(
        "channel-map",
        "mattermost:\n  listen_channels: {a: 1}\n",
        "mattermost.listen_channels: needs a list, not a map (line 2)",
    ),
    broken(
        "events-text",
        "mattermost:\n  target_events_processors: log\n",
        "needs an event and its processors, such as `posted: [save]` (line 2)",
    ),
    broken(
        "events",
        "mattermost:\n  target_events_processors:\n    - hello\n"
        "    - posted: {save: 1}\n    - 'a b': [log]\n    - edited: [5]\n",
        "target_events_processors[1]: needs an event and its processors",
        "target_events_processors[2].posted: needs the processors as a list",
        "target_events_processors[3].a…: needs the name of an event",
        "target_events_processors[4].edited[1]: needs the name of a processor",
    ),
    broken("variable", "state_dir: ${NOWHERE}/x\n", "the variable NOWHERE is not set"),
    broken("bad-variable", "state_dir: /${A-B}\n", "has a ${ that names no variable"),
    broken("open-variable", "state_dir: /${A\n", "has a ${ that names no variable"),
    broken(
        "no-secret-file",
        "mattermost:\n  http_host: h\n  token_file: /nowhere/at/all\n",
        "token_file: /nowhere/at/all cannot be read: No such file or directory",
    ),
    broken(
        "secret-folder",
        "mattermost:\n  http_host: h\n  token_file: /\n",
        "mattermost.token_file: / cannot be read: Is a directory (line 3)",
    ),
    broken(
        "both-secrets",
        MATTERMOST + "  token_file: /nowhere\n",
        "mattermost.token_file: 'token' is given too (line 4); keep one of the two",
    ),
    broken(
        "odd-secret-file",
        "mattermost:\n  http_host: h\n  token_file: [S3cret]\n",
        "mattermost.token_file: needs the path of a file (line 3)",
    ),
)
BROKEN = (*_NOT_A_FILE, *_NOT_YAML, *_NOT_RIGHT)
