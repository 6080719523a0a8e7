"""The command `sensorloom`: the app, or one of `core.cli`'s commands. Each is imported when asked for."""

from __future__ import annotations

import sys


def main() -> None:
    """Run what the command line asks for and exit with its code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """The app when only workspace options are given, else a command. Returns the exit code."""
    from core.cli.commands import run_command

    return run_command(arguments)


if __name__ == "__main__":
    main()
