"""Which threads a command acts on, and telling what was done to several."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import click

from core.cli.commands import print_json, say
from core.errors import UsageError
from core.workspace import Workspace

if TYPE_CHECKING:
    from core.curate import Bulk
    from core.storage.store import Stored
    from core.thread.turns import Turn

filter_option = click.option("--filter", "wanted", default="", metavar="TERMS", help="The threads of this filter.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Only say which threads it would be.")


def stem_of(name: str) -> str:
    """A thread's stem from its id, its file's name or its file's path."""
    return PurePath(name).name.removesuffix(".json") if name.endswith(".json") else name


def opened(workspace: Workspace, name: str) -> Stored:
    """The thread of this name. Raises ThreadError."""
    from core.storage.store import read

    return read(workspace.threads, stem_of(name))


def chosen(workspace: Workspace, names: Iterable[str], wanted: str) -> list[str]:
    """The stems of the named threads that the filter selects, or of all it selects where none are named.

    Raises:
        UsageError: neither names nor a filter, a thread that is not there, or nothing is selected.
    """
    from core.storage.thread_files import exists

    stems = list(dict.fromkeys(map(stem_of, names)))
    if not stems and not wanted.strip():
        raise UsageError("name threads, or select them with --filter (`sensorloom list --filter …` shows which)")
    for stem in stems:
        if not exists(workspace.threads, stem):
            raise UsageError(f"there is no thread {stem!r} in {workspace.shown(workspace.threads)}")
    if not wanted.strip():
        return stems
    matching = selected(workspace, wanted, set(stems))
    if not matching:
        raise UsageError(f"no thread matches the filter {wanted!r}")
    return matching


def selected(workspace: Workspace, wanted: str, among: Set[str] = frozenset()) -> list[str]:
    """The stems of the threads that a filter selects, all or among some. Raises FilterError."""
    from core.filters.language import parse, select
    from core.listing.index import summaries

    condition = parse(wanted, workspace)
    listed = [summary for summary in summaries(workspace) if not among or summary.stem in among]
    return [summary.stem for summary in select(workspace.threads, listed, condition)]


def turn_number(stored: Stored, number: int) -> Turn:
    """The assistant turn of this number, from 1; 0 is the question. Raises UsageError."""
    from core.curate.editing import numbered_turn

    return numbered_turn(stored, number)


def tell_dry_run(stems: Sequence[str], what: str, as_json: bool) -> int:
    """Say which threads it would be."""
    if as_json:
        print_json({"action": what, "dry_run": True, "threads": list(stems)})
    else:
        for stem in stems:
            say(stem)
        say(f"{what}: would be {threads(len(stems))}; nothing was changed")
    return 0


def tell(stems: Sequence[str], done: Bulk, what: str, as_json: bool) -> int:
    """Say what was done to several threads. Returns the exit code."""
    as_it_was = len(stems) - len(done.changed) - len(done.problems)
    if as_json:
        told: dict[str, Any] = {"action": what, "selected": len(stems), "changed": list(done.changed)}
        print_json({**told, "unchanged": as_it_was, "problems": list(done.problems)})
    else:
        same = f", {as_it_was} unchanged" if as_it_was else ""
        say(f"{what}: {threads(len(done.changed))}{same}")
    for problem in done.problems:
        say(f"sensorloom: {problem}", err=True)
    return 1 if done.problems else 0


def threads(count: int) -> str:
    """So many threads."""
    return "1 thread" if count == 1 else f"{count} threads"
