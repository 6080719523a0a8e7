"""Large jobs on all cores: parts of one go to processes, the results come back in order.

The processes are those of `concurrent.futures`. Making 24,000 rows of the profile `hf` took 23 s of CPU time here and
in two processes alike, so each further core counts in full; what leaves undecoded (`openai_v1`) took 1.8 s here and
3.7 s with processes, and is done here. `python -m tests.bench.threads FOLDER 40000` makes the threads; `time sensorloom
export --workspace FOLDER --profile hf`, with and without `taskset -c 0` before it, prints the figures.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from itertools import chain, islice
from typing import Any, TypeVar

from core.errors import SensorloomError, system_reason
from core.processes.starting import cores, fresh, settle

Item = TypeVar("Item")
Part = TypeVar("Part")
Result = TypeVar("Result")


class NoProcessError(SensorloomError):
    """A process cannot be started, or was killed."""


_MOST = 8
"""Processes at most: beyond, the parent that takes the results is what one waits for."""
_AHEAD = 2
"""Parts that each process may have before it: what bounds memory."""


def in_order(
    opener: Callable[..., Callable[[Part], Result]],
    setup: tuple[Any, ...],
    parts: Iterable[Part],
    processes: int | None = None,
) -> Generator[Result]:
    """Do `parts` in processes; yields their results in the order of the parts. With one process, does them here.

    No more parts are taken than are soon done. Close the generator to stop: what is under way is waited for.

    Args:
        opener: a function of a module; called in each process with `setup`, it returns the job.
        setup: what the job needs; pickled.
        parts: what the job is called with; pickled, as its results are.
        processes: how many; None for one on each core, up to a few.

    Raises:
        NoProcessError: a process cannot be started, or was killed. What a job raises is raised here.
    """
    count = min(cores(), _MOST) if processes is None else processes
    if count < 2:
        yield from each_here(opener, setup, parts)
        return
    pool = ProcessPoolExecutor(count, fresh(opener.__module__), _open, (opener, setup))
    waiting: deque[Future[Result]] = deque()
    try:
        for part in parts:
            waiting.append(_submitted(pool, part))
            if len(waiting) > _AHEAD * count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        sentence = "a process that did a part of the work ended early; perhaps there was no memory left for it"
        raise NoProcessError(sentence) from error
    finally:
        pool.shutdown(cancel_futures=True)


def in_parts(
    opener: Callable[..., Callable[[list[Item]], Result]],
    setup: tuple[Any, ...],
    items: Iterable[Item],
    size: int,
    processes: int | None = None,
) -> Generator[tuple[list[Item], Result]]:
    """Do items in parts of `size`, in processes as `in_order` does; yields each part with what its
    job returned. Where a process cannot be started, or was ended, the rest is done here."""
    left = iter(items)
    parts = iter(lambda: list(islice(left, size)), [])
    out: deque[list[Item]] = deque()

    def noted() -> Generator[list[Item]]:
        for part in parts:
            out.append(part)
            yield part

    if processes != 1:
        try:
            with closing(in_order(opener, setup, noted(), processes)) as results:
                for result in results:
                    yield out.popleft(), result
            return
        except NoProcessError:
            pass
    job = opener(*setup)
    for part in chain([*out], parts):
        yield part, job(part)


def taken_out(items: list[Item], size: int) -> Generator[list[Item]]:
    """The items in parts of `size`, each taken out of the list, so that of very many only those are in memory that have
    not had their turn. The list is turned around meanwhile, and empty in the end."""
    items.reverse()
    while items:
        part = items[: -size - 1 : -1]
        del items[-size:]
        yield part


def _submitted(pool: ProcessPoolExecutor, part: Any) -> Future[Any]:
    try:
        return pool.submit(_work, part)
    except OSError as error:
        raise NoProcessError(f"cannot start a process: {system_reason(error)}") from error


def each_here(
    opener: Callable[..., Callable[[Part], Result]], setup: tuple[Any, ...], parts: Iterable[Part]
) -> Generator[Result]:
    """The same without another process."""
    yield from map(opener(*setup), parts)


_jobs: list[Callable[[Any], Any]] = []
"""The one job of each process."""


def _open(opener: Callable[..., Callable[[Any], Any]], setup: tuple[Any, ...]) -> None:
    settle()
    _jobs.append(opener(*setup))


def _work(part: Any) -> Any:
    return _jobs[0](part)
