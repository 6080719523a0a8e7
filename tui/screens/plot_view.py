"""The widgets of the plot: its charts, and the rows above and below them."""

from __future__ import annotations

from textual.events import Resize
from textual.message import Message

from tui.widgets.line_view import LineView
from tui.widgets.lines import Line
from tui.widgets.plot_drawing import Drawing
from tui.widgets.plot_foot import foot_lines, ruler_line, title_line
from tui.widgets.plot_lines import chart_lines


class Charts(LineView):
    """The charts of one sensor."""

    class Resized(Message):
        """There is another size to draw at."""

    def __init__(self, *, braille: bool) -> None:
        super().__init__()
        self._braille = braille

    def on_resize(self, event: Resize) -> None:
        """Say so."""
        self.post_message(self.Resized())

    def draw(self, drawing: Drawing) -> None:
        """Lay the charts out anew."""
        if self.body.width > 0 and drawing.sensors:
            self.put(chart_lines(drawing, self.body.width, self.body.height, braille=self._braille))


class Around(LineView):
    """Rows above or below the charts, as wide as they are."""

    def draw_head(self, drawing: Drawing) -> None:
        """What is shown, and where in the whole."""
        self.put([title_line(drawing, self.body.width), ruler_line(drawing, self.body.width)])

    def draw_foot(self, drawing: Drawing, labels: Line) -> None:
        """The axis, what is marked, what was found, the labels that have keys."""
        lines = foot_lines(drawing, self.body.width)
        self.put([*lines, labels] if labels else lines)
