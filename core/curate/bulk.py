"""One action on several threads: one step, made on many of them at once.

A step waits for the disk a few times before its thread's file changes. Those waits cost the same for one thread as for
a dozen that wait at the same time, so threads are done side by side, each with its own history as safe as ever.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from typing import TypeVar

from core.errors import SensorloomError
from core.storage import history, store
from core.storage.atomic import clear_half_written
from core.workspace import Workspace

SIDE_BY_SIDE = 16
UNDER_ONE_LOCK = 128
"""Threads that are done before another program of ours gets its turn to write in the folder."""
_PAUSE_SECONDS = 0.02
"""Twice as long as a writer waits between two looks at the lock (`store.locked`)."""

Progress = Callable[[int, int], None]
"""Told how many threads are done, and of how many."""
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Bulk:
    """What an action on several threads did. One undo of any of them takes all of it back."""

    changed: tuple[str, ...]
    """The stems of the threads that changed."""
    problems: tuple[str, ...] = ()
    """One sentence for each thread that could not be changed."""


def as_one_step(
    workspace: Workspace, stems: Iterable[str], act: Callable[[str, str], bool], progress: Progress | None = None
) -> Bulk:
    """Call `act(stem, group)` for each thread; what it records under `group` is one step. It says whether it changed
    anything; a thread it fails for is reported and does not stop the rest."""
    chosen = list(dict.fromkeys(stems))
    group = history.new_group() if len(chosen) > 1 else ""
    if group:
        history.keep_group(workspace, group, chosen)
    changed: list[str] = []
    problems: list[str] = []
    for stem, done in for_each(workspace, chosen, lambda stem: act(stem, group), progress):
        if isinstance(done, SensorloomError):
            problems.append(str(done))
        elif done:
            changed.append(stem)
    return Bulk(tuple(changed), tuple(problems))


def for_each(
    workspace: Workspace,
    stems: Sequence[str],
    act: Callable[[str], _Result],
    progress: Progress | None = None,
    under_one_lock: int = UNDER_ONE_LOCK,
) -> Iterator[tuple[str, _Result | SensorloomError]]:
    """Call `act` for each thread under the folder's lock, many at once; what it returned or failed with, in order.
    After every `under_one_lock` of them others have a turn, and `progress` is told."""
    if len(stems) <= 1:
        yield from ((stem, _tried(act, stem)) for stem in stems)
        return
    try:
        with store.locked(workspace.threads):
            clear_half_written(workspace.threads)
    except SensorloomError as error:
        yield from ((stem, error) for stem in stems)
        return
    with ThreadPoolExecutor(min(SIDE_BY_SIDE, len(stems))) as pool:
        for start in range(0, len(stems), under_one_lock):
            if start:
                time.sleep(_PAUSE_SECONDS)
            block = stems[start : start + under_one_lock]
            yield from zip(block, _block(pool, workspace, block, act), strict=True)
            if progress is not None:
                progress(start + len(block), len(stems))


def _block(
    pool: ThreadPoolExecutor, workspace: Workspace, stems: Sequence[str], act: Callable[[str], _Result]
) -> list[_Result | SensorloomError]:
    try:
        with store.locked(workspace.threads):
            waiting = [pool.submit(copy_context().run, _tried, act, stem) for stem in stems]
            try:
                return [future.result() for future in waiting]
            finally:  # when stopped, what has begun still ends under the lock
                for future in waiting:
                    future.cancel()
                wait(waiting)
    except SensorloomError as error:
        return [error for _ in stems]


def _tried(act: Callable[[str], _Result], stem: str) -> _Result | SensorloomError:
    try:
        return act(stem)
    except SensorloomError as error:
        return error
