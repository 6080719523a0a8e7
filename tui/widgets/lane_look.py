"""How lanes and charts are drawn, as the terminal can and as a person wants."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LaneLook:
    """How lanes are drawn."""

    braille: bool = False
    """Whether the terminal has braille."""
    by_unit: bool = False
    """Whether a row stands for as much in all lanes of a unit; else in those of a sensor."""


USUAL = LaneLook()
"""In every terminal, each sensor for itself."""


def has_braille(dots: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether curves are drawn in braille: as the settings say, else wherever the terminal is no bare console.

    Args:
        dots: `auto`, `braille` or `blocks`, as `[screen] dots` says.
        environ: where the terminal says what it is.
    """
    return dots == "braille" or (dots == "auto" and environ.get("TERM", "") not in ("linux", "dumb", "vt100", "vt220"))
