"""What the open thread, its proposals and its alternatives are compared with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from core.errors import SensorloomError
from core.storage.store import read
from core.thread.compare import first_difference
from core.thread.lineage import lineage
from core.thread.turns import turn_at
from core.thread.value import Message, Thread
from tui.open_thread.open_thread import OpenThread
from tui.open_thread.thread_work import ThreadWork
from tui.widgets.compare_lines import MOST_SIDES, Side

if TYPE_CHECKING:
    from core.thread.summary import Summary


class Comparing:
    """Finds what is worth comparing where the focus is, and shows it."""

    def __init__(
        self,
        thread: OpenThread,
        summaries: Callable[[], Iterable[Summary]],
        marked: Callable[[], Iterable[str]],
        show: Callable[[Sequence[Side], int, int], None],
    ) -> None:
        """Finds what to compare.

        Args:
            thread: the open thread.
            summaries: gives those of all threads.
            marked: gives the stems of the marked ones.
            show: shows several conversations, the two that are named by their numbers side by side.
        """
        self._thread = thread
        self._summaries = summaries
        self._marked = marked
        self._show = show

    def compare(self) -> None:
        """Two marked threads; or the shown proposal and the others; or the focused turn and its alternatives;
        or this thread and its branches."""
        work = self._thread.work
        if work is not None:
            self._thread.do(partial(self._compare, work))

    async def _compare(self, work: ThreadWork) -> None:
        marked = sorted(self._marked())
        focus = self._thread.conversation.index
        thread = work.stored.thread
        if len(marked) == 2:
            sides, left = await self._threads(marked), 0
        elif work.proposals:
            sides, left = _proposals(work)
        else:
            sides = _alternatives(thread, focus, here=True)
            left = 0
            sides = sides or await self._branches(work, focus) or _alternatives(thread, focus)
        if len(sides) < 2:
            self._thread.say(
                "nothing to compare with: no proposal, branch or alternative here, and no two marked threads"
            )
            return
        others = [number for number in range(len(sides)) if number != left]
        unlike = (number for number in others if first_difference(sides[left][1], sides[number][1]) is not None)
        self._show(sides, left, next(unlike, others[0]))

    async def _branches(self, work: ThreadWork, focus: int) -> list[Side]:
        """This thread, then those that part from it at the fork nearest to the focus, then those further off."""
        stem = work.stored.stem
        family = await asyncio.to_thread(lineage, list(self._summaries()))
        forks = sorted(family.forks(stem), key=lambda fork: abs(fork.position - focus))
        others = dict.fromkeys(member for fork in forks for member in fork.members if member != stem)
        here: Side = (stem, list(work.stored.thread.messages))
        return [here, *await self._threads(list(others)[: MOST_SIDES - 1])] if others else []

    async def _threads(self, stems: Sequence[str]) -> list[Side]:
        sides: list[Side] = []
        for stem in stems:
            try:
                stored = await asyncio.to_thread(read, self._thread.workspace.threads, stem)
            except SensorloomError as error:
                self._thread.say(str(error), "warning")
                continue
            sides.append((stem, list(stored.thread.messages)))
        return sides


def _proposals(work: ThreadWork) -> tuple[list[Side], int]:
    """The proposals in their order, then the alternatives at the same position; and which is shown."""
    proposals = work.proposals
    several = len(proposals) > 1
    sides: list[Side] = [
        (f"proposal {number}" if several else "proposal", list(proposal.messages))
        for number, proposal in enumerate(proposals, 1)
    ]
    alternatives = _at(work.stored.thread, proposals[0].position)
    shown = work.shown
    return [*sides, *alternatives], proposals.index(shown) if shown in proposals else 0


def _alternatives(thread: Thread, focus: int, *, here: bool = False) -> list[Side]:
    """A turn and its alternatives: the focused turn, or the nearest that has some unless it must be `here`."""
    count = len(thread.messages)
    focused = turn_at(thread, focus).start if focus < count else count
    positions = {alternative.get("position") for alternative in thread.alternatives}
    near = (position for position in positions if isinstance(position, int) and position <= count)
    position = min(near, key=lambda position: abs(position - focused), default=None)
    if position is None or (here and position != focused):
        return []
    end = turn_at(thread, position).end if position < count else count
    present: list[Message] = list(thread.messages[position:end])
    sides: list[Side] = [("in the thread", present)] if present else []
    return [*sides, *_at(thread, position)]


def _at(thread: Thread, position: int) -> list[Side]:
    """The alternatives at a position, the newest first."""
    return [
        _side(alternative) for alternative in reversed(thread.alternatives) if alternative.get("position") == position
    ]


def _side(alternative: Mapping[str, Any]) -> Side:
    messages = alternative.get("messages")
    name = f"alternative, {alternative.get('reason', 'kept')}"
    return name, list(messages) if isinstance(messages, list) else []
