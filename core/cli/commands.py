"""The table of commands. A command's module is imported only when it is asked for."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

import click

from core.errors import SensorloomError
from core.workspace import PARTS, open_workspace

COMMANDS = {
    "run": "make new threads, or run one to its end",
    "list": "list threads",
    "export": "write a training file",
    "check": "look for what is wrong in threads",
    "replay": "re-execute stored tool calls and compare",
    "migrate": "convert v3 threads, keeping the originals",
    "prove": "load an export with a trainer's own code",
    "tools": "show the tools a model is offered",
    "datasets": "import, list and check datasets",
}
"""Every command with its one-line help. The module `core.cli.<name>` holds a click command called `command`."""


class LazyGroup(click.Group):
    """A group that knows its commands' names without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command that is asked for."""
        if cmd_name not in COMMANDS:
            return None
        return cast("click.Command", importlib.import_module(f"core.cli.{cmd_name}").command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, importing none."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command when there is none of that name."""
        import difflib

        if args and args[0] not in COMMANDS:
            near = difflib.get_close_matches(args[0], COMMANDS, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"commands: {', '.join(COMMANDS)}"
            raise click.UsageError(f"there is no command `{args[0]}`; {hint}")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sensorloom")
def sensorloom() -> None:
    """Make and curate training threads in which a language model reads motion sensors with tools.

    Without a command, in a terminal, it opens the program.
    """


def workspace_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--workspace`, `--threads`, `--exports` and `--data`; it receives `workspace`."""

    @wraps(function)
    def opened(*args: Any, **options: Any) -> Any:
        root = options.pop("workspace")
        parts = {part: options.pop(part) for part in PARTS}
        return function(*args, workspace=open_workspace(root, parts=parts), **options)

    wrapped = cast("Callable[..., Any]", opened)
    for part in reversed(PARTS):
        wrapped = click.option(f"--{part}", metavar="DIR", help=f"The {part} folder.")(wrapped)
    return click.option("--workspace", metavar="DIR", help="The workspace; the current folder unless told.")(wrapped)


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=True))


def say(text: str = "", *, err: bool = False) -> None:
    """A line for a person, safe to print whatever outside text it holds."""
    from core.text import printable

    click.echo(printable(text), err=err)


def run_command(arguments: list[str]) -> int:
    """Run a command and return its exit code. Failures go to stderr as one line, never as a traceback."""
    try:
        result = sensorloom.main(arguments, prog_name="sensorloom", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        say(f"sensorloom: {error.format_message()}", err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        say("sensorloom: stopped", err=True)
        return 130
    except SensorloomError as error:
        say(f"sensorloom: {error}", err=True)
        return 1
    except BrokenPipeError:
        sys.stderr.close()
        return 141
    return result if isinstance(result, int) else 0
