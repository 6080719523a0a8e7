"""The line under the list in which a filter is typed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from textual.content import Content
from textual.widget import Widget

from core.errors import SensorloomError
from core.filters.completions import completions, values_in
from core.filters.explaining import explained
from core.filters.language import Filter, parse, reads_files
from core.filters.typed import note_typed, typed_filters
from core.filters.values import FilterError
from core.text import one_line, printable
from core.workspace import Workspace
from tui.thread_list.known_folder import KnownFolder
from tui.widgets.filter_field import FilterField
from tui.widgets.plain import Plain

OFFERED = 6
"""Completions that the line above names."""


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around the line on the screen."""

    hint: Plain
    """Above it: explains the term under the cursor, or says what is wrong."""
    listed: Widget
    """Gets the focus back."""
    choose_field: Callable[[Callable[[str | None], None]], None]
    """Asks for one of all fields."""


class FilterLine:
    """Reads the filter as it is typed. One that cannot be read changes nothing, and the line above says why."""

    def __init__(
        self,
        workspace: Workspace,
        folder: KnownFolder,
        line: FilterField,
        around: Around,
        show: Callable[[Filter], None],
    ) -> None:
        """Args: `folder` has the words to complete, `show` shows what a filter matches."""
        self._workspace = workspace
        self._folder = folder
        self._line = line
        self._around = around
        self._show = show
        self._filter = Filter("")
        self._version = 0
        """Counts what is read, so that only what was asked for last comes into force."""
        self._reading: str | None = None
        """The filter that is being read in a worker: its terms ask files of the workspace."""
        self._ended = False
        """Whether the line was left while its filter was being read."""
        self._problem = ""
        self._remark = ""
        """What is said of the row under the cursor."""
        self._history: list[str] = []
        """What was typed before, the latest last."""
        self._back = 0
        """How far back in it the line is; 0 is what is being typed."""
        self._draft = ""
        line.recall, line.cleared, line.moved = self._recall, self.end, self._explain
        line.asked = lambda: around.choose_field(self._insert)

    @property
    def text(self) -> str:
        """The filter that is in force, or is about to be."""
        return self._filter.text if self._reading is None else self._reading

    @property
    def words(self) -> list[str]:
        """The texts that it looks for."""
        return self._filter.words

    def begin(self) -> None:
        """Go to the line."""
        self._line.can_focus = True
        self._line.screen.set_focus(self._line)  # at once: what is typed next belongs to the line
        self._back = 0
        known = self._folder.summaries

        def work() -> None:
            history, values = typed_filters(self._workspace), values_in(self._workspace, known.every())
            self._line.app.call_from_thread(self._learn, history, values)

        self._line.run_worker(work, thread=True, exclusive=True, group="filter words")
        self._explain()

    def end(self) -> None:
        """Back to the list, keeping the filter."""
        self._around.listed.focus()
        self._line.can_focus = False
        self._ended = self._reading is not None
        if not self._ended:
            self._keep()
        self._explain()

    def _keep(self) -> None:
        """Note the filter among those that were typed."""
        text = self._filter.text
        if text and text != (self._history[-1] if self._history else ""):
            self._line.run_worker(lambda: self._note(text), thread=True, group="filter history")

    def typed(self, text: str) -> None:
        """Show only what matches, as it is typed."""
        if (wanted := text.strip()) != self._reading:
            self._read(wanted)

    def again(self) -> None:
        """Threads have left: what a filter knows of that is no longer so."""
        if self._filter.conditions:
            self._read(self.text, again=True)

    def tell(self, remark: str) -> None:
        """Say something of the row under the cursor above the line, while nothing is typed there."""
        if remark != self._remark:
            self._remark = remark
            self._explain()

    def put(self, text: str) -> None:
        """Put a filter into the line, and into force."""
        self._line.value = text
        self.typed(text)

    def _read(self, text: str, *, again: bool = False) -> None:
        """Read a filter, off the screen's loop where that reads files; with `again`, one that is in force."""
        self._version += 1
        self._reading = None
        try:
            if not reads_files(text):
                self._came(parse(text, self._workspace), self._version, again=again)
                return
        except SensorloomError as error:
            self._came(error, self._version)
            return
        self._reading = text
        work = partial(self._parse, text, self._version, again=again)
        self._line.run_worker(work, thread=True, exclusive=True, group="filter")

    def _parse(self, text: str, version: int, *, again: bool) -> None:
        try:
            came: Filter | SensorloomError = parse(text, self._workspace)
        except SensorloomError as error:
            came = error
        self._line.call_later(self._came, came, version, again=again)

    def _came(self, came: Filter | SensorloomError, version: int, *, again: bool = False) -> None:
        """Show what a filter matches, or say why it cannot be read, unless another is wanted by now."""
        if version != self._version:
            return
        self._reading, self._problem = None, ""
        if isinstance(came, SensorloomError):
            sentence = f"at {came.position + 1}: {came.sentence}" if isinstance(came, FilterError) else str(came)
            self._problem = sentence.replace(f"{self._workspace.root}/", "")
        elif again or came.text != self._filter.text:
            self._filter = came
            self._show(came)
        if self._ended:
            self._ended = False
            self._keep()
        self._explain()

    def _explain(self) -> None:
        """Say above the line what is wrong; while it is typed in, what the term at the cursor is and could become."""
        line, hint = self._line, self._around.hint
        offered = ""
        if line.can_focus:
            before = line.value[: line.cursor_position]
            fitting = completions(before, line.values) if before.strip() and not before.endswith(" ") else []
            offered = f"\ntab {'  '.join(fitting[:OFFERED])}{' …' if len(fitting) > OFFERED else ''}" if fitting else ""
        if self._problem:
            hint.show(Content.assemble(one_line(self._problem, 200), (printable(offered), "dim")))
        elif line.can_focus:
            about = explained(line.value, line.cursor_position)
            hint.show(Content.styled(f"{one_line(about, 160)}{printable(offered)}", "dim"))
        elif self._remark:
            hint.show(Content.styled(one_line(self._remark, 160), "dim"))
        hint.display = bool(self._problem or self._remark) or line.can_focus

    # What was typed before

    def _learn(self, history: list[str], values: dict[str, list[str]]) -> None:
        self._history, self._line.values = history, values
        self._explain()

    def _note(self, text: str) -> None:
        try:
            history = note_typed(self._workspace, text)
        except SensorloomError:
            return  # a history that cannot be kept stops nobody
        self._line.app.call_from_thread(setattr, self, "_history", history)

    def _recall(self, step: int) -> None:
        if not self._back:
            self._draft = self._line.value
        self._back = min(max(self._back + step, 0), len(self._history))
        self.put(self._history[-self._back] if self._back else self._draft)
        self._line.action_end()

    def _insert(self, example: str | None) -> None:
        """Put a field into the line, with the cursor behind it."""
        if example is not None:
            self._line.put_word(example)
        self.begin()
