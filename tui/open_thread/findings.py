"""What the checks find in the open thread: counted on its frame, walked by one key, fixed by another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual.content import Content

from core.storage.store import Stored
from core.text import one_line
from core.thread.review import truth_hidden, verdict_of
from tui.open_thread.open_thread import OpenThread
from tui.open_thread.thread_work import ThreadWork
from tui.widgets.pane import Pane
from tui.widgets.plain import Plain

if TYPE_CHECKING:
    from core.lint import Finding
    from core.listing.row_status import Survey

TELL_THE_TRUTH = frozenset(("leak", "counts"))
"""Checks whose sentences quote the session's label, or say whether the answer is it."""
QUIET_SECONDS = 0.25
"""How long a thread must have been open before it is checked."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A thread and what was found in it."""

    stored: Stored
    findings: tuple[Finding, ...]


class Findings:
    """Checks the open thread, off the screen's loop."""

    def __init__(self, thread: OpenThread, pane: Pane, line: Plain, duplicate: Callable[[str], Finding | None]) -> None:
        """Checks the open thread.

        Args:
            thread: which is checked.
            pane: the conversation's frame, whose foot counts the findings.
            line: says one finding at a time.
            duplicate: what a thread repeats, by its stem, as far as that is known.
        """
        self._duplicate = duplicate
        self._thread = thread
        self._pane = pane
        self._line = line
        self._survey: Survey | None = None
        self._own: Checked | None = None
        """What was found in the thread on its own."""
        self._checked: Checked | None = None
        """The same, with what it repeats."""
        self._number = -1
        self._asked = False
        """Whether a finding was asked for before the thread was checked."""
        self._timer = thread.screen.set_interval(QUIET_SECONDS, self._begin, pause=True)

    def opened(self) -> None:
        """Another thread is open, or another value of it."""
        work = self._thread.work
        if self._checked is not None and (work is None or work.stored.stem != self._checked.stored.stem):
            self._checked, self._number, self._asked = None, -1, False
            self._hide()
            self._pane.footnote("")
        self._timer.reset()
        self._timer.resume()

    def compare(self, stems: Container[str]) -> None:
        """Of these threads it is known anew what they repeat."""
        if self._own is not None and self._own.stored.stem in stems:
            self._count(self._own)

    def _count(self, own: Checked) -> None:
        """Count what was found on the frame."""
        work = self._thread.work
        if work is None or work.stored.digest != own.stored.digest:
            return
        duplicate = self._duplicate(own.stored.stem)
        findings = own.findings if duplicate is None else (*own.findings, duplicate)
        self._own, self._checked = own, Checked(own.stored, findings)
        count, fixable = len(findings), sum(finding.fixable for finding in findings)
        keys = self._thread.keys
        fix = f", {keys['check.fix']} fixes {fixable}" if fixable else ""
        self._pane.footnote(
            f"{count} finding{'s' if count > 1 else ''}: {keys['check.next']} shows{fix}" if count else ""
        )
        if self._asked:
            self._asked = False
            self.next()
        elif self._line.display:
            self._number = min(self._number, count - 1)
            self._show(findings) if count else self._hide()

    def next(self) -> None:
        """Go to the next finding, and say what it is and what would put it right."""
        checked = self._checked
        if self._thread.work is None:
            return
        if checked is None:
            self._asked = True
            self._begin()
        elif not checked.findings:
            self._thread.say("the checks find nothing in this thread")
        elif self._number + 1 >= len(checked.findings) and self._line.display:
            self._number = -1
            self._hide()
        else:
            self._number = (self._number + 1) % len(checked.findings)
            self._show(checked.findings)

    def fix(self) -> None:
        """Put right what needs no decision, as one step that undo takes back."""
        work = self._thread.work
        if work is None:
            return
        if self._checked is not None and not any(finding.fixable for finding in self._checked.findings):
            how = f"{self._thread.keys['check.next']} says how, one by one"
            self._thread.say(f"nothing here can be put right without a decision; {how}")
        else:
            self._thread.do(partial(self._fix, work))

    async def _fix(self, work: ThreadWork) -> None:
        from core.lint.folder import fix_stored

        before = work.stored.digest
        count = sum(finding.fixable for finding in self._checked.findings) if self._checked is not None else 0
        if await self._thread.save(work, fix_stored):
            undo = self._thread.keys["turn.undo"]
            fixed = f"{count} finding{'s' if count != 1 else ''} fixed" if count else "fixed"
            self._thread.say("nothing to fix" if work.stored.digest == before else f"{fixed}; {undo} takes it back")
            self.opened()

    def _show(self, findings: Sequence[Finding]) -> None:
        finding = findings[self._number]
        where = "the whole thread" if finding.message is None else f"message {finding.message + 1}"
        if finding.message is not None:
            self._thread.conversation.focus_message(finding.message)
        sentence = finding.sentence
        work = self._thread.work
        if finding.check in TELL_THE_TRUTH and (
            work is None or truth_hidden(verdict_of(work.stored.thread), blind=self._thread.conversation.look.blind)
        ):
            sentence = "what it finds would tell the truth, which is hidden until your verdict"
        key = self._thread.keys["check.fix"]
        how = f"{key} does it: {finding.fix}" if finding.fixable else finding.fix
        self._line.show(
            Content.assemble(
                (f"{self._number + 1}/{len(findings)} {finding.check}", "bold $text-warning"),
                (f" · {where}: ", "dim"),
                one_line(sentence, 300),
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
        work = self._thread.work
        if work is None or (self._checked is not None and self._checked.stored.digest == work.stored.digest):
            return
        self._thread.screen.run_worker(partial(self._check, work.stored), exclusive=True, group="findings")

    async def _check(self, stored: Stored) -> None:
        self._count(Checked(stored, await asyncio.to_thread(self._find, stored)))

    def _find(self, stored: Stored) -> tuple[Finding, ...]:
        from core.listing.row_status import Survey

        self._survey = survey = self._survey or Survey(self._thread.workspace)
        return survey.findings(stored.thread, stored.stem)
