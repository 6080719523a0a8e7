"""The keys of the plot, of marking a recording in it, and of choosing by typing: a part of `tui/local_keys.py`."""

from __future__ import annotations

from tui.local_action import DIGITS, at

# fmt: off
PLOT_KEYS = (
    *at("plot", "Plot",
        ("plot.cursor_earlier", "left", "earlier", "the cursor earlier", "show('cursor_earlier')"),
        ("plot.cursor_later", "right", "cursor", "the cursor later", "show('cursor_later')"),
        ("plot.far_earlier", "b", "far earlier", "the cursor far earlier", "show('far_earlier')"),
        ("plot.far_later", "w", "far", "the cursor far later", "show('far_later')"),
        ("plot.previous_edge", "N", "previous edge", "the cursor to the edge before", "edge(-1)"),
        ("plot.next_edge", "n", "next change", "the cursor to the next change point or edge", "edge(1)"),
        ("plot.earlier", "h", "earlier", "show what was earlier", "show('earlier')"),
        ("plot.later", "l", "pan", "show what comes later", "show('later')"),
        ("plot.closer", "plus,equals_sign,i", "closer", "closer", "show('closer')"),
        ("plot.wider", "minus,o", "zoom", "wider", "show('wider')"),
        ("plot.whole", "0,home", "all", "all of it", "show('whole')"),
        ("plot.call", "c", "call", "the window of the call", "show('call')"),
        ("plot.next_sensor", "j,down,tab", "next sensor", "the next sensor", "show('next_sensor')"),
        ("plot.previous_sensor", "k,up,shift+tab", "sensor", "the sensor before", "show('previous_sensor')"),
        ("plot.together", "t", "one chart", "the axes of a sensor in one chart, or apart", "show('together')"),
        ("plot.scale", "y", "scale", "each its own scale, one for the sensor, one for all of a unit", "show('scale')"),
        ("plot.switch", "f", "spectrum", "time series, spectrum, spectrogram", "show('switch')"),
        ("plot.over", "v", "second session", "lay another session over it, or take it away", "over"),
        ("plot.band", "r", "band", "lay the band of a label over it, or take it away", "band"),
        ("plot.save", "S", "save", "save it as a picture (SVG)", "save"),
        ("plot.mark", "m", "mark", "mark the recording that the session was cut from", "mark"),
        ("plot.back", "escape,q,p", "back", "leave the plot", "app.pop_screen")),
    *at("marks", "Marking a recording",
        ("marks.start", "s", "start", "a stretch starts at the cursor", "start"),
        ("marks.end", "e", "end", "it ends at the cursor", "end"),
        ("marks.label", DIGITS, "label", "label it, and begin the next where it ends", "label({})"),
        ("marks.pick", "enter", "other label", "label it from a list, or newly", "pick"),
        ("marks.clear", "x,delete", "clear", "take away what is begun, or the stretch at the cursor", "clear"),
        ("marks.undo", "u", "undo", "take the last marking back", "undo"),
        ("marks.redo", "ctrl+r", "redo", "mark again what was taken back", "redo"),
        ("marks.snap", "a", "snap", "let edges snap to change points, or not", "snap")),
    *at("pick", "Choosing by typing",
        ("pick.take", "enter", "take", "take the row, or what is typed", "take"),
        ("pick.previous", "up", "previous", "the row before", "step(-1)"),
        ("pick.next", "down", "next", "the next row", "step(1)"),
        ("pick.leave", "escape", "back", "choose none", "dismiss(None)"), first=True),
)
# fmt: on
