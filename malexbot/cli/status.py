"""`malexbot status`: is all well, and if not, what is to be done?"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from malexbot.cli.options import config_option, json_option
from malexbot.config.load import load


@click.command()
@config_option
@click.option("--all", "is_whole", is_flag=True, help="Show every channel.")
@json_option("one object")
def command(config_file: Path, is_whole: bool, is_json: bool) -> None:
    """Tell how malexbot is, and what to do if something is wrong.

    Asks the daemon of this machine and the database; either may be away. The exit
    code is 0 if all is well, 1 if something is wrong or missing, and 78 if the
    configuration is.

    --json prints one object: is_well; summary; findings, each with what and cure;
    daemon with address, error, version, parts, readings (those of /metrics); and
    database with error, holder, jobs, rejects, unindexed, files, channels, gaps,
    lost. What could not be asked is null, and its error tells why.

    \b
    malexbot status
    malexbot status --json | jq -r '.findings[].cure'
    """
    # Heavy: a bad configuration is told before they are imported.
    from malexbot.cli.findings import find
    from malexbot.cli.report import as_dict, lines, summary
    from malexbot.cli.survey import survey

    config = load(config_file)
    seen = survey(config)
    found = find(seen, config, config_file)
    if is_json:
        click.echo(json.dumps(as_dict(seen, found, config), indent=2))
    else:
        first = summary(seen, found, config)
        click.secho(first, fg="red" if found else "green", bold=True)
        for line in lines(seen, found, is_whole=is_whole):
            click.echo(line)
    sys.exit(1 if found else 0)
