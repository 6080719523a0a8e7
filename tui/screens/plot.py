"""The channels on the full screen: a chart for each channel of a sensor, panned and zoomed by keys."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import Resize
from textual.screen import Screen

from core.runs.session_view import SessionView, thinned
from core.text import one_line
from tools.sensors import Sensor, sensors_of
from tools.session import Samples, Window
from tools.spectrum import amplitude_density
from tui.local_keys import keys_of, local_bindings
from tui.terminal.crash_guard import Guarded
from tui.widgets.line_view import LineView
from tui.widgets.lines import Line, fit, spread
from tui.widgets.plain import Plain
from tui.widgets.plots import chart

ZOOM = 1.5
"""By how much one key changes what the axis shows."""
PAN = 0.25
"""How much of what is shown one key moves by."""
MIN_SAMPLES = 8
"""The closest look."""
MIN_CHART_ROWS = 8


class Charts(LineView):
    """The charts of one sensor over a stretch of time, or its spectra there."""

    def __init__(self, view: SessionView) -> None:
        super().__init__()
        self._view = view
        self._sensors = sensors_of(view.full.channels)
        self._sensor = 0
        self._span = self._whole = (view.full.start_sec, view.full.end_sec)
        self._frequencies = False

    def on_resize(self, event: Resize) -> None:
        """Draw at the new size."""
        self.draw()

    def other_sensor(self, step: int) -> None:
        """Show the next or previous sensor."""
        self._sensor = (self._sensor + step) % max(1, len(self._sensors))
        self.scroll_line(0)
        self.draw()

    def switch(self) -> None:
        """Time series or spectrum."""
        self._frequencies = not self._frequencies
        self.draw()

    def move(self, part: float) -> None:
        """Move what is shown by a part of its length."""
        start, end = self._span
        step = (end - start) * part
        step = max(self._whole[0] - start, min(self._whole[1] - end, step))
        self._span = start + step, end + step
        self.draw()

    def zoom(self, factor: float) -> None:
        """Show `factor` times as much, around the middle."""
        start, end = self._span
        longest = self._whole[1] - self._whole[0]
        spacing = longest / max(1, self._view.full.time_sec.size - 1)
        length = min(longest, max(MIN_SAMPLES * spacing, (end - start) * factor))
        start = max(self._whole[0], min(self._whole[1] - length, (start + end - length) / 2))
        self._span = start, start + length
        self.draw()

    def whole(self) -> None:
        """Show all of the window."""
        self._span = self._whole
        self.draw()

    def draw(self) -> None:
        """Lay the charts out anew."""
        if not self._sensors or not self.body.width:
            return
        sensor = self._sensors[self._sensor]
        rows = max(MIN_CHART_ROWS, self.body.height // len(sensor.channels))
        part = _part(self._view.full, self._span)
        lines: list[Line] = []
        for channel in sensor.channels:
            index = part.names.index(channel.name)
            lines.append(fit([(one_line(channel.name), "label"), (f"  {self._unit(sensor)}", "dim")], self.body.width))
            for row in self._chart(part, index, rows - 1):
                lines.append(((row, "lane"),))
        self.put(lines)

    def _unit(self, sensor: Sensor) -> str:
        unit = one_line(sensor.unit, 20)
        return f"{unit}/√Hz over Hz" if self._frequencies else f"{unit} over seconds"

    def _chart(self, part: Window, index: int, rows: int) -> list[str]:
        width = self.body.width
        if not self._frequencies:
            shown = thinned(part, 4 * width)
            return chart(shown.time_sec, shown.values[index], self._span, width, rows)
        hertz, density = amplitude_density(part.values[index], _rate(self._view, part.time_sec))
        if not hertz.size:
            way = keys_of(self)["plot.wider"]
            return [f"too few samples for a spectrum, or too many missing: zoom out with {way}"]
        return chart(hertz, density, (0.0, float(hertz[-1])), width, rows)

    @property
    def sentence(self) -> str:
        """Which sensor, and which stretch of time."""
        name = one_line(self._sensors[self._sensor].name, 40) if self._sensors else "no channels"
        start, end = self._span
        return f"{name} ({self._sensor + 1}/{len(self._sensors)})   {start:.2f} to {end:.2f} s"


class PlotScreen(Guarded, Screen[None]):
    """The whole screen for the charts of one sensor."""

    DEFAULT_CSS = """
    PlotScreen {
        #plot-title { height: 1; background: $panel; padding: 0 1; }
        #plot-keys { height: 1; color: $text-muted; padding: 0 1; }
        Charts { height: 1fr; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*local_bindings("plot")]

    def __init__(self, view: SessionView) -> None:
        super().__init__()
        self._view = view
        self._charts = Charts(view)

    def compose(self) -> ComposeResult:
        """What is shown, the charts, the keys."""
        yield Plain(id="plot-title")
        yield self._charts
        keys = keys_of(self).hints(
            ("plot.earlier", "plot.later"), ("plot.closer", "plot.wider"), "plot.whole",
            ("plot.next_sensor", "plot.previous_sensor"), "plot.switch", "plot.back",
        )  # fmt: skip
        yield Plain(keys.replace(" · ", "   "), id="plot-keys")

    def on_mount(self) -> None:
        """Say what is shown."""
        self._retitle()

    def action_pan(self, step: int) -> None:
        """Move earlier or later."""
        self._charts.move(step * PAN)
        self._retitle()

    def action_zoom(self, closer: bool) -> None:
        """Look closer, or wider."""
        self._charts.zoom(1 / ZOOM if closer else ZOOM)
        self._retitle()

    def action_whole(self) -> None:
        """Show all of the window."""
        self._charts.whole()
        self._retitle()

    def action_sensor(self, step: int) -> None:
        """Show another sensor."""
        self._charts.other_sensor(step)
        self._retitle()

    def action_switch(self) -> None:
        """Time series or spectrum."""
        self._charts.switch()

    def _retitle(self) -> None:
        width = max(20, self.app.size.width - 2)
        right = one_line(f"{self._view.session} · {self._view.artifact_id}", 60)
        line = spread(((self._charts.sentence, "label"),), ((right, "dim"),), width)
        self.query_one("#plot-title", Plain).show("".join(text for text, _ in line))


def _part(window: Window, span: tuple[float, float]) -> Window:
    """The samples within a stretch of time, and one more at each end so that lines reach the edges."""
    first = max(0, int(np.searchsorted(window.time_sec, span[0], "left")) - 1)
    last = min(window.time_sec.size, int(np.searchsorted(window.time_sec, span[1], "right")) + 1)
    return Window(window.channels, window.time_sec[first:last], window.values[:, first:last])


def _rate(view: SessionView, time_sec: Samples) -> float:
    """Samples a second: what the manifest says, else what the times are apart."""
    if view.rate_hz:
        return view.rate_hz
    spacing = float(np.median(np.diff(time_sec))) if time_sec.size > 1 else 1.0
    return 1 / spacing if spacing > 0 else 1.0
