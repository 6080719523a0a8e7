"""The sensor as it is now: following a recording under way, and a thread about its last seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from core.errors import SensorloomError
from core.text import one_line
from core.workspace import Workspace
from tui.local_keys import keys_of
from tui.screens.frame import Frame
from tui.screens.new_thread import Begun
from tui.widgets.sensors import Sensors

if TYPE_CHECKING:
    from core.recording.live_folder import Live
    from core.storage.store import Stored


class LiveActions:
    """What the keys for a recording under way do."""

    def __init__(self, frame: Frame, workspace: Workspace, sensors: Sensors, begun: Callable[[Begun], None]) -> None:
        """Args: `begun` shows a thread that was made."""
        self._frame = frame
        self._workspace = workspace
        self._sensors = sensors
        self._begun = begun

    def follow(self) -> None:
        """Follow the recording under way; the session again, where one is followed."""
        if self._sensors.following:
            self._sensors.show_session()
            self._frame.show_keys()
            return
        self._frame.run_worker(self._look, thread=True, exclusive=True, group="live")

    def _look(self) -> None:
        from core.recording.last_window import recording_under_way

        try:
            live = recording_under_way(self._workspace)
        except SensorloomError as error:
            self._frame.call_later(self._say, str(error), "warning")
            return
        self._frame.call_later(self._show, live)

    def _show(self, live: Live) -> None:
        self._sensors.follow(live, self._workspace.settings.screen.live_seconds)
        self._frame.focus_pane("sensors")
        self._frame.show_keys()

    def begin(self) -> None:
        """Make a thread about the last window of the recording that is followed."""
        live = self._sensors.live
        if live is None:
            return

        def work() -> None:
            from core.recording.last_window import NOT_CHECKED, begin_thread, cut_last

            try:
                window = cut_last(self._workspace, live)
                stored = begin_thread(self._workspace, window)
            except SensorloomError as error:
                self._frame.call_later(self._say, str(error), "warning")
                return
            told = f"marked as {window.label}" if window.label else NOT_CHECKED
            self._frame.call_later(self._open, stored, f"the last {window.seconds:.1f} s: {told}")

        self._frame.run_worker(work, thread=True, exclusive=True, group="live")

    def _open(self, stored: Stored, sentence: str) -> None:
        self._sensors.show_session()
        self._begun(Begun(stored, run=False))
        keys = keys_of(self._frame)
        self._frame.focus_pane("conversation")
        self._say(
            f"{sentence}; {keys['turn.run_to_end']} answers, {keys['record.follow']} is live again", "information"
        )

    def _say(self, sentence: str, severity: Literal["information", "warning"]) -> None:
        self._frame.notify(one_line(sentence, 300), severity=severity, markup=False)
