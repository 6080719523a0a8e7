"""What the checks find in the open thread: counted on its frame, walked by one key, fixed by another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual.content import Content
from textual.message import Message
from textual.screen import Screen

from core.storage.store import Stored
from core.text import one_line
from core.workspace import Workspace
from tui.open_thread.turn_actions import TurnActions
from tui.open_thread.turn_state import ThreadWork
from tui.thread_list.duplicates import Repeats
from tui.widgets.pane import Pane
from tui.widgets.plain import Plain

if TYPE_CHECKING:
    from core.lint import Finding
    from core.listing.row_status import Survey

QUIET_SECONDS = 0.25
"""How long a thread must have been open before it is checked."""


class Findings:
    """Checks the open thread, off the screen's loop. Lives on the screen of its turns."""

    @dataclass
    class Found(Message):
        """A thread was checked."""

        stored: Stored
        findings: tuple[Finding, ...]

    def __init__(
        self,
        screen: Screen[None],
        workspace: Workspace,
        turns: TurnActions,
        pane: Pane,
        line: Plain,
        repeats: Repeats,
    ) -> None:
        """Args: `pane` is the conversation's frame, `line` says one finding at a time."""
        self._repeats = repeats
        self._screen = screen
        self._turns = turns
        self._pane = pane
        self._line = line
        self._workspace = workspace
        self._survey: Survey | None = None
        self._own: Findings.Found | None = None
        """What was found in the thread on its own."""
        self._checked: Findings.Found | None = None
        """The same, with what it repeats."""
        self._place = -1
        self._asked = False
        """Whether a finding was asked for before the thread was checked."""
        self._timer = screen.set_interval(QUIET_SECONDS, self._begin, pause=True)

    def handlers(self) -> Mapping[str, Callable[[], None]]:
        """What each of the actions does."""
        return {"check.next": self.next, "check.fix": self.fix}

    def opened(self) -> None:
        """Another thread is open, or another value of it."""
        work = self._turns.work
        if self._checked is not None and (work is None or work.stored.stem != self._checked.stored.stem):
            self._checked, self._place, self._asked = None, -1, False
            self._hide()
            self._pane.footnote("")
        self._timer.reset()
        self._timer.resume()

    def compare(self, stems: Container[str]) -> None:
        """Of these threads it is known anew what they repeat."""
        if self._own is not None and self._own.stored.stem in stems:
            self.take(self._own)

    def take(self, event: Found) -> None:
        """Count what was found on the frame."""
        work = self._turns.work
        if work is None or work.stored.digest != event.stored.digest:
            return
        repeated = self._repeats.of(event.stored.stem)
        findings = event.findings if repeated is None else (*event.findings, repeated)
        self._own, self._checked = event, self.Found(event.stored, findings)
        count, fixable = len(findings), sum(one.fixable for one in findings)
        fix = f", ctrl+f fixes {fixable}" if fixable else ""
        self._pane.footnote(f"{count} finding{'s' if count > 1 else ''}: ! shows{fix}" if count else "")
        if self._asked:
            self._asked = False
            self.next()
        elif self._line.display:
            self._place = min(self._place, count - 1)
            self._show(findings) if count else self._hide()

    def next(self) -> None:
        """Go to the next finding, and say what it is and what would put it right."""
        checked = self._checked
        if self._turns.work is None:
            return
        if checked is None:
            self._asked = True
            self._begin()
        elif not checked.findings:
            self._turns.say("the checks find nothing in this thread")
        elif self._place + 1 >= len(checked.findings) and self._line.display:
            self._place = -1
            self._hide()
        else:
            self._place = (self._place + 1) % len(checked.findings)
            self._show(checked.findings)

    def fix(self) -> None:
        """Put right what needs no decision, as one step that undo takes back."""
        work = self._turns.work
        if work is None:
            return
        if self._checked is not None and not any(one.fixable for one in self._checked.findings):
            self._turns.say("nothing here can be put right without a decision; ! says how, one by one")
        elif work.busy:
            self._turns.say("this thread is running; esc stops it")
        else:
            self._turns.do(partial(self._fix, work))

    async def _fix(self, work: ThreadWork) -> None:
        from core.lint.folder import fix_stored

        before = work.stored.digest
        count = sum(one.fixable for one in self._checked.findings) if self._checked is not None else 0
        if await self._turns.save(work, fix_stored):
            fixed = f"{count} finding{'s' if count != 1 else ''} fixed" if count else "fixed"
            self._turns.say("nothing to fix" if work.stored.digest == before else f"{fixed}; u takes it back")
            self.opened()

    def _show(self, findings: Sequence[Finding]) -> None:
        one = findings[self._place]
        place = "the whole thread" if one.message is None else f"message {one.message + 1}"
        if one.message is not None:
            self._turns.conversation.focus_message(one.message)
        how = f"ctrl+f does it: {one.fix}" if one.fixable else one.fix
        self._line.show(
            Content.assemble(
                (f"{self._place + 1}/{len(findings)} {one.check}", "bold $text-warning"),
                (f" · {place}: ", "dim"),
                one_line(one.sentence, 300),
                ("  → " if how else "", "dim"),
                one_line(how, 200),
            )
        )
        self._line.display = True

    def _hide(self) -> None:
        if self._line.display:
            self._line.display = False

    def _begin(self) -> None:
        self._timer.pause()
        work = self._turns.work
        if work is None or (self._checked is not None and self._checked.stored.digest == work.stored.digest):
            return
        self._screen.run_worker(partial(self._check, work.stored), exclusive=True, group="findings")

    async def _check(self, stored: Stored) -> None:
        findings = await asyncio.to_thread(self._find, stored)
        self._screen.post_message(self.Found(stored, findings))

    def _find(self, stored: Stored) -> tuple[Finding, ...]:
        from core.listing.row_status import Survey

        self._survey = survey = self._survey or Survey(self._workspace)
        return survey.findings(stored.thread, stored.stem)
