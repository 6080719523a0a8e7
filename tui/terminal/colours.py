"""The colours of the program: on a dark ground, on a light one, and those of a terminal that has only sixteen.

Nothing is told by colour alone, but what tells it must survive: with sixteen colours or none the cursor is drawn in
reverse, and marks are bold or underlined.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

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

LIGHT = Theme(
    name="sensorloom-light",
    primary="#1f6fb2",
    secondary="#3f6480",
    accent="#8a5300",
    warning="#8a5300",
    error="#b02a4c",
    success="#23733a",
    foreground="#1d2126",
    background="#fbfaf7",
    surface="#f1efea",
    panel="#e4e1da",
    dark=False,
    variables={
        "text-muted": "#5b626d",
        "text-disabled": "#8a919c",
        # Textual makes these lighter than the ground, which a light one has no room for
        "surface-lighten-1": "#e4e1da",
        "surface-lighten-2": "#c9c5bb",
        "surface-lighten-3": "#a9a498",
        "panel-lighten-1": "#dad6cd",
    },
)

_ANSI = BUILTIN_THEMES["ansi-dark"]
FEW_COLOURS = replace(
    _ANSI,
    name="sensorloom-16",
    accent="ansi_yellow",
    variables={**_ANSI.variables, "text-muted": "ansi_default", "text-disabled": "ansi_default"},
)
"""The terminal's own sixteen on its own background, whichever that is."""
FEW_ON_LIGHT = replace(FEW_COLOURS, name="sensorloom-16-light", accent="ansi_magenta", warning="ansi_magenta")
"""The same where that is known to be light: yellow is hard to see there."""

Ground = Literal["dark", "light"]
Wanted = Literal["auto", "dark", "light", "16"]
"""What `theme` under `[screen]` says."""
WANTED: tuple[Wanted, ...] = ("dark", "light", "16")
"""Those that name a theme."""
_ANSWER = re.compile(r"rgba?:([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})")
_LUMA = (0.2126, 0.7152, 0.0722)
"""Shares of red, green and blue in how bright a colour looks: ITU-R BT.709."""


def theme_for(wanted: Wanted, environ: Mapping[str, str], ground: Ground | None = None) -> Theme:
    """The theme for a terminal.

    Args:
        wanted: what a person chose. Where nobody wants colours (https://no-color.org), none is drawn in any case.
        environ: says how many colours the terminal has.
        ground: what the terminal answered about its background; None before, and where it does not say.
    """
    if "NO_COLOR" in environ or wanted == "16" or (wanted == "auto" and has_few_colours(environ)):
        return FEW_ON_LIGHT if ground == "light" else FEW_COLOURS
    return LIGHT if (wanted if wanted != "auto" else ground or _ground_named(environ)) == "light" else THEME


def ground_of(answer: str) -> Ground | None:
    """Whether a colour as a terminal names it, `rgb:ffff/ffff/ffff`, is dark or light; None for anything else.

    The form is XParseColor's, of one to four hexadecimal digits a part (https://invisible-island.net/xterm/ctlseqs).
    """
    match = _ANSWER.match(answer)
    if match is None:
        return None
    parts = [int(part, 16) / (16 ** len(part) - 1) for part in match.groups()]
    return "light" if sum(share * part for share, part in zip(_LUMA, parts, strict=True)) > 0.5 else "dark"


def _ground_named(environ: Mapping[str, str]) -> Ground | None:
    """What rxvt, Konsole and others say before they are asked: `COLORFGBG`, text and ground as numbers of the sixteen
    colours."""
    number = environ.get("COLORFGBG", "").rpartition(";")[2]
    return ("light" if number in ("7", "15") else "dark") if number else None


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
