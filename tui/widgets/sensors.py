"""The sensor pane: the channels that the focused message is about, played in real time when asked."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual.events import Resize
from textual.geometry import Size
from textual.message import Message
from textual.timer import Timer

from core.errors import SensorloomError
from core.thread.value import Thread
from core.workspace import Workspace
from tui.widgets.lane_look import LaneLook, has_braille
from tui.widgets.lines import Line, wrapped
from tui.widgets.live_pane import LivePane

if TYPE_CHECKING:
    from core.runs.session_view import SessionView
    from tui.widgets.sensor_lines import Group

SETTLE_SECONDS = 0.1
"""A cursor that moves on within this time is on its way: only where it stops is loaded."""
PLAY_SECONDS = 0.25
"""Between two positions while playing: four a second is what a thin link carries."""
FOLLOW_SECONDS = 1.0
"""Between two looks at the session's file, which may still be growing."""


class Sensors(LivePane, can_focus=True):
    """Shows a window of the thread's session as lanes."""

    @dataclass
    class Loaded(Message):
        """A window is ready to be drawn, or cannot be had."""

        request: int
        view: SessionView | None = None
        groups: tuple[Group, ...] = ()
        drawn_for: tuple[Size, LaneLook] | None = None
        """The size and the look of the lanes."""
        problem: str = ""

    @dataclass
    class Grown(Message):
        """The session's file is no longer what was read."""

        request: int

    def __init__(self, workspace: Workspace, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._workspace = workspace
        self._request = 0
        self._wanted: tuple[Thread, int] | None = None
        self._shown: Sensors.Loaded | None = None
        self._message = ""
        self._blind = False
        self.lane_look = LaneLook(has_braille(workspace.settings.screen.dots))
        self._settle: Timer | None = None
        self._asked_at = 0.0
        self._player: Timer | None = None
        self._at: float | None = None
        self._began = 0.0
        self._follow = threading.Event()

    @property
    def view(self) -> SessionView | None:
        """What is shown, for the full-screen plot."""
        return self._shown.view if self._shown else None

    @property
    def reading(self) -> bool:
        """Whether a session was asked for, and is neither there nor known to be missing."""
        return self._wanted is not None and self._shown is None and not self._message

    def show(self, thread: Thread, index: int, *, blind: bool = False) -> None:
        """Show what message `index` is about, as soon as it is loaded; an earlier request is forgotten."""
        redraw = blind != self._blind
        self._blind = blind
        wanted = self._wanted
        if wanted and wanted[0].document is thread.document and wanted[1] == index:
            if redraw:
                self._draw()
            return
        if wanted and (wanted[0].dataset, wanted[0].session) != (thread.dataset, thread.session):
            self._stop_playing()
        self._wanted = (thread, index)
        self._ask()

    def reload(self) -> None:
        """Look again for the session, which may be there by now."""
        if self._wanted is not None:
            self._ask()

    def show_session(self) -> None:
        """Follow no recording any more, and show the session again."""
        self.unfollow()
        self._draw()

    def clear(self, message: str = "") -> None:
        """Show no session, and say why."""
        self._request += 1
        self._wanted = self._shown = None
        self._message = message
        self._stop_playing()
        self._follow.set()
        self._draw()

    def toggle_play(self) -> None:
        """Play the window in real time, or stop."""
        if self._player is not None:
            self._stop_playing()
        elif self.view is not None and self.view.window.end_sec > self.view.window.start_sec:
            self._began = time.monotonic()
            self._at = self.view.window.start_sec
            self._player = self.set_interval(PLAY_SECONDS, self._play)
        self._draw()

    @property
    def playing(self) -> bool:
        """Whether it plays."""
        return self._player is not None

    def on_unmount(self) -> None:
        """Stop following the session's file, or a recording."""
        self._follow.set()
        self.unfollow()

    def on_resize(self, event: Resize) -> None:
        """Draw the lanes anew at the new size."""
        self.resized()
        self._draw()

    def on_sensors_loaded(self, event: Sensors.Loaded) -> None:
        """Take what was loaded, unless something else was asked for since."""
        if event.request != self._request:
            return
        self._shown = event if event.view is not None else None
        self._message = event.problem
        self._draw()
        if event.view is not None and event.view.path is not None:
            self._follow.set()
            self._follow = threading.Event()
            work = partial(self._watch, event.view, self._follow, event.request)
            threading.Thread(target=work, name="session", daemon=True).start()

    def _ask(self) -> None:
        if self._settle is not None:
            self._settle.stop()
        now = time.monotonic()
        moving, self._asked_at = now - self._asked_at < SETTLE_SECONDS, now
        if moving:
            self._settle = self.set_timer(SETTLE_SECONDS, self._load)
        else:
            self._load()

    def _load(self) -> None:
        self._request += 1
        if self._wanted is None:
            return
        (thread, index), request = self._wanted, self._request
        work = partial(self._work, thread, index, request, self.body, self.lane_look)
        self.run_worker(work, thread=True, exclusive=True, group="sensors")

    def _work(self, thread: Thread, index: int, request: int, size: Size, look: LaneLook) -> None:
        """Load and draw on a worker's thread; what it needs is imported here, off the screen's loop."""
        from core.runs.session_view import view_at
        from tui.widgets.sensor_lines import groups_of

        try:
            view = view_at(self._workspace, thread, index)
            groups = groups_of(view.window, size.width, size.height - HEAD_ROWS, look)
            self.post_message(self.Loaded(request, view, groups, (size, look)))
        except SensorloomError as error:
            self.post_message(self.Loaded(request, problem=str(error)))

    def _watch(self, view: SessionView, stop: threading.Event, request: int) -> None:
        """Ask again when the session's file has changed; runs on a thread of its own until told to stop."""
        from core.runs.session_view import stamp_of

        while not stop.wait(FOLLOW_SECONDS):
            if stamp_of(view.path) != view.stamp:
                self.post_message(self.Grown(request))
                return

    def on_sensors_grown(self, event: Sensors.Grown) -> None:
        """Read the session again."""
        if event.request == self._request:
            self._load()

    def _play(self) -> None:
        view = self.view
        if view is None:
            self._stop_playing()
            return
        self._at = view.window.start_sec + time.monotonic() - self._began
        if self._at >= view.window.end_sec:
            self._stop_playing()
        if self.app.app_focus:
            self._draw()

    def _stop_playing(self) -> None:
        if self._player is not None:
            self._player.stop()
        self._player = self._at = None

    def _draw(self) -> None:
        if self.following:
            return
        shown, width = self._shown, self.body.width
        if shown is None or shown.view is None or width < 8:
            rows: list[Line] = [(), *((_MARGIN, *line) for line in wrapped(self._message, max(8, width - 2), "dim"))]
            self.put(rows)
            return
        from tui.widgets.sensor_lines import groups_of, head_lines, lane_lines

        view = shown.view
        wanted = (self.body, self.lane_look)
        if shown.drawn_for != wanted:
            groups = groups_of(view.window, width, self.body.height - HEAD_ROWS, self.lane_look)
            shown = self._shown = self.Loaded(shown.request, view, groups, wanted)
        head = head_lines(view, "" if self._blind else view.truth, width, self._at)
        self.put([*head, *lane_lines(shown.groups, view.window, width, self._at)])


HEAD_ROWS = 4
"""Rows above the lanes."""
_MARGIN = ("  ", "text")
