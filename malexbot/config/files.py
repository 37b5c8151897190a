"""Reads small files that an operator names, without ever waiting for one."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def read_bytes(path: Path, most: int) -> bytes:
    """At most so many bytes of a file; a pipe or a socket is refused as OSError.

    Opening a pipe waits for its other end, which may never come; only standard
    input may be one.
    """
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(file, "rb") as stream:
        kind = os.fstat(file).st_mode
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if stat.S_ISFIFO(kind) and str(path) != "/dev/stdin":
            raise OSError(errno.EINVAL, "it is a pipe, not a file")
        os.set_blocking(file, True)
        return stream.read(most)
