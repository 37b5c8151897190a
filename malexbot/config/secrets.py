"""Values that are not in the file itself: `${ENV}`, `*_file`, systemd's credentials.

A secret is taken from the first of: the setting, the file that `<name>_file`
names, and the file of the setting's full name (`mattermost.token`) in
$CREDENTIALS_DIRECTORY, which systemd fills by LoadCredential. Without that, as for
`sudo malexbot check`, in the folder that systemd fills it from: for
/etc/malexbot.yaml it is /etc/malexbot/credentials.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from malexbot.config.document import Document
from malexbot.config.files import read_bytes
from malexbot.config.problems import Where, dotted, plain
from malexbot.config.shape import block_of, inner, is_secret

MAX_SECRET_BYTES = 64 * 1024

# `$${` is a plain `${`; `${{` is left alone, it opens no name.
_NAMED = re.compile(r"\$\$\{|\$\{(?!\{)([^}]*)(\}?)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def expanded(
    value: Any, environ: Mapping[str, str], document: Document, where: Where = ()
) -> Any:
    """A copy of the value with each `${NAME}` in its texts replaced."""
    if isinstance(value, dict):
        return {
            key: expanded(part, environ, document, (*where, key))
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [
            expanded(part, environ, document, (*where, index))
            for index, part in enumerate(value)
        ]
    if not isinstance(value, str) or "${" not in value:
        return value

    def replaced(found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            return "${"
        if not found[2] or not _NAME.fullmatch(name):
            hint = "${NAME} takes a variable's value; write $${ for a plain ${"
            document.add(where, "has a ${ that names no variable", hint)
        elif name not in environ:
            hint = "set it for the service, or write $${ for a plain ${"
            document.add(where, f"the variable {plain(name)} is not set", hint)
        return environ.get(name, "")

    return _NAMED.sub(replaced, value)


class Secrets:
    """Puts the secrets that are in other files in their places."""

    def __init__(self, document: Document, environ: Mapping[str, str]) -> None:
        self._document = document
        source = document.file.with_suffix("") / "credentials"
        self._credentials = Path(environ.get("CREDENTIALS_DIRECTORY") or source)

    def reveal(self, annotation: Any, value: Any, where: Where) -> None:
        """Do so in the value of that type, in place."""
        if isinstance(value, dict):
            if block := block_of(annotation):
                self._reveal_in(block, value, where)
            for key, part in value.items():
                self.reveal(inner(annotation, key), part, (*where, key))
        elif isinstance(value, list):
            for index, part in enumerate(value):
                self.reveal(inner(annotation, index), part, (*where, index))

    def _reveal_in(
        self, block: type[BaseModel], values: dict[str, Any], where: Where
    ) -> None:
        for name, field in block.model_fields.items():
            if is_secret(field.annotation) and f"{name}_file" not in block.model_fields:
                file = values.pop(f"{name}_file", None)
                secret = self._secret(values.get(name), file, (*where, name))
                if secret is not None:
                    values[name] = secret

    def _secret(self, inline: Any, file: Any, where: Where) -> str | None:
        """The secret if it is in another file; None leaves what is written."""
        file_where = (*where[:-1], f"{where[-1]}_file")
        if inline not in (None, "") and file not in (None, ""):
            self._document.add(
                file_where, f"{where[-1]!r} is given too", "keep one of the two"
            )
        elif isinstance(file, str) and file:
            return self._read(self._document.file.parent / file, file_where, where)
        elif file is not None and file != "":
            self._document.told.add(where)
            self._document.add(file_where, "needs the path of a file")
        elif inline in (None, ""):
            path = self._credentials / dotted(where)
            if _is_given(path):
                return self._read(path, where, where)
        return None

    def _read(self, path: Path, at: Where, secret: Where) -> str | None:
        wrong = f"{path} "
        try:
            content = read_bytes(path, MAX_SECRET_BYTES + 1)
            text = content.decode().rstrip("\r\n")
        except UnicodeDecodeError:
            wrong += "is not UTF-8 text"
        except OSError as error:
            is_absent = isinstance(error, FileNotFoundError)
            if is_absent and path.parent == self._document.file.parent:
                # It may be the secret itself, put in the wrong place.
                wrong = "that file "
            wrong += f"cannot be read: {error.strerror}"
        except ValueError:
            wrong = "needs the path of a file"
        else:
            if text and len(content) <= MAX_SECRET_BYTES:
                return text
            wrong += "is too large for a secret" if text else "is empty"
        self._document.told.discard(secret)
        self._document.add(at, wrong)
        self._document.told.add(secret)
        return None


def _is_given(credential: Path) -> bool:
    """No for the empty line that the unit gives where the operator has none.

    systemd cannot set a credential to nothing at all. One that cannot be looked at
    counts as given, so that reading it says why.
    """
    try:
        return credential.stat().st_size > len("\n")
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
