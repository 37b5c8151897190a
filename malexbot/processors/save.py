"""The processor `save`: which posts the archive keeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from malexbot.events import Event, Post
from malexbot.ports import Processor


class Save(Processor):
    """Keeps what contains one of `contains`, and what `when` is true for.

    It only decides: the intake writes, and follows what is kept through its life.
    """

    name = "save"

    def __init__(
        self,
        *,
        contains: Sequence[str] = (),
        when: Callable[[Event], bool] | None = None,
    ) -> None:
        self._contains = tuple(word for word in contains if word)
        self._when = when

    def keeps(self, event: Event) -> bool:
        """Yes: each of the two filters that is set lets it pass."""
        if event.post is None or not self._has_word(event.post):
            return False
        return self._when is None or self._when(event)

    def _has_word(self, post: Post) -> bool:
        if not self._contains:
            return True
        for word in self._contains:
            if word in post.message:
                return True
        return bool(post.texts) and self._is_named(post.texts)

    def _is_named(self, texts: Sequence[str]) -> bool:
        """Yes: a file or an attachment has one of the words."""
        return any(word in text for word in self._contains for text in texts)
