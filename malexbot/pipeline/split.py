"""Cuts a long text into messages: at the ends of lines, code blocks kept whole."""

from __future__ import annotations

from collections.abc import Iterator

FENCE = "```"


def split(text: str, longest: int) -> list[str]:
    """Parts of at most `longest` characters; in each a code block opens and closes."""
    if len(text) <= longest:
        return [text] if text.strip() else []
    parts: list[str] = []
    part = ""
    for block in _blocks(text, longest):
        if part and len(part) + len(block) > longest:
            parts.append(part)
            part = ""
        part += block
    parts.append(part)
    return [part.strip("\n") for part in parts if part.strip()]


def _blocks(text: str, longest: int) -> Iterator[str]:
    """What should stay together: a code block as a whole, else a line each."""
    code: list[str] = []
    for line in text.splitlines(keepends=True):
        is_fence = line.lstrip().startswith(FENCE)
        if code:
            code.append(line)
            if is_fence:
                yield from _code(code, longest)
                code = []
        elif is_fence:
            code = [line]
        else:
            yield from _cut(line, longest)
    yield from _code(code, longest)


def _code(lines: list[str], longest: int) -> Iterator[str]:
    """A code block; one that is too long becomes several, each with its fences."""
    if sum(map(len, lines)) <= longest:
        yield "".join(lines)
        return
    opening, closing = lines[0], FENCE + "\n"
    room = longest - len(opening) - len(closing) - 1
    if room < 1:
        yield from _cut("".join(lines), longest)
        return
    body = lines[1:-1] if lines[-1].lstrip().startswith(FENCE) else lines[1:]
    part = ""
    for piece in (piece for line in body for piece in _cut(line, room)):
        if part and len(part) + len(piece) > room:
            yield f"{opening}{_ended(part)}{closing}"
            part = ""
        part += piece
    yield f"{opening}{_ended(part)}{closing}"


def _ended(text: str) -> str:
    return text if text.endswith("\n") else text + "\n"


def _cut(line: str, longest: int) -> Iterator[str]:
    """A line that fits, or its pieces, cut at blanks where there are some."""
    while len(line) > longest:
        at = line.rfind(" ", 1, longest) + 1 or longest
        yield line[:at]
        line = line[at:]
    yield line
