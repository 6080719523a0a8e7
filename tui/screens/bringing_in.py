"""Making threads of a file of rows: which file, what would come of it, and what came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from core.errors import SensorloomError
from core.storage.thread_files import ROWS, path_of
from core.text import counted, one_line
from core.thread.summary import Summary
from core.workspace import Workspace
from tui.dialogs.ask import ChooseScreen, Way
from tui.dialogs.ask_path import AskPathScreen
from tui.local_keys import keys_of
from tui.thread_list.known_folder import KnownFolder

if TYPE_CHECKING:
    from core.incoming.importing import Outcome


def ask_rows(
    screen: Screen[Any],
    workspace: Workspace,
    current: Summary | None,
    folder: KnownFolder,
    step_taken: Callable[[Sequence[str]], None],
) -> None:
    """Ask for a file of rows, show what would come of it, and make threads of them.

    Args:
        screen: where it is asked.
        workspace: whose threads folder.
        current: what the cursor is on; a file of rows is what is meant.
        folder: what lies among the threads.
        step_taken: told of the threads that were made.
    """

    def asked(path: Path | None) -> None:
        if path is not None:
            screen.notify(f"reading {one_line(path.name, 60)} …", markup=False)
            screen.run_worker(lambda: _look(screen, workspace, path, step_taken), thread=True, group="import")

    listed = sorted(stem for stem in folder.summaries if stem.endswith(ROWS))
    if current is not None and current.stem.endswith(ROWS):
        listed = [current.stem]
    start = str(path_of(workspace.threads, listed[0])) if listed else f"{workspace.exports}/"
    title = "make threads of rows: a training file, a log, a trace"
    screen.app.push_screen(AskPathScreen(title, start, (workspace.data,)), asked)


def _look(screen: Screen[Any], workspace: Workspace, path: Path, step_taken: Callable[[Sequence[str]], None]) -> None:
    from core.incoming.importing import import_threads

    try:
        outcomes = import_threads(workspace, [path], dry_run=True)
    except SensorloomError as error:
        screen.call_later(_say, screen, str(error), True)
        return
    screen.call_later(_ask, screen, workspace, path, outcomes, step_taken)


def _ask(
    screen: Screen[Any],
    workspace: Workspace,
    path: Path,
    outcomes: Sequence[Outcome],
    step_taken: Callable[[Sequence[str]], None],
) -> None:
    """Show what would come of it, and ask."""
    counts = _counts(outcomes)
    refused = next((outcome.sentence for outcome in outcomes if outcome.state == "refused"), "")
    if not counts["new"]:
        _say(screen, "; ".join(filter(None, (_in_words(path, outcomes), refused))), bool(refused))
        return

    def answered(key: str | None) -> None:
        if key is not None:
            screen.run_worker(lambda: _carry_out(screen, workspace, path, step_taken), thread=True, group="import")

    undo = keys_of(screen)["turn.undo"]
    question = f"{_in_words(path, outcomes)}." + (f" The first: {refused}." if refused else "")
    ways = [Way("y", "bring in", f"{counted(counts['new'], 'thread')}; {undo} in the list takes it back")]
    screen.app.push_screen(ChooseScreen("bring in", one_line(question, 600), ways), answered)


def _carry_out(
    screen: Screen[Any], workspace: Workspace, path: Path, step_taken: Callable[[Sequence[str]], None]
) -> None:
    from core.incoming.importing import import_threads

    try:
        outcomes = import_threads(workspace, [path])
    except SensorloomError as error:
        screen.call_later(_say, screen, str(error), True)
        return

    def tell() -> None:
        step_taken([outcome.id for outcome in outcomes if outcome.state == "new"])
        _say(screen, _in_words(path, outcomes), bool(_counts(outcomes)["refused"]))

    screen.call_later(tell)


def _counts(outcomes: Sequence[Outcome]) -> Counter[str]:
    return Counter(outcome.state for outcome in outcomes)


def _in_words(path: Path, outcomes: Sequence[Outcome]) -> str:
    """How many rows became what."""
    counts = _counts(outcomes)
    unmatched = sum(outcome.state == "new" and not outcome.matched for outcome in outcomes)
    parts = [f"{counts['new']:,} new"]
    parts += [f"{unmatched:,} of them under `imported`, as they name no session that is here"] if unmatched else []
    parts += [f"{counts['there']:,} there already"] if counts["there"] else []
    parts += [f"{counts['refused']:,} refused"] if counts["refused"] else []
    return f"{one_line(path.name, 60)}: {', '.join(parts)}"


def _say(screen: Screen[Any], text: str, warning: bool) -> None:
    screen.notify(one_line(text, 400), severity="warning" if warning else "information", markup=False)
