"""The table of commands. A command's module is imported only when it is asked for."""

from __future__ import annotations

import importlib
import json
import math
import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext, redirect_stdout
from contextvars import ContextVar
from functools import wraps
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TextIO, cast

import click

from core.cli.output import UNWRITTEN, in_terminal, lasting_output
from core.errors import SensorloomError
from core.workspace import PARTS, open_workspace

if TYPE_CHECKING:
    from core.trust import Question

SECTIONS = {
    "Make threads": {
        "run": "make new threads, or run some to their end",
        "batches": "list batches of new threads; pause, stop, forget them",
        "sample": "propose several next turns, and take one",
        "branch": "copy a thread up to a turn into a new one",
        "difficulty": "measure how often a model answers sessions right",
    },
    "Look": {
        "list": "list threads",
        "failures": "group the threads that failed by how",
        "similar": "find threads that are like one, the nearest first",
        "filters": "list the fields of a filter, and keep filters under names",
        "show": "show a thread, its messages numbered",
        "cat": "write threads as they are, a line of JSON each",
        "tree": "show all threads about a session, branches under their parents",
        "goal": "what a set of threads is to be, how far it is, what to judge next",
        "stats": "count threads: balance, wrong answers, confidence, tools",
        "history": "show what was done, by whom and when; take back any one step",
    },
    "Curate": {
        "verdict": "accept, reject or skip threads",
        "tag": "add and remove tags",
        "label": "label turns good, neutral or bad",
        "paraphrase": "let a model write the reasoning of good threads in other words",
        "edit": "edit a message, and run again what rests on it",
        "settle": "settle what became stale by an edit",
        "loss": "keep turns in or out of the training loss",
        "delete": "move threads to the trash",
        "trash": "list the trash, and bring threads back",
        "pack": "put finished threads into few files, which read like the many",
        "unpack": "make packed threads files again",
        "undo": "take back the last step",
        "redo": "do again what was undone",
    },
    "Check and export": {
        "check": "look for what is wrong in threads",
        "replay": "re-execute stored tool calls and compare",
        "export": "write a training file",
        "judge": "let a model score threads by a rubric",
        "faithfulness": "ask whether answers move when what they cite is taken away",
        "prove": "load an export with a trainer's own code",
        "publish": "lay out a dataset repository to be shared",
        "migrate": "convert v3 threads, keeping the originals",
        "import-threads": "make threads of training rows, logs and traces",
    },
    "Measure": {
        "evaluate": "let models answer the same sessions, and compare how often they are right",
    },
    "Data and tools": {
        "datasets": "import, list, check and mark datasets, and cut windows anew",
        "record": "record what a sensor sends now into a dataset",
        "questions": "list the kinds of questions that threads may ask",
        "tools": "show the tools a model is offered",
        "mcp": "let any agent read a session with the tools, over MCP",
        "endpoints": "list the servers that can be asked, and forget what they refuse",
        "trust": "let this folder name endpoints and bring tools, or forbid it",
    },
}
"""Every command with its one-line help, as the help groups them."""

COMMANDS = {name: about for section in SECTIONS.values() for name, about in section.items()}
"""Every command with its one-line help. The module `core.cli.<name>`, with `_` for `-`, holds a
click command called `command`."""


class LazyGroup(click.Group):
    """A group that knows its commands' names without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the table's order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command that is asked for."""
        if cmd_name not in COMMANDS:
            return None
        module = f"core.cli.{cmd_name.replace('-', '_')}"
        return cast("click.Command", importlib.import_module(module).command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, importing none."""
        for heading, commands in SECTIONS.items():
            with formatter.section(heading):
                # the widest name of all, so that the columns of the sections stand under each other
                formatter.write_dl([(name.ljust(max(map(len, COMMANDS))), about) for name, about in commands.items()])

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


class GroupWithDefault(click.Group):
    """A group of which one command is meant where none is named: what a group took as well, it would take twice."""

    def __init__(self, *args: Any, default: str, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Name the default where no other is named. Raises click.UsageError: one is named after its options."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            for before, word in pairwise(args):
                if word in self.commands and not before.startswith("-"):
                    raise click.UsageError(f"`{word}` goes first: `{ctx.command_path} {word} {args[0]} …`")
            args = [self.default, *args]
        return super().parse_args(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sensorloom")
def sensorloom() -> None:
    """Make and curate training threads in which a language model reads motion sensors with tools.

    Without a command, in a terminal, it opens the program.
    """


def workspace_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--workspace`, `--threads`, `--exports`, `--data` and `--trust`; it receives `workspace`."""

    @wraps(function)
    def opened(*args: Any, **options: Any) -> Any:
        root, trusted = options.pop("workspace"), options.pop("trust")
        parts = {part: options.pop(part) for part in PARTS}
        workspace = open_workspace(root, parts=parts)
        if workspace.undecided is not None and _trusts(workspace.undecided, trusted):
            workspace = open_workspace(root, parts=parts)
        return function(*args, workspace=workspace, **options)

    wrapped = click.option("--trust", is_flag=True, help="Trust this folder: its endpoints count, its tools run.")(
        cast("Callable[..., Any]", opened)
    )
    for part in reversed(PARTS):
        wrapped = click.option(f"--{part}", metavar="DIR", help=f"The {part} folder.")(wrapped)
    return click.option("--workspace", metavar="DIR", help="The workspace; the current folder unless told.")(wrapped)


def _trusts(question: Question, trusted: bool) -> bool:
    """Whether the person trusts the folder: by option, or asked once where there is a terminal; never otherwise."""
    from core.trust import keep_answer

    if not trusted and not question.answer and in_terminal(sys.stdin, sys.stderr):
        say(f"{question.root} is not trusted yet:", err=True)
        for sentence in question.sentences:
            say(f"  {sentence}", err=True)
        trusted = click.confirm("Trust it?", default=False, err=True)
        keep_answer(question.root, question.files, trusted=trusted)
    elif trusted:
        keep_answer(question.root, question.files, trusted=True)
    if not trusted:
        say(f"note: {question.ignored}", err=True)
    return trusted


class Finite(click.FloatRange):
    """A number in a range; `nan` and `inf`, which Python reads as numbers too, are none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is no number that can be used", param, ctx)
        return number


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")


_document: ContextVar[TextIO | None] = ContextVar("document", default=None)
"""Where `print_json` writes while standard output is kept clear for it."""


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=True), file=_document.get())


@contextmanager
def _only_json() -> Generator[None]:
    """Let nothing but `print_json` write on standard output: what a person's own tools print goes to stderr."""
    token = _document.set(sys.stdout)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _document.reset(token)


def say(text: str = "", *, err: bool = False) -> None:
    """A line for a person, safe to print whatever outside text it holds."""
    from core.text import printable

    click.echo(printable(text), err=err)


@contextmanager
def progress_bar(label: str) -> Generator[Callable[..., None] | None]:
    """A bar on stderr when that is a terminal, else None. It is told how many are done, and of how many."""
    if not in_terminal(sys.stderr):
        yield None
        return
    from core.text import printable

    with click.progressbar(length=1, label=printable(label), file=sys.stderr) as bar:
        shown: Any = bar

        def progress(done: int, total: int, *_: object) -> None:
            shown.length = max(total, 1)
            shown.update(done - shown.pos)

        yield progress


def run_command(arguments: list[str]) -> int:
    """Run a command and return its exit code.

    A failure goes to stderr as one line, never as a traceback; with `--json` standard output then is a document
    with that line under `error`. A failure nobody thought of shows its traceback where SENSORLOOM_TRACEBACK is set.
    Output that cannot be written is no failure of the command: it is told, and the code then is `UNWRITTEN`; a reader
    that left, as `head` does, is not even told of.
    """
    with lasting_output() as out:
        code = _run(arguments)
        if out is None:
            return code
        out.flush()
        if out.told:
            say(f"sensorloom: {out.told}", err=True)
            return code or UNWRITTEN
        return code


def _run(arguments: list[str]) -> int:
    from core.cli.table_line import tables_shown

    try:
        with _only_json() if "--json" in arguments else nullcontext(), tables_shown():
            result = sensorloom.main(arguments, prog_name="sensorloom", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        commands = error.ctx.command.list_commands(error.ctx) if isinstance(error.ctx.command, click.Group) else ()
        return _failed(arguments, f"`{error.ctx.command_path}` needs one of these after it: {', '.join(commands)}", 2)
    except click.ClickException as error:
        return _failed(arguments, error.format_message(), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return _failed(arguments, "stopped", 130)
    except SensorloomError as error:
        return _failed(arguments, str(error), 1)
    except Exception as error:
        if os.environ.get("SENSORLOOM_TRACEBACK"):
            raise
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        return _failed(arguments, f"failed unexpectedly: {reason}; SENSORLOOM_TRACEBACK=1 shows where", 1)
    return result if isinstance(result, int) else 0


def _failed(arguments: list[str], sentence: str, code: int) -> int:
    line = " ".join(sentence.split())
    if "--json" in arguments:
        print_json({"error": line})
    say(f"sensorloom: {line}", err=True)
    return code
