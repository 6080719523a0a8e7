"""The same session answered by two contestants, side by side; a walk over those at which they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.message import Message

from core.errors import SensorloomError
from core.evaluation.figures import Parted
from core.evaluation.scores import NO_ANSWER, Outcome
from core.storage.store import read
from core.text import one_line, printable
from tui.local_keys import keys_of, local_bindings
from tui.screens.compare import CompareScreen
from tui.widgets.compare_lines import Side
from tui.widgets.plain import Plain


class SidesScreen(CompareScreen):
    """Two answers to one question. The next and the previous session at which the two differ have a key each."""

    DEFAULT_CSS = "SidesScreen #session { height: 1; background: $panel; padding: 0 1; text-style: bold; }"
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("sides")]

    @dataclass
    class Read(Message):
        """Both threads were read; or a sentence that says why not."""

        at: int
        sides: tuple[Side, Side]
        problem: str = ""

    def __init__(self, names: tuple[str, str], folders: tuple[Path, Path], pairs: Sequence[Parted]) -> None:
        """Args: `names` of the two contestants, `folders` where their threads are, `pairs` where they differ."""
        super().__init__(((names[0], ()), (names[1], ())))
        self._names = names
        self._folders = folders
        self._pairs = pairs
        self._pair = 0

    def compose(self) -> ComposeResult:
        """The session above the comparison."""
        yield Plain(id="session")
        yield from super().compose()

    def on_mount(self) -> None:
        """Show the first."""
        self._walk(0)

    def hints(self) -> str:
        """The walk over the sessions, then the keys of any comparison."""
        return f"{keys_of(self).hints(('sides.previous', 'sides.next'))}   {super().hints()}"

    def action_session(self, step: int) -> None:
        """Go to the next session at which they differ, or to the one before."""
        self._walk(min(max(0, self._pair + step), len(self._pairs) - 1))

    def _walk(self, at: int) -> None:
        self._pair = at
        pair = self._pairs[at]

        def work() -> None:
            try:
                first, second = (
                    list(read(folder, outcome.stem).thread.messages)
                    for folder, outcome in zip(self._folders, (pair.first, pair.second), strict=True)
                )
            except SensorloomError as error:
                self.post_message(self.Read(at, (("", ()), ("", ())), str(error)))
                return
            sides: tuple[Side, Side] = (
                (f"{self._names[0]}: {_answered(pair.first)}", first),
                (f"{self._names[1]}: {_answered(pair.second)}", second),
            )
            self.post_message(self.Read(at, sides))

        self.run_worker(work, thread=True, exclusive=True, group="sides")

    def on_sides_screen_read(self, event: Read) -> None:
        """Show them, unless somebody went on meanwhile."""
        if event.at != self._pair:
            return
        first = self._pairs[event.at].first
        dataset = f"{first.dataset}/" if len({pair.first.dataset for pair in self._pairs}) > 1 else ""
        attempt = f", try {first.attempt + 1}" if any(pair.first.attempt for pair in self._pairs) else ""
        where = f"{event.at + 1} of {len(self._pairs)} · {dataset}{first.session}{attempt} · in truth {first.truth}"
        self.query_one("#session", Plain).show(Content(printable(one_line(where, 200))))
        if event.problem:
            self.notify(one_line(event.problem, 300), severity="warning", markup=False)
            return
        self._sides = event.sides
        self._left, self._right = 0, 1
        self._view.focus()
        self._compare()


def _answered(outcome: Outcome) -> str:
    return f"{'✓' if outcome.right else '✗'} {one_line(outcome.answer, 40) or NO_ANSWER}"
