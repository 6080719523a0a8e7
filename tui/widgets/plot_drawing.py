"""All that a plot is drawn from, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.sensors import Sensor, sensors_of
from tui.widgets.plot_look import Look, Span
from tui.widgets.plots import LEFT, RIGHT
from tui.widgets.pyramid import Pyramid

if TYPE_CHECKING:
    from core.datasets.whole.marks import Stretches
    from core.runs.plot_findings import Findings, PlotSource
    from core.runs.plot_overlay import Band


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """All that a plot is drawn from."""

    source: PlotSource
    pyramid: Pyramid
    sensors: tuple[Sensor, ...]
    look: Look
    findings: Findings | None = None
    """None while they are looked for."""
    over: tuple[str, Pyramid] | None = None
    """A second session and its name."""
    band: Band | None = None
    stretches: Stretches | None = None
    """What is marked; None where nothing can be."""
    pending: Span | None = None
    """A stretch that was begun, from its start to its end or the cursor."""

    @property
    def sensor(self) -> Sensor:
        """The one that is shown."""
        return self.sensors[self.look.sensor]


def drawing_of(source: PlotSource, look: Look) -> Drawing:
    """A drawing of a source; the expensive half, which belongs on a worker's thread."""
    return Drawing(source, Pyramid(source.window), sensors_of(source.window.channels), look)


def chart_width(width: int) -> int:
    """Cells of the charts in a plot `width` wide."""
    return max(8, width - LEFT - RIGHT)


def highest_hz(drawing: Drawing) -> float:
    """Where a spectrum ends."""
    return drawing.findings.highest_hz if drawing.findings is not None else 1.0


def all_edges(drawing: Drawing) -> list[float]:
    """The times that the cursor can jump to: change points, edges of what is marked and of the call's window."""
    changes = drawing.findings.changes if drawing.findings is not None else ()
    marked = [edge for mark in drawing.stretches or () for edge in (mark.start_sec, mark.end_sec)]
    return sorted({*changes, *marked, *(drawing.source.call or ()), *drawing.look.whole})
