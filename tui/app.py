"""The app: the frame around the main screen. No logic lives here."""

from __future__ import annotations

from textual.app import App
from textual.screen import Screen

from core.workspace import Workspace
from tui.keys import rebound
from tui.screens.main import MainScreen


class SensorloomApp(App[None]):
    """Threads on the left, the conversation in the middle, the sensors on the right."""

    CSS_PATH = "app.tcss"
    TITLE = "sensorloom"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (70, "-medium"), (120, "-wide")]  # noqa: RUF012 - declared so by Textual

    def __init__(self, workspace: Workspace, *, polling: bool | None = None) -> None:
        super().__init__()
        self.animation_level = "none"
        self.workspace = workspace
        self._polling = polling
        self._actions = rebound(workspace.settings.keys)
        self.set_keymap(dict(workspace.settings.keys))

    def get_default_screen(self) -> Screen[None]:
        """The main screen."""
        return MainScreen(self.workspace, self._actions, polling=self._polling)
