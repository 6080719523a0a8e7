"""The channels on the full screen: charts that are panned and zoomed by keys, a cursor with the exact values, what the
tools find there, and what is laid over them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import getters
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.timer import Timer

from core.errors import SensorloomError
from core.runs.plot_findings import Finder, Findings, PlotSource, spacing_of
from core.workspace import Workspace
from tools.sensors import sensors_of
from tui.keys import Hint
from tui.local_keys import keys_of, local_bindings
from tui.screens.plot_overlays import Plot, ask_and_save, lay_band, lay_session, say_failed, try_on_thread
from tui.screens.plot_view import Around, Charts
from tui.terminal.crash_guard import Guarded
from tui.widgets.key_rows import key_rows
from tui.widgets.lane_look import has_braille
from tui.widgets.lines import Line
from tui.widgets.plain import Plain
from tui.widgets.plot_drawing import Drawing, all_edges, chart_width, drawing_of
from tui.widgets.plot_look import CHANGES, Look, jumped, look_at, next_edge

SETTLE_SECONDS = 0.08
"""What is found is looked for where one stays this long."""


class PlotScreen(Guarded, Screen[None]):
    """The whole screen for the charts of one sensor."""

    DEFAULT_CSS = """
    PlotScreen {
        #plot-head { height: 2; background: $panel; }
        #plot-foot { height: 3; }
        #plot-keys { height: auto; color: $text-muted; padding: 0 1; }
        Charts { height: 1fr; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("plot")]
    HINTS: ClassVar[tuple[Hint, ...]] = (
        ("plot.cursor_earlier", "plot.cursor_later"), "plot.next_edge", ("plot.earlier", "plot.later"),
        ("plot.closer", "plot.wider"), "plot.switch", "plot.mark", "plot.back", "plot.together", "plot.scale",
        ("plot.next_sensor", "plot.previous_sensor"), "plot.whole", "plot.over", "plot.band", "plot.save",
    )  # fmt: skip

    KEY_ROWS: ClassVar[int] = 2
    """The most rows that the keys take."""

    charts = getters.query_one(Charts)
    head = getters.query_one("#plot-head", Around)
    foot = getters.query_one("#plot-foot", Around)

    def __init__(
        self,
        workspace: Workspace,
        load: Callable[[], PlotSource],
        mark: Callable[[Screen[None], Workspace, PlotSource], None] | None = None,
    ) -> None:
        """Args: `load` gives what is plotted, and `mark` opens what can be marked of it; both are called on a worker's
        thread and may raise SensorloomError."""
        super().__init__()
        self.drawing: Drawing | None = None
        """What is drawn; None while it is read."""
        self._plot = Plot(self, lambda: self.drawing, self.put)
        self._mark = mark
        self._workspace = workspace
        self._load = load
        self._asked: tuple[object, ...] = ()
        """Of what it was asked what the tools find."""
        self._finder: Finder | None = None
        self._settle: Timer | None = None

    def compose(self) -> ComposeResult:
        """What is shown, the charts, what is below them, the keys."""
        yield Around(id="plot-head")
        yield Charts(braille=has_braille(self._workspace.settings.screen.dots))
        yield Around(id="plot-foot")
        yield Plain(id="plot-keys")

    def on_resize(self) -> None:
        """Say the keys on as many rows as they need."""
        self.query_one("#plot-keys", Plain).show(
            key_rows(keys_of(self), self.HINTS, self.size.width - 2, self.KEY_ROWS)
        )

    def on_mount(self) -> None:
        """Read it."""
        self.head.put([(("reading …", "dim"),)])
        self.charts.focus()
        self.run_worker(self._read, thread=True)

    def _read(self) -> None:
        try:
            source = self._load()
        except SensorloomError as error:
            self.call_later(say_failed, self, error)
            return
        window = source.window
        self._finder = Finder(window)
        whole = (window.start_sec, window.end_sec)
        sensors = len(sensors_of(window.channels))
        look = look_at(whole, source.call or whole, spacing_of(window), max(1, sensors))
        self.call_later(self.read, drawing_of(source, look))

    def read(self, drawing: Drawing) -> None:
        """Draw what was read."""
        if not drawing.sensors or not drawing.source.window.time_sec.size:
            self.head.put([(("there are no samples in it", "dim"),)])
            return
        self.put(drawing)

    def put(self, drawing: Drawing) -> None:
        """Draw this, and ask what the tools find in it where that is not known yet."""
        self.drawing = drawing
        self.head.draw_head(drawing)
        self.charts.draw(drawing)
        self.foot.draw_foot(drawing, self.labels())
        look = drawing.look
        asked = (look.span, look.sensor, look.mode, self._columns)
        if asked != self._asked:
            self._asked = asked
            if self._settle is not None:
                self._settle.stop()
            self._settle = self.set_timer(SETTLE_SECONDS, self._find)

    def labels(self) -> Line:
        """A further row below the charts; none here."""
        return ()

    def on_charts_resized(self) -> None:
        """Draw at the new size."""
        if self.drawing is not None:
            self.put(self.drawing)

    @property
    def _columns(self) -> int:
        return chart_width(self.charts.body.width)

    def _find(self) -> None:
        if self.drawing is not None:
            work = partial(self._look_for, self.drawing, self._asked, self._columns)
            self.run_worker(work, thread=True, group="findings")

    def _look_for(self, drawing: Drawing, asked: tuple[object, ...], columns: int) -> None:
        assert self._finder is not None
        look = drawing.look
        findings = self._finder.find(look.span, drawing.sensor, look.mode, columns, lambda: asked == self._asked)
        if findings is not None:
            self.call_later(self._looked, findings, asked)

    def _looked(self, findings: Findings, asked: tuple[object, ...]) -> None:
        if asked == self._asked and self.drawing is not None:
            self.put(replace(self.drawing, findings=findings))

    def look(self, change: Callable[[Look], Look]) -> None:
        """Show something else of it; what was found before stays in sight until it is known anew."""
        if (drawing := self.drawing) is None:
            return
        look = change(drawing.look)
        alike = look.mode == drawing.look.mode == "time" or (look.mode, look.sensor, look.span) == (
            drawing.look.mode, drawing.look.sensor, drawing.look.span,
        )  # fmt: skip
        self.put(replace(drawing, look=look, findings=drawing.findings if alike else None))

    def action_show(self, change: str) -> None:
        """Show something else of it, as the table of changes says."""
        self.look(lambda look: CHANGES[change](look, self._columns))

    def action_edge(self, step: int) -> None:
        """The cursor to the next edge."""
        if self.drawing is not None:
            edge = next_edge(self.drawing.look, all_edges(self.drawing), step)
            if edge is not None:
                self.look(lambda look: jumped(look, edge))

    def action_over(self) -> None:
        """Lay another session over it, or take it away."""
        if self.drawing is not None:
            lay_session(self._plot, self._workspace, self.drawing)

    def action_band(self) -> None:
        """Lay the band of a label over it, or take it away."""
        if self.drawing is not None:
            lay_band(self._plot, self._workspace, self.drawing)

    def action_save(self) -> None:
        """Save what is shown as a picture."""
        if self.drawing is not None:
            ask_and_save(self._plot, self._workspace, self.drawing)

    def action_mark(self) -> None:
        """Mark the recording that this was cut from, where it is kept whole; say the way where it is not."""
        if self.drawing is not None and self._mark is not None:
            try_on_thread(self, partial(self._mark, self, self._workspace, self.drawing.source))
