"""The loopback VK as a process of its own: `python -m malexbot.sandbox.vk`."""

from __future__ import annotations

from malexbot.sandbox.program import parser, serve, settings_of
from malexbot.sandbox.vk.control import PARTS
from malexbot.sandbox.vk.sandbox import VkSandbox
from malexbot.sandbox.vk.world import VkSettings


def main(arguments: list[str] | None = None) -> int:
    options = parser("python -m malexbot.sandbox.vk").parse_args(arguments)
    settings = VkSettings(**settings_of(options))
    sandbox = VkSandbox(port=options.port, settings=settings)
    return serve(sandbox, PARTS, until_eof=options.until_eof)


if __name__ == "__main__":
    raise SystemExit(main())
