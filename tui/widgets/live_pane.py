"""A pane that can follow a recording under way: drawn as it comes, in few bytes."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textual.geometry import Region, Size
from textual.message import Message

from tui.widgets.lane_look import USUAL
from tui.widgets.line_view import PagedView
from tui.widgets.lines import Line, cells, plain_text

if TYPE_CHECKING:
    from core.recording.live_folder import Live
    from core.recording.tail import LiveTail

POLL_SEC, DRAW_SEC = 0.03, 0.12
"""Between two looks at the files, and between two pictures at least: eight a second are what a thin link carries."""
MANY_ROWS, DRAW_MANY_SEC = 24, 0.17
"""Of more rows of lanes than this there are fewer pictures."""
HEAD_SEC = 1.0
"""Between two looks at what stands in words and numbers."""
_NEAR = 6
"""Changed columns that are nearer to each other than this are painted together: a move of the cursor takes as many."""


class LivePane(PagedView):
    """Shows a recording as it comes, while `following`."""

    @dataclass
    class Came(Message):
        """A new picture."""

        following: threading.Event
        lines: Sequence[Line]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._stop_following = threading.Event()
        self._stop_following.set()
        self._live_size = Size(0, 0)
        self.lane_look = USUAL
        """How lanes are drawn; read on another thread."""
        self.live: Live | None = None
        """The recording that is followed; None where none is."""

    @property
    def following(self) -> bool:
        """Whether a recording is shown instead of a session."""
        return self.live is not None

    def follow(self, live: Live, seconds: float) -> None:
        """Show the last so many seconds of a recording from now on."""
        self.unfollow()
        self.live, self._stop_following = live, threading.Event()
        self._live_size = self.body
        self.put([])
        work = _Following(self, live, seconds, self._stop_following)
        threading.Thread(target=work.run, name="follow", daemon=True).start()

    def toggle_scale(self) -> None:
        """One scale for all lanes of a unit, or one for each sensor; a recording's lanes have their sensor's."""
        self.lane_look = replace(self.lane_look, by_unit=not self.lane_look.by_unit)
        self._draw()

    def _draw(self) -> None:
        """Draw anew what is shown while nothing is followed."""

    def unfollow(self) -> None:
        """Follow no more; what is shown stays until something else is put."""
        self._stop_following.set()
        self.live = None

    def resized(self) -> None:
        """Tell the picture's new size to who draws it."""
        self._live_size = self.body

    @property
    def picture_size(self) -> Size:
        """Columns and rows of the picture; read on another thread."""
        return self._live_size

    @property
    def seen(self) -> bool:
        """Whether somebody can see it."""
        return self.app.app_focus and self.is_on_screen

    def on_live_pane_came(self, event: Came) -> None:
        """Draw it, unless something else is shown by now."""
        if event.following is self._stop_following and self.following:
            self.put_changed(event.lines)

    def put_changed(self, lines: Sequence[Line]) -> None:
        """Show these lines, repainting only the columns that differ from those shown before."""
        old = self._lines
        if len(old) != len(lines):
            self.put(lines)
            return
        regions = changed_regions(old, lines)
        self._lines = lines
        top = int(self.scroll_offset.y)
        shown = [region.translate((0, -top)) for region in regions if top <= region.y < top + self.size.height]
        if shown:
            self.refresh(*shown)


def changed_regions(old: Sequence[Line], lines: Sequence[Line]) -> list[Region]:
    """Where two pictures of as many rows differ, in regions of one row or of rows below each other."""
    regions: list[Region] = []
    for row, (before, now) in enumerate(zip(old, lines, strict=True)):
        if before is now or before == now:
            continue
        a, b = plain_text(before), plain_text(now)
        if cells(before) != cells(now) or len(a) != len(b) or _looks(before) != _looks(now):
            regions.append(Region(0, row, max(cells(before), cells(now)), 1))
            continue
        regions += [Region(first, row, last - first, 1) for first, last in _runs(a, b)]
    return _joined(regions)


def _looks(line: Line) -> list[tuple[int, str]]:
    return [(len(text), kind) for text, kind in line]


def _runs(a: str, b: str) -> list[tuple[int, int]]:
    """First and last-plus-one column of each stretch that differs."""
    runs: list[tuple[int, int]] = []
    for column, (x, y) in enumerate(zip(a, b, strict=True)):
        if x == y:
            continue
        if runs and column - runs[-1][1] < _NEAR:
            runs[-1] = (runs[-1][0], column + 1)
        else:
            runs.append((column, column + 1))
    return runs


def _joined(regions: Sequence[Region]) -> list[Region]:
    """Regions of the same columns in rows below each other as one."""
    joined: dict[tuple[int, int, int], Region] = {}
    for region in regions:
        above = joined.pop((region.x, region.width, region.y), None)
        whole = Region(region.x, above.y, region.width, above.height + 1) if above else region
        joined[region.x, region.width, whole.bottom] = whole
    return list(joined.values())


class _Following:
    """What looks at the files and draws, on a thread of its own."""

    def __init__(self, pane: LivePane, live: Live, seconds: float, stop: threading.Event) -> None:
        self._pane = pane
        self._live = live
        self._seconds = seconds
        self._stop = stop

    def run(self) -> None:
        """Until told to stop."""
        from core.recording.tail import LiveTail

        tail = LiveTail(self._live, self._seconds + 1)
        try:
            self._follow(tail)
        finally:
            tail.close()

    def _follow(self, tail: LiveTail) -> None:
        from tui.widgets.live_lines import HEAD_ROWS, Scales, live_groups, live_head, live_lines, with_numbers

        scales, numbers, head = Scales(), (), list[Line]()
        drawn = looked = 0.0
        pause = DRAW_SEC
        size = Size(0, 0)
        new = False
        while not self._stop.wait(POLL_SEC):
            new = tail.poll() or new
            now = time.monotonic()
            due = now - looked >= HEAD_SEC or size != self._pane.picture_size
            if now - drawn < pause or not (new or due) or not self._pane.seen:
                continue
            drawn, new = now, False
            window = tail.window(self._seconds)
            if due:
                looked, size = now, self._pane.picture_size
                head = live_head(self._live.name, tail.state, _quiet(tail), tail.ended(), self._seconds, size.width)
            if window is None or window.time_sec.size < 2 or size.width < 12:
                self._show(head)
                continue
            room, braille = size.height - HEAD_ROWS, self._pane.lane_look.braille
            groups = live_groups(window, self._seconds, scales, size.width, room, braille=braille)
            rows = sum(len(lane.rows) for group in groups for lane in group.lanes)
            pause = DRAW_SEC if rows <= MANY_ROWS else DRAW_MANY_SEC
            numbers = groups if due or not numbers else numbers
            self._show(live_lines(head, with_numbers(groups, numbers), window, size.width))

    def _show(self, lines: Sequence[Line]) -> None:
        if not self._stop.is_set() and self._pane.is_attached:
            self._pane.post_message(LivePane.Came(self._stop, lines))


def _quiet(tail: LiveTail) -> float:
    """So long nothing has come, where that is longer than the source's usual pause."""
    rate = max((sensor.rate_hz for sensor in tail.state.sensors), default=0.0)
    return tail.quiet_sec if tail.quiet_sec > max(1.5, 5 / rate if rate else 0.0) else 0.0
