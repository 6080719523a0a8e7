"""Screens that take long to import, imported before anybody opens them: their keys answer at once then."""

from __future__ import annotations

from importlib import import_module

REST_SECONDS = 1.0
"""So long after the folder was read, and after a key, they are imported."""

SLOW_SCREENS = (
    "tui.screens.plot",
    "tui.screens.marking",
    "tui.screens.export_choice",
    "tui.screens.evaluations",
    "tui.screens.new_evaluation",
    "tui.screens.batches",
    "tui.screens.own_recordings",
)
"""Each took over 10 ms, up to 200 ms, all of which the key waited for."""


def import_slow_screens() -> None:
    """Import them, off the screen's loop. A key that asks for one meanwhile waits for what is left of its import."""
    for name in SLOW_SCREENS:
        import_module(name)
