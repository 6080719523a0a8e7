"""Marking a recording by hand: stretches with a label, begun, ended and labelled by keys in its plot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual.binding import BindingType
from textual.screen import Screen

from core.datasets.standard import open_dataset
from core.datasets.whole.marks import Marks, Stretches, cleared, marked, redone, snapped, undone
from core.datasets.whole.marks_file import MarksOnDisk
from core.datasets.whole.recording import in_time, place_of, read_recording, recording_folder, recording_of_session
from core.errors import UsageError
from core.runs.plot_findings import PlotSource
from core.text import one_line
from core.workspace import Workspace
from tui.dialogs.pick import PickScreen
from tui.keys import Hint
from tui.local_keys import local_bindings
from tui.screens.plot import PlotScreen
from tui.screens.plot_overlays import try_on_thread
from tui.widgets.lines import Line
from tui.widgets.plot_drawing import Drawing, all_edges
from tui.widgets.plot_foot import labels_line
from tui.widgets.plot_look import Span, jumped

HIDDEN = "label hidden"
"""Stands for each label while judging is blind."""
SNAP_PART = 0.02
"""An edge snaps to what is nearer than this part of what is shown."""


class MarkScreen(PlotScreen):
    """The plot of a recording that is kept whole, with the keys that mark it. Every marking is saved at once."""

    DEFAULT_CSS = "MarkScreen #plot-foot { height: 5; }"
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("marks")]
    KEY_ROWS: ClassVar[int] = 3
    HINTS: ClassVar[tuple[Hint, ...]] = (
        "marks.start", "marks.end", "marks.pick", "plot.next_edge", "marks.clear", "marks.undo",
        ("plot.closer", "plot.wider"), "plot.back", ("plot.cursor_earlier", "plot.cursor_later"),
        ("plot.earlier", "plot.later"), "marks.redo", "marks.snap", "plot.whole", "plot.together", "plot.scale",
        "plot.switch",
    )  # fmt: skip

    def __init__(
        self,
        workspace: Workspace,
        dataset: str,
        recording: str,
        call: Span | None = None,
        *,
        hides_labels: bool = False,
    ) -> None:
        """Args: `call` is the stretch that is shown first, such as where a session was cut from; with `hides_labels`
        stretches are drawn without their labels, which tell that session's."""
        super().__init__(workspace, self._load_recording)
        self._dataset = dataset
        self._recording = recording
        self._call = call
        self._hides_labels = hides_labels
        self._disk: MarksOnDisk | None = None
        self._marks = Marks()
        self._labels: list[str] = []
        self._start: float | None = None
        self._end: float | None = None
        self._snaps = True

    def _load_recording(self) -> PlotSource:
        dataset = open_dataset(self._workspace, self._dataset)
        folder = recording_folder(dataset, self._recording)
        self._disk = MarksOnDisk(folder)
        self._marks = self._disk.marks
        self._labels = list(dict.fromkeys([*dataset.activities, *self._marks.labels]))
        window = in_time(read_recording(folder, dataset.described_channels))
        return PlotSource(self._recording, self._dataset, window, self._call, self._dataset)

    def read(self, drawing: Drawing) -> None:
        """Draw it with what is marked."""
        look = drawing.look if self._call else replace(drawing.look, cursor=drawing.look.whole[0])
        super().read(replace(drawing, look=look, stretches=drawn(self._marks.stretches, self._hides_labels)))

    def labels(self) -> Line:
        """The labels with their keys, and whether edges snap."""
        begun = f"begun at {self._start:.2f} s" if self._start is not None else "no stretch begun"
        snap = "edges snap" if self._snaps else "edges do not snap"
        return labels_line(self._labels[:9], begun, snap, max(20, self.foot.body.width), begins=self._start is not None)

    def action_start(self) -> None:
        """A stretch starts at the cursor."""
        if self.drawing is not None:
            self._start, self._end = self._snapped(), None
            self._pending()

    def action_end(self) -> None:
        """It ends at the cursor."""
        if self.drawing is None:
            return
        if self._start is None:
            say(self, "no stretch is begun: set its start first")
            return
        self._end = self._snapped()
        self._pending()

    def action_label(self, number: int) -> None:
        """Label it with the label of this number."""
        if number > len(self._labels):
            say(self, f"there is no label {number} yet")
        else:
            self._label(self._labels[number - 1])

    def action_pick(self) -> None:
        """Label it from a list, or newly."""

        def chosen(label: str | None) -> None:
            if label:
                self._label(label)

        if self._stretch() is not None:
            self.app.push_screen(PickScreen("label of the stretch", self._labels, new=True), chosen)

    def _label(self, label: str) -> None:
        stretch = self._stretch()
        if stretch is None:
            return
        label = " ".join(label.split())
        if label not in self._labels:
            self._labels.append(label)
        try:
            self._marks = marked(self._marks, *stretch, label)
        except UsageError as error:
            say(self, str(error))
            return
        more = self.drawing is not None and stretch[1] < self.drawing.look.whole[1]
        self._start, self._end = (stretch[1] if more else None), None
        self._changed()
        self.look(lambda look: jumped(look, stretch[1]))

    def action_clear(self) -> None:
        """Take away what is begun, or the stretch at the cursor."""
        if self._start is not None:
            self._start = self._end = None
            self._pending()
        elif self.drawing is not None and (mark := self._marks.at(self.drawing.look.cursor)) is not None:
            self._marks = cleared(self._marks, mark.start_sec, mark.end_sec)
            self._changed()
        else:
            say(self, "nothing is marked at the cursor")

    def action_undo(self) -> None:
        """Take the last marking back."""
        self._step(undone)

    def action_redo(self) -> None:
        """Mark again what was taken back."""
        self._step(redone)

    def action_snap(self) -> None:
        """Let edges snap, or not."""
        self._snaps = not self._snaps
        self._pending()

    def _step(self, change: Callable[[Marks], Marks]) -> None:
        try:
            self._marks = change(self._marks)
        except UsageError as error:
            say(self, str(error))
            return
        self._start = self._end = None
        self._changed()

    def _snapped(self) -> float:
        """The cursor, or the edge near it."""
        assert self.drawing is not None
        look = self.drawing.look
        if not self._snaps:
            return look.cursor
        edges = (edge for edge in all_edges(self.drawing) if look.span[0] <= edge <= look.span[1])
        return snapped(look.cursor, list(edges), SNAP_PART * look.length)

    def _stretch(self) -> Span | None:
        """What is begun, from its start to its end, which is the cursor where none was set; None and a word why."""
        if self.drawing is None:
            return None
        if self._start is None:
            say(self, "no stretch is begun: set its start first")
            return None
        end = self._end if self._end is not None else self._snapped()
        if end == self._start:
            say(self, "the stretch is empty: move the cursor to its end")
            return None
        look = self.drawing.look
        start, end = min(self._start, end), max(self._start, end)
        return start, end + look.spacing if end >= look.whole[1] else end  # the last sample is a part of it too

    def _pending(self) -> None:
        """Draw what is begun."""
        if self.drawing is not None:
            end = self._end if self._end is not None else self._start
            pending = (self._start, end) if self._start is not None and end is not None else None
            self.put(replace(self.drawing, stretches=drawn(self._marks.stretches, self._hides_labels), pending=pending))

    def _changed(self) -> None:
        """Draw what is marked now, and save it."""
        self._pending()
        try_on_thread(self, self._save_marks)

    def _save_marks(self) -> None:
        """Save what is marked by now; on a worker's thread."""
        assert self._disk is not None
        if problem := self._disk.save(lambda: self._marks):
            self.app.call_later(self._reread, self._disk.marks, problem)

    def _reread(self, marks: Marks, sentence: str) -> None:
        self._marks, self._start, self._end = marks, None, None
        self._pending()
        say(self, sentence)


def drawn(stretches: Stretches, hides_labels: bool) -> Stretches:
    """What is marked, as it is drawn."""
    return tuple(replace(mark, label=HIDDEN) for mark in stretches) if hides_labels else stretches


def say(screen: Screen[None], sentence: str) -> None:
    """Say why something was not done."""
    screen.app.notify(one_line(sentence, 300), severity="warning", markup=False)


def open_for_session(
    screen: Screen[None], workspace: Workspace, source: PlotSource, *, hides_labels: bool = False
) -> None:
    """Open the recording that a session was cut from, where it was cut; on a worker's thread. With `hides_labels`
    nothing there tells the session's label.

    Raises:
        DatasetError: it is not kept whole; the sentence says the way.
    """
    dataset = open_dataset(workspace, source.dataset)
    name = recording_of_session(dataset, source.name)
    folder = recording_folder(dataset, name)
    window = read_recording(folder, dataset.described_channels)
    where = place_of(window, dataset.load(source.name)) if source.name in dataset.labels else None
    opening = MarkScreen(workspace, source.dataset, name, where, hides_labels=hides_labels)
    screen.app.call_later(partial(screen.app.push_screen, opening))
