"""Many items of work, each done by itself: what who gives them out and who does them agree on.

A *job* is a function of a few items that returns a result for each, in their order; an *opener* makes it, once in each
process that does items. One job serves all places: this process, others of this machine (`core.processes.pool`), and
the machines of a cluster (`core.cluster.blocks`), for which its items hold all that it needs of files.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Undone:
    """In the place of a result: the item could not be done."""

    reason: str


class Spread(Protocol):
    """Does items in other places, with results in their order."""

    def __call__(
        self,
        opener: Callable[..., Callable[[Sequence[Item]], Sequence[Result]]],
        setup: tuple[Any, ...],
        items: Iterable[Item],
        count: int,
    ) -> Generator[list[Result | Undone]]:
        """Yields the results as they become whole, some at a time; ends early where it was stopped.

        Args:
            opener: a function of a module; it is called with the workspace of where the job is done, then with `setup`.
            setup: what the job needs beside; pickled.
            items: what it is called with; pickled. They are taken as they are needed.
            count: how many they are.
        """
        ...
