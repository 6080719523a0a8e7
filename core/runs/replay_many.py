"""Many threads replayed: here, in processes of this machine, or on a cluster, with the same job."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from core.errors import ThreadError
from core.processes.items import Spread, Undone
from core.runs.own_tools import ToolsFile, files_of
from core.runs.replay import ReplayedCall, replay
from core.runs.toolbox import toolbox_of
from core.storage.thread_files import path_of, read_bytes
from core.thread.json_form import decode
from core.workspace import Workspace
from tools.registry import Tool

PART = 8
"""Threads a process replays in one go."""
MANY = 60
"""Threads from which processes are worth starting: one to two seconds of work."""

Replayed = tuple[ReplayedCall, ...]


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A thread's file as it was read."""

    stem: str
    data: bytes = b""
    problem: str = ""
    """Why it could not be read; empty where it was."""


def replayer(workspace: Workspace, files: Sequence[ToolsFile]) -> Callable[[Sequence[ReadFile]], list[Replayed | str]]:
    """The job (`core.processes.items`) that replays threads with the tools of these files: what became of each call, or
    why the thread cannot be read. Of calls that give the same, the results are left out."""
    tools = toolbox_of(files).tools
    return lambda threads: [_replayed(workspace, tools, thread) for thread in threads]


def replay_many(
    workspace: Workspace, stems: Sequence[str], spread: Spread | None = None
) -> Generator[tuple[str, Replayed | str | Undone]]:
    """Replay stored threads, many on all cores.

    Args:
        workspace: where they are.
        stems: which.
        spread: does it elsewhere than in processes of this machine.

    Yields:
        Each stem with what became of its calls, why it cannot be read, or that nobody could replay it.
    """
    files = tuple(files_of(workspace))
    threads = (_file_of(workspace, stem) for stem in stems)
    if spread is None:
        yield from zip(stems, _here(workspace, files, threads, len(stems)), strict=True)
        return
    tools: Sequence[Tool] | None = None
    left = iter(stems)
    with closing(spread(replayer, (files,), threads, len(stems))) as parts:
        for part in parts:
            for outcome, stem in zip(part, left, strict=False):
                if not isinstance(outcome, (str, Undone)) and any(call.status == "cannot" for call in outcome):
                    # why may name a place, which is another one there; and a dataset that is not here was not sent
                    tools = tools or toolbox_of(files).tools
                    outcome = _replayed(workspace, tools, _file_of(workspace, stem))
                yield stem, outcome


def _here(
    workspace: Workspace, files: Sequence[ToolsFile], threads: Iterable[ReadFile], count: int
) -> Generator[Replayed | str]:
    from core.processes.pool import in_parts

    with closing(in_parts(replayer, (workspace, files), threads, PART, None if count >= MANY else 1)) as parts:
        for _, outcomes in parts:
            yield from outcomes


def _file_of(workspace: Workspace, stem: str) -> ReadFile:
    try:
        return ReadFile(stem, read_bytes(path_of(workspace.threads, stem)))
    except ThreadError as error:
        return ReadFile(stem, problem=str(error))


def _replayed(workspace: Workspace, tools: Sequence[Tool], file: ReadFile) -> Replayed | str:
    if file.problem:
        return file.problem
    try:
        thread = decode(file.data, f"{file.stem}.json")
    except ThreadError as error:
        return str(error)
    calls = replay(workspace, thread, tools)
    return tuple(replace(call, stored="", now="") if call.status == "same" else call for call in calls)
