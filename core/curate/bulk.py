"""One action on several threads: one step, made on many of them at once.

A step waits for the disk a few times before its thread's file changes. Those waits cost the same for one thread as for
a dozen that wait at the same time, so threads are done side by side, each under its own lock and with its own history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TypeVar

from core.errors import SensorloomError
from core.storage import history
from core.storage.atomic import clear_half_written
from core.workspace import Workspace

SIDE_BY_SIDE = 16
A_BLOCK = 128
"""Threads between two words to `progress`."""
ABANDONED_SEC = 600.0
"""What is half written for so long, nobody is writing any more."""

Progress = Callable[[int, int], None]
"""Told how many threads are done, and of how many."""
Ahead = Callable[[Sequence[str]], object]
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Bulk:
    """What an action on several threads did. One undo of any of them takes all of it back."""

    changed: tuple[str, ...]
    """The stems of the threads that changed."""
    problems: tuple[str, ...] = ()
    """One sentence for each thread that could not be changed."""


def as_one_step(
    workspace: Workspace,
    stems: Iterable[str],
    act: Callable[[str, str], bool],
    progress: Progress | None = None,
    *,
    ahead: Ahead | None = None,
) -> Bulk:
    """Call `act(stem, group)` for each thread; what it records under `group` is one step. It says whether it changed
    anything; a thread it fails for is reported and does not stop the rest. `ahead` is called as in `for_each`."""
    chosen = list(dict.fromkeys(stems))
    group = history.new_group() if len(chosen) > 1 else ""
    if group:
        history.keep_group(workspace, group, chosen)
    changed: list[str] = []
    problems: list[str] = []
    for stem, done in for_each(workspace, chosen, lambda stem: act(stem, group), progress, ahead=ahead):
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
    *,
    ahead: Ahead | None = None,
) -> Iterator[tuple[str, _Result | SensorloomError]]:
    """Call `act` for each thread, many at once; what it returned or failed with, in order. `ahead` is called with those
    that come next, a block at a time, when all before them are done."""
    if len(stems) <= 1:
        if ahead is not None:
            ahead(stems)
        yield from ((stem, _tried(act, stem)) for stem in stems)
        return
    clear_half_written(workspace.threads, ABANDONED_SEC)
    with ThreadPoolExecutor(min(SIDE_BY_SIDE, len(stems))) as pool:
        for start in range(0, len(stems), A_BLOCK):
            block = stems[start : start + A_BLOCK]
            if ahead is not None:
                ahead(block)
            yield from zip(block, _block(pool, block, act), strict=True)
            if progress is not None:
                progress(start + len(block), len(stems))


def _block(
    pool: ThreadPoolExecutor, stems: Sequence[str], act: Callable[[str], _Result]
) -> list[_Result | SensorloomError]:
    waiting = [pool.submit(_tried, act, stem) for stem in stems]
    try:
        return [future.result() for future in waiting]
    finally:  # when stopped, what has begun still ends
        for future in waiting:
            future.cancel()
        wait(waiting)


def _tried(act: Callable[[str], _Result], stem: str) -> _Result | SensorloomError:
    try:
        return act(stem)
    except SensorloomError as error:
        return error
