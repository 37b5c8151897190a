"""The `malexbot` command; each subcommand is a file beside this one, imported when it is called."""
