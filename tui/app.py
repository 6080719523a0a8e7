"""The app: the frame around the main screen. No logic lives here."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.command import Provider
from textual.driver import Driver
from textual.events import Event, InputEvent, Key
from textual.notifications import Notify, SeverityLevel
from textual.screen import Screen
from textual.widgets import Input

from core.datasets.table_news import stop_tables
from core.text import printable
from core.workspace import Workspace
from tui.keys import Keys
from tui.screens.main import MainScreen
from tui.screens.rebinding import rebound
from tui.terminal.coloured_app import ColouredApp
from tui.terminal.crash_guard import Guarded, Mishaps
from tui.terminal.driver import guarded
from tui.terminal.output_diff import terse
from tui.terminal.terminal import keep_pasted
from tui.terminal.textual_private import forget_notice, notice_space, notices

if TYPE_CHECKING:
    from tui.widgets.text_field import TextField

MOST_NOTICES = 3
"""So many are shown at once; more than that only where they are warnings."""
TOLD_SECONDS = 0.5
"""A notice older than that was there before a key that opens a screen."""


class SensorloomApp(Guarded, ColouredApp[None]):
    """Threads on the left, the conversation in the middle, the sensors on the right."""

    CSS_PATH = "app.tcss"
    TITLE = "sensorloom"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = set()  # the palette has our own alone
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (70, "-medium"), (132, "-wide")]  # noqa: RUF012 - declared so by Textual

    def __init__(
        self, workspace: Workspace, *, polling: bool | None = None, link: tuple[str, int] | None = None
    ) -> None:
        super().__init__(workspace.settings.screen.theme)
        self.workspace = workspace
        self._ending = False
        self.crash = ""
        """One sentence when the app had to end, for the terminal it leaves."""
        self.mishaps = Mishaps(workspace, self._say_mishap)
        actions = rebound(workspace.settings.keys)
        self.key_names = Keys(actions)
        """What sentences on the screen call the keys."""
        self._main = MainScreen(workspace, actions, polling=polling, link=link)
        if workspace.settings.keys:  # all of them: a key that two share would be lost with the one that moves away
            self.set_keymap({action.id: action.keys for action in actions})

    def on_mount(self) -> None:
        """Whatever nobody foresees goes to the log from now on."""
        self.mishaps.begin()
        self.screen_change_signal.subscribe(self, self._screen_changed, immediate=True)

    def on_ready(self) -> None:
        """Say what the folder names and brings that does not count, as nobody trusts it."""
        if self.workspace.undecided is not None:
            self.notify(self.workspace.undecided.ignored, severity="warning", timeout=15)

    def on_unmount(self) -> None:
        """Nothing is drawn any more, and nothing computed that would be waited for."""
        stop_tables()
        self.mishaps.end()

    async def on_event(self, event: Event) -> None:
        """Whatever a person does comes by here first."""
        if isinstance(event, InputEvent):
            self._main.used()
            if self._ending and isinstance(event, Key) and not self._is_text(event):
                return  # what was typed is kept; commands that waited when the terminal went away are void
        if isinstance(event, Key) and event.is_forwarded and event.is_printable and isinstance(self.focused, Input):
            # Nobody took the letter, which was sent on its way before the line had the focus: a line takes its own.
            self.focused.replace(event.character or "", *self.focused.selection)
        else:
            await super().on_event(event)

    def _is_text(self, event: Key) -> bool:
        return self.focused is not None and self.focused.check_consume_key(event.key, event.character)

    def went_wrong(self, error: Exception) -> None:
        """Take an exception that nobody caught: log it, say so, and go on; or end, where there is no going on."""
        going_on = self.mishaps.note(error)
        if not (going_on and self._main.ready) and not self.crash:
            self.crash = self.mishaps.sentence(error)
            self.exit(return_code=1)

    def _say_mishap(self, text: str) -> None:
        self.notify(text, severity="error", timeout=15)

    def close(self) -> None:
        """Let what runs save, however the app came to its end."""
        self._main.close()

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """A notice; whatever it holds is drawn as plain text, control characters made visible."""
        super().notify(printable(message), title=printable(title), severity=severity, timeout=timeout, markup=False)

    def on_notify(self, event: Notify) -> None:
        """Before Textual shows a notice: one that says the same goes, and none lies over the open thread's answer."""
        present = notices(self)
        new = event.notification
        again = [notice for notice in present if (notice.message, notice.title) == (new.message, new.title)]
        fewer = [notice for notice in present if notice not in again and notice.severity == "information"]
        for notice in (*again, *fewer[: max(0, len(present) - len(again) - MOST_NOTICES + 1)]):
            forget_notice(self, notice)
        if self.screen is self._main and (space := notice_space(self.screen)) is not None:
            space.styles.dock = "bottom" if self._main.ends_high else "top"
            space.set_class(bool(self._main.query("#editor")), "-beside-editor")

    def _screen_changed(self, screen: Screen[object]) -> None:
        """A person went on: what was told before is not shown in what opens now; what was told just now, and warnings,
        are."""
        if screen is self._main:
            return
        for notice in notices(self):
            if notice.severity == "information" and time.time() - notice.raised_at > TOLD_SECONDS:
                forget_notice(self, notice)

    def on_text_field_too_much(self, event: TextField.TooMuch) -> None:
        """More was pasted than a field takes: keep it, and say where."""

        def work() -> None:
            self.call_from_thread(
                self.notify, keep_pasted(self.workspace, event.pasted), severity="warning", timeout=20
            )

        self.run_worker(work, thread=True, group="pasted")

    def get_driver_class(self) -> type[Driver]:
        """The platform's driver, in fewer bytes, and ending the program when the terminal goes away."""
        return terse(guarded(super().get_driver_class(), self._told_to_end))

    def _told_to_end(self) -> None:
        self._ending = True
        self._main.leave()

    def get_default_screen(self) -> Screen[None]:
        """The main screen."""
        return self._main
