"""The open thread: which it is, what is under way with it and others, and what every action on it shares.

It knows none of its users: runs, proposals, edits, branches and checks are composed with it in `tui/screens/parts.py`.
Everything that reads, saves or asks a model is a function of `core`, called off the screen's loop. Actions are
carried out one after the other, so that a key pressed twice acts on what the first press left.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from textual.screen import Screen

from core import curate
from core.errors import ConflictError, SensorloomError
from core.storage.store import Stored
from core.text import one_line
from core.thread.review import truth_hidden, verdict_of
from core.thread.stale import stale_messages
from core.workspace import Workspace
from tui.local_keys import keys_of
from tui.open_thread.thread_work import LiveTurn, ThreadWork
from tui.widgets.conversation import Conversation, first_look
from tui.widgets.conversation_layout import ReadingPlace
from tui.widgets.conversation_parts import Look
from tui.widgets.sensors import Sensors

TICK_SECONDS = 1.0
"""How often the seconds of a running turn are counted up."""

AT_QUESTION = ReadingPlace(0, 0, frozenset(), frozenset(), at_end=False)

Save = Callable[..., Stored]
Situation = Literal["conversation", "running", "proposal", "stale"]
"""What the keys act on."""


@dataclass(slots=True)
class Listeners:
    """Who is told of what happens to the open thread; all are called on the screen's loop."""

    opened: Callable[[ThreadWork], None]
    """Another thread is open, or the same one was read anew."""
    leaving: Callable[[], None]
    """Another thread, or none, is about to be shown."""
    saved: Callable[[Stored], None]
    """A thread was saved by an action or a run."""
    conflict: Callable[[ThreadWork, Stored], None]
    """Another program changed the messages of the open thread while a proposal waits; the second is what was seen."""
    situation: Callable[[Situation], None]


class OpenThread:
    """Owns what is open. Lives on a screen, in whose workers its blocking work runs."""

    listeners: Listeners

    def __init__(self, screen: Screen[Any], workspace: Workspace, conversation: Conversation, sensors: Sensors) -> None:
        self.screen = screen
        self.workspace = workspace
        self.conversation = conversation
        self.sensors = sensors
        self._works: dict[str, ThreadWork] = {}
        self._places: dict[str, ReadingPlace] = {}
        self._stem = ""
        self._situation: Situation | None = None
        self.expected: tuple[str, int] | None = None
        """A thread, by its stem, and the message that is put in focus when it opens."""
        self._in_order = asyncio.Lock()
        self._ticker = screen.set_interval(TICK_SECONDS, self._draw_running, pause=True)
        self.keys = keys_of(screen)
        """What sentences call the keys."""

    @property
    def work(self) -> ThreadWork | None:
        """The open thread with what is under way."""
        return self._works.get(self._stem)

    def under_way(self, stem: str) -> ThreadWork | None:
        """A thread that is open, or that something is under way with."""
        return self._works.get(stem)

    @property
    def staying(self) -> frozenset[str]:
        """Stems of the open thread and of those that something is under way with: nobody loses sight of them."""
        return frozenset(stem for stem, work in self._works.items() if stem == self._stem or not work.idle)

    @property
    def waiting(self) -> frozenset[str]:
        """Stems of the threads in which a proposal waits for a decision."""
        return frozenset(stem for stem, work in self._works.items() if work.proposals)

    def work_on(self, seen: Stored) -> ThreadWork:
        """What is under way with a thread that was read, which may no longer be the open one."""
        return self._works.get(seen.stem) or ThreadWork(seen)

    # Which thread is open

    def open(self, stored: Stored) -> None:
        """Show a thread that was read; what is under way with the one before goes on. One that is open already stays
        where the reader is: the cursor came back to it before another was read."""
        again = self._stem == stored.stem
        if not again:
            self._leave()
        self._stem = stored.stem
        work = self._works.setdefault(stored.stem, ThreadWork(stored))
        if not work.busy:
            work.renew(stored)
        look = look_at(work, first_look(self.conversation))
        before = self.conversation.reading_place if again else self._places.get(stored.stem)
        if before is None and work.idle and _begins_at_question(stored):
            before = AT_QUESTION
        self.conversation.open(work.stored.thread, look, before)
        if self.expected is not None and self.expected[0] == stored.stem:
            self.conversation.focus_message(self.expected[1])
            self.expected = None
        self.show(work)
        self.listeners.opened(work)

    def close(self, why: str = "") -> None:
        """Show no thread, and say why."""
        self._leave()
        self._stem = ""
        self.conversation.clear(why)
        self.sensors.clear()
        self._situate("conversation")

    def _leave(self) -> None:
        """Remember where the reader was in the thread that was open; what is under way with it goes on."""
        work = self.work
        if work is None:
            return
        self.listeners.leaving()
        if self.conversation.thread is not None:
            self._places[self._stem] = self.conversation.reading_place
        if work.idle:
            del self._works[self._stem]

    def changed(self, stems: Sequence[str], threads: Iterable[Stored] = ()) -> None:
        """Look again at threads of ours whose files changed; some of them were read already."""
        read = {stored.stem: stored for stored in threads}
        for stem in stems:
            if stem in self._works:
                self.do(partial(self.reread, stem, read.get(stem)))

    async def reread(self, stem: str, read: Stored | None = None) -> None:
        """Take what another program made of a thread's file, which may have been read already."""
        work = self._works.get(stem)
        if work is None or work.busy:
            return  # a run sees for itself whether its file is still what it read
        try:
            stored = await asyncio.to_thread(curate.take_theirs, self.workspace, work.stored, read)
        except SensorloomError as error:
            if work.idle and work is not self.work:
                self._works.pop(stem, None)  # it may have been left, and forgotten, while the file was read
            else:
                self.say(f"{error}; what is shown is what was last read", "warning")
            return
        if stored.digest == work.stored.digest:
            return
        seen = work.stored
        work.renew(stored)
        self.show(work)
        if work.proposals and work is self.work and seen.thread.messages != stored.thread.messages:
            self.listeners.conflict(work, seen)

    # What all actions share

    def do(self, action: Callable[[], Awaitable[None]]) -> None:
        """Carry out an action after those that were asked for before it."""

        async def in_order() -> None:
            async with self._in_order:
                await action()

        self.screen.run_worker(in_order, group="turns")

    async def save(self, work: ThreadWork, function: Save, *arguments: Any) -> bool:
        """Call one of `core.curate`'s actions on the thread and show what it gave back; False when it could not."""
        try:
            stored = await asyncio.to_thread(function, self.workspace, work.stored, *arguments)
        except ConflictError as error:
            self.say(f"{error}; nothing was overwritten", "warning")
            await self.reread(work.stored.stem)
            return False
        except SensorloomError as error:
            self.say(str(error), "error")
            return False
        self.replaced(work, stored)
        return True

    def say(self, text: str, severity: Any = "information") -> None:
        """A notice. Whatever it holds is shown as it stands."""
        self.screen.notify(one_line(text, 400), severity=severity, markup=False)

    def focused(self, index: int) -> None:
        """Let the sensors follow the focused message."""
        work = self.work
        if work is not None:
            self.sensors.show(work.stored.thread, index, blind=label_hidden(self))

    def replaced(self, work: ThreadWork, stored: Stored) -> None:
        """Take a value of the thread that was saved in another way than by `save`."""
        work.renew(stored)
        self.tell_saved(stored)
        self.show(work)

    def tell_saved(self, stored: Stored) -> None:
        """A thread was saved, the open one or another: say so once what is being done here is done."""
        self.screen.call_later(self.listeners.saved, stored)

    def show(self, work: ThreadWork) -> None:
        """Draw the thread if it is the open one, and say what the keys now act on."""
        if any(other.busy for other in self._works.values()):
            self._ticker.resume()
        else:
            self._ticker.pause()
        if work is not self.work:
            return
        if self.conversation.thread is not None:
            self.conversation.show(work.stored.thread, look_at(work, self.conversation.look))
        self.focused(self.conversation.index)
        if work.busy:
            self._situate("running")
        elif work.slots:
            self._situate("proposal")
        else:
            self._situate("stale" if stale_messages(work.stored.thread) else "conversation")

    def _situate(self, situation: Situation) -> None:
        if situation != self._situation:
            self._situation = situation
            self.listeners.situation(situation)

    def _draw_running(self) -> None:
        work = self.work
        if work is not None and any(isinstance(slot, LiveTurn) for slot in work.slots.values()):
            self.conversation.show(work.stored.thread, look_at(work, self.conversation.look))


def _question(work: ThreadWork) -> str:
    """What was asked, where an answer is there to be judged by it."""
    thread = work.stored.thread
    return one_line(thread.question, 400) if not work.slots and thread.status == "finished" else ""


def _begins_at_question(stored: Stored) -> bool:
    """Whether a thread is read from its question: one that is finished and not judged."""
    return not verdict_of(stored.thread) and stored.thread.status == "finished"


def look_at(work: ThreadWork, look: Look) -> Look:
    """How the conversation looks with what is under way."""
    return replace(
        look,
        seconds=work.seconds,
        replays=work.replays,
        forks=work.forks,
        question=_question(work),
        unsaved=work.unsaved,
        drafts=work.drafts(time.monotonic()),
        chosen=work.chosen,
    )


def label_hidden(thread: OpenThread) -> bool:
    """Whether the label of its session is not to be shown."""
    verdict = verdict_of(thread.work.stored.thread) if thread.work is not None else ""
    return truth_hidden(verdict, blind=thread.conversation.look.blind)
