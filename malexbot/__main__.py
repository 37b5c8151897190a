"""`python -m malexbot` is the `malexbot` command."""

from malexbot.cli import main

if __name__ == "__main__":
    main()
