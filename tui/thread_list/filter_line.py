"""The line under the list in which a filter is typed."""

from __future__ import annotations

from collections.abc import Callable

from textual.widget import Widget
from textual.widgets import Input

from core.errors import SensorloomError
from core.filters.language import Filter, parse
from core.filters.values import FilterError
from core.text import one_line
from core.workspace import Workspace
from tui.widgets.plain import Plain


class FilterLine:
    """Reads the filter as it is typed. One that cannot be read changes nothing, and the line above says why."""

    def __init__(
        self, workspace: Workspace, line: Input, problem: Plain, listed: Widget, show: Callable[[Filter], None]
    ) -> None:
        """Args: `problem` says what is wrong, `listed` gets the focus back, `show` shows what a filter matches."""
        self._workspace = workspace
        self._line = line
        self._problem = problem
        self._list = listed
        self._show = show
        self._filter = Filter("")

    @property
    def text(self) -> str:
        """The filter that is in force."""
        return self._filter.text

    @property
    def words(self) -> list[str]:
        """The texts that it looks for."""
        return self._filter.words

    def begin(self) -> None:
        """Go to the line."""
        self._line.can_focus = True
        self._line.focus()

    def end(self) -> None:
        """Back to the list, keeping the filter."""
        self._list.focus()
        self._line.can_focus = False

    def typed(self, text: str) -> None:
        """Show only what matches, as it is typed."""
        wanted = self._read(text.strip())
        if wanted is not None and wanted.text != self._filter.text:
            self._use(wanted)

    def again(self) -> None:
        """Threads have left: what a filter knows of that is no longer so."""
        if self._filter.conditions and (wanted := self._read(self._filter.text)) is not None:
            self._use(wanted)

    def put(self, text: str) -> None:
        """Put a filter into the line, which shows it."""
        self._line.value = text

    def _use(self, wanted: Filter) -> None:
        self._filter = wanted
        self._show(wanted)

    def _read(self, text: str) -> Filter | None:
        try:
            wanted = parse(text, self._workspace)
        except SensorloomError as error:
            sentence = error.sentence if isinstance(error, FilterError) else str(error)
            self._tell(sentence.replace(f"{self._workspace.root}/", ""))
            return None
        self._tell("")
        return wanted

    def _tell(self, problem: str) -> None:
        self._problem.show(one_line(problem, 200))
        self._problem.display = bool(problem)
