"""An app in the colours that fit its terminal."""

from __future__ import annotations

import os

from textual.app import ReturnType
from textual.theme import Theme

from tui.terminal.colours import FEW_COLOURS, FEW_ON_LIGHT, WANTED, Ground, Wanted, ground_of, theme_for
from tui.terminal.driver import BackgroundAnswered
from tui.terminal.textual_private import CatchingApp

_FEW = (FEW_COLOURS, FEW_ON_LIGHT)


class ColouredApp(CatchingApp[ReturnType]):
    """Begins with the colours that a person or the environment names, and goes by what the terminal answers."""

    def __init__(self, wanted: Wanted = "auto") -> None:
        theme = theme_for(wanted, os.environ)
        super().__init__(ansi_color=theme in _FEW)
        self._wanted: Wanted = wanted
        self._ground: Ground | None = None
        """What the terminal answered."""
        self.animation_level = "none"
        self.register_theme(theme)
        self.theme = theme.name

    def on_background_answered(self, event: BackgroundAnswered) -> None:
        """Take the colours for the ground that the terminal says it has, unless a person chose others."""
        self._ground = ground_of(event.colour) or self._ground
        self._use(theme_for(self._wanted, os.environ, self._ground))

    def action_change_theme(self) -> None:
        """The next of the themes, until the program ends."""
        if "NO_COLOR" in os.environ:
            self.notify("NO_COLOR is set, so there are no colours to choose", markup=False)
            return
        names = [theme_for(name, os.environ, self._ground).name for name in WANTED]
        at = names.index(self.theme) if self.theme in names else len(names) - 1
        self._wanted = WANTED[(at + 1) % len(names)]
        self._use(theme_for(self._wanted, os.environ, self._ground))
        self.notify(f'theme = "{self._wanted}" under [screen] in sensorloom.toml keeps these colours', markup=False)

    def _use(self, theme: Theme) -> None:
        if theme.name != self.theme:
            self.register_theme(theme)
            self.ansi_color = theme in _FEW
            self.theme = theme.name
