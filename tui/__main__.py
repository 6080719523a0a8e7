"""The command `sensorloom`: the app, or one of `core.cli`'s commands. Each is imported when asked for."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.workspace import Workspace

_OPTIONS = ("--workspace", "--threads", "--exports", "--data")
_OPEN = "--open"
"""A thread, and a message of it as `show` numbers them: `STEM#7`."""
_FLAGS = ("--no-mouse", "--poll", "--trust")


def main() -> None:
    """Run what the command line asks for and exit with its code."""
    # before numpy is imported: our matrices are small, so that threads of its own only wait for each other (a reference
    # of 3,769 sessions takes 0.04 s with one and 0.17 s with two), and what they give hangs on how many there are
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """The app when only the app's own options are given, else a command. Returns the exit code."""
    options = app_options(arguments)
    if options is None:
        from core.cli.commands import run_command

        return run_command(arguments)
    from core.cli.output import in_terminal

    if not in_terminal(sys.stdin, sys.stdout, sys.stderr):
        from core.cli.commands import COMMANDS

        print(
            f"sensorloom: there is no terminal here to draw on; commands that need none: {', '.join(COMMANDS)}",
            file=sys.stderr,
        )
        return 2
    return _open_app(options)


def app_options(arguments: list[str]) -> dict[str, str] | None:
    """The options of the app, or None when something else is asked for."""
    options: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        name, _, value = rest.pop(0).partition("=")
        if name in _FLAGS and not value:
            options[name] = "yes"
        elif name in (*_OPTIONS, _OPEN) and (value or rest):
            options[name] = value or rest.pop(0)
        else:
            return None
    return options


def _open_app(options: dict[str, str]) -> int:
    from core.errors import SensorloomError
    from tui.terminal.terminal import prepare_environment

    # nothing that is made before the first paint can be garbage: looking for it costs a tenth of the start
    gc.disable()
    sys.setswitchinterval(0.001)  # work off the screen's loop gives way to a key sooner than Python's own 5 ms
    prepare_environment()
    mouse = "--no-mouse" not in options
    try:
        workspace = _workspace(options, mouse)
        if workspace is None:
            return 0
        from tui.app import SensorloomApp

        link = _link(workspace, options[_OPEN]) if _OPEN in options else None
        app = SensorloomApp(workspace, polling=True if "--poll" in options else None, link=link)
    except SensorloomError as error:
        print(f"sensorloom: {error}", file=sys.stderr)
        return 1
    app.mishaps.begin()
    try:
        app.run(mouse=mouse)
    except Exception as error:
        app.went_wrong(error)
    finally:
        app.close()
        app.mishaps.end()
    if app.crash:
        print(f"sensorloom: {app.crash}", file=sys.stderr)
    return app.return_code or 0


def _link(workspace: Workspace, text: str) -> tuple[str, int]:
    """The thread and the message, counted from 0, that a link names.

    Raises:
        SensorloomError: there is no such thread.
    """
    from core.errors import UsageError
    from core.storage.thread_files import exists

    stem, _, number = text.partition("#")
    if not stem or not exists(workspace.threads, stem):
        raise UsageError(
            f"--open {text}: there is no thread {stem} in {workspace.threads}; `sensorloom list` names all"
        )
    if number and not number.isdecimal():
        raise UsageError(f"--open {text}: after # stands a message's number, as `sensorloom show {stem}` numbers them")
    return stem, max(0, int(number or 1) - 1)


def _workspace(options: dict[str, str], mouse: bool) -> Workspace | None:
    """The workspace that the options name, once it is settled whether it may act; None when the person left.

    Raises:
        SensorloomError: it cannot be opened, or the answer cannot be kept.
    """
    from core.workspace import open_workspace

    parts = {name[2:]: options.get(name) for name in _OPTIONS[1:]}
    workspace = open_workspace(options.get("--workspace"), parts=parts)
    undecided = workspace.undecided
    if undecided is None or (undecided.answer and "--trust" not in options):
        return workspace
    answer: str | None = "t"
    if "--trust" not in options:
        from tui.trust import TrustApp

        answer = TrustApp(undecided).run(mouse=mouse)
    if answer in ("t", "n"):
        from core.trust import keep_answer

        keep_answer(workspace.root, undecided.files, trusted=answer == "t")
        workspace = open_workspace(options.get("--workspace"), parts=parts)
    return None if answer is None else workspace


if __name__ == "__main__":
    main()
