"""How varied the threads are, as the last table of the statistics board."""

from __future__ import annotations

from core.listing.variety import Variety, described
from core.text import one_line
from tui.widgets.count_table import Row, Rows
from tui.widgets.lines import Line, cells, fit

ABOUT = {
    "sentence skeletons": "sentences with numbers, names, labels and channels taken out; falls as threads grow more",
    "tool paths": "which tools a thread calls, in order; 0 bits where all do alike",
    "answer is a comparison's first line": "the less, the more a thread teaches beside looking a label up",
    "final message cites a measurement": "a number that a tool measured in this session, within rounding",
    "tool errors": "mended: the same tool was called again, and answered",
}
"""What each figure says, by its name."""


def variety_rows(variety: Variety | None, state: str, width: int) -> Rows:
    """The table, or how far the reading is; nothing for no threads."""
    if variety is not None and not variety.threads:
        return
    if variety is None and not state:
        return
    yield Row()
    yield Row((("variety", "mark"), (f"   {one_line(state, 200)}" if state else "", "dim")))
    told = described(variety) if variety is not None else []
    widest = max((len(name) for name, _ in told), default=0)
    for name, figure in told:
        line: Line = (("  ", "text"), (f"{name.ljust(widest)}  {figure}", "text"))
        yield Row(line if cells(line) <= width else fit(line, width), (), ABOUT[name])
