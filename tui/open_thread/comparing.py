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
from tui.open_thread.turn_actions import TurnActions
from tui.open_thread.turn_state import ThreadWork
from tui.screens.compare import MOST_SIDES, CompareScreen, Side

if TYPE_CHECKING:
    from core.thread.summary import Summary


class Comparing:
    """Finds what is worth comparing where the focus is, and shows it."""

    def __init__(
        self, turns: TurnActions, known: Callable[[], Iterable[Summary]], marked: Callable[[], Iterable[str]]
    ) -> None:
        """Args: `known` gives the summaries of all threads, `marked` the stems of those that are marked."""
        self._turns = turns
        self._known = known
        self._marked = marked

    def compare(self) -> None:
        """Two marked threads; or the shown proposal and the others; or the focused turn and its alternatives;
        or this thread and its branches."""
        work = self._turns.work
        if work is not None:
            self._turns.do(partial(self._compare, work))

    async def _compare(self, work: ThreadWork) -> None:
        marked = sorted(self._marked())
        focus = self._turns.conversation.index
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
            self._turns.say(
                "nothing to compare with: no proposal, branch or alternative here, and no two marked threads"
            )
            return
        others = [place for place in range(len(sides)) if place != left]
        unlike = (place for place in others if first_difference(sides[left][1], sides[place][1]) is not None)
        self.show(sides, left, next(unlike, others[0]))

    def show(self, sides: Sequence[Side], left: int = 0, right: int = 1) -> None:
        """Several conversations, two of them side by side."""
        self._turns.screen.app.push_screen(CompareScreen(sides, left, right))

    async def _branches(self, work: ThreadWork, focus: int) -> list[Side]:
        """This thread, then those that part from it at the fork nearest to the focus, then those further off."""
        stem = work.stored.stem
        found = await asyncio.to_thread(lineage, list(self._known()))
        forks = sorted(found.forks(stem), key=lambda fork: abs(fork.position - focus))
        others = dict.fromkeys(one for fork in forks for one in fork.members if one != stem)
        here: Side = (stem, list(work.stored.thread.messages))
        return [here, *await self._threads(list(others)[: MOST_SIDES - 1])] if others else []

    async def _threads(self, stems: Sequence[str]) -> list[Side]:
        sides: list[Side] = []
        for stem in stems:
            try:
                stored = await asyncio.to_thread(read, self._turns.workspace.threads, stem)
            except SensorloomError as error:
                self._turns.say(str(error), "warning")
                continue
            sides.append((stem, list(stored.thread.messages)))
        return sides


def _proposals(work: ThreadWork) -> tuple[list[Side], int]:
    """The proposals in their order, then the alternatives at their place; and which is shown."""
    proposals = work.proposals
    several = len(proposals) > 1
    sides: list[Side] = [
        (f"proposal {number}" if several else "proposal", list(one.messages)) for number, one in enumerate(proposals, 1)
    ]
    kept = [one for one in work.stored.thread.alternatives if one.get("position") == proposals[0].position]
    shown = work.shown
    return [*sides, *map(_alternative, reversed(kept))], proposals.index(shown) if shown in proposals else 0


def _alternatives(thread: Thread, focus: int, *, here: bool = False) -> list[Side]:
    """A turn and its alternatives: the focused turn, or the nearest that has some unless it must be `here`."""
    count = len(thread.messages)
    focused = turn_at(thread, focus).start if focus < count else count
    places = {place for one in thread.alternatives if isinstance(place := one.get("position"), int) and place <= count}
    place = min(places, key=lambda place: abs(place - focused), default=None)
    if place is None or (here and place != focused):
        return []
    kept = [one for one in thread.alternatives if one.get("position") == place]
    end = turn_at(thread, place).end if place < count else count
    in_place: list[Message] = list(thread.messages[place:end])
    sides: list[Side] = [("in the thread", in_place)] if in_place else []
    return [*sides, *map(_alternative, reversed(kept))]


def _alternative(one: Mapping[str, Any]) -> Side:
    messages = one.get("messages")
    name = f"alternative, {one.get('reason', 'kept')}"
    return name, list(messages) if isinstance(messages, list) else []
