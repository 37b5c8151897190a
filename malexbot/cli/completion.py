"""`malexbot completion`: what makes a shell complete commands, options and files."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print what makes TAB complete commands, options and files.

    \b
    malexbot completion bash | sudo tee /etc/bash_completion.d/malexbot
    malexbot completion zsh | sudo tee /usr/local/share/zsh/site-functions/_malexbot
    malexbot completion fish > ~/.config/fish/completions/malexbot.fish

    A new shell knows it.
    """
    from click.shell_completion import ShellComplete, get_completion_class

    complete = get_completion_class(shell)
    assert complete is not None, "click knows each of them"
    main = ctx.find_root().command
    made = complete(main, {}, "malexbot", "_MALEXBOT_COMPLETE")
    # That of bash asks the bash of this machine for its version first.
    click.echo(ShellComplete.source(made))
