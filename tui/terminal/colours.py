"""The colours of the program, and those for a terminal that has only sixteen, or whose person wants none.

Nothing is told by colour alone, but what tells it must survive: with sixteen colours or none the cursor is drawn in
reverse, and marks are bold or underlined.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace

from rich.console import Console
from textual import constants
from textual.theme import BUILTIN_THEMES, Theme

THEME = Theme(
    name="sensorloom",
    primary="#3d8fd1",
    secondary="#7a9bb5",
    accent="#e5b567",
    warning="#e5b567",
    error="#d9708a",
    success="#7fc08e",
    foreground="#d7dae0",
    background="#14161a",
    surface="#1b1e23",
    panel="#23272e",
    dark=True,
    # plain colours: one that depends on its background cannot be resolved where lines are drawn segment by segment
    variables={"text-muted": "#8a919c", "text-disabled": "#5c636e"},
)

_ANSI = BUILTIN_THEMES["ansi-dark"]
FEW_COLOURS = replace(
    _ANSI,
    name="sensorloom-16",
    accent="ansi_yellow",
    variables={**_ANSI.variables, "text-muted": "ansi_default", "text-disabled": "ansi_default"},
)
"""The terminal's own sixteen on its own background, whichever that is."""


def has_few_colours(environ: Mapping[str, str]) -> bool:
    """Whether the terminal has sixteen colours at most, or its person asked for none (https://no-color.org)."""
    console = Console(
        color_system=constants.COLOR_SYSTEM,  # pyright: ignore[reportArgumentType] - Textual's own check of the name
        force_terminal=True,
        file=io.StringIO(),
        legacy_windows=False,
        _environ=environ,
    )
    return "NO_COLOR" in environ or console.color_system in (None, "standard", "windows")
