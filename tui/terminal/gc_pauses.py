"""Python's search for objects that only refer to each other, kept out of the keys' way.

A full search looks through all that lives, and nothing else happens meanwhile: 40 ms once the openai client is
imported, which is more than a frame. What such a search leaves over is modules, classes and the like, so it is not
looked through again.
"""

from __future__ import annotations

import gc
import time
from typing import Any

LONG_SECONDS = 0.005
"""A search that took longer has found much that stays. Shorter ones go on as ever, so what comes and goes is found."""

_began = 0.0


def start_searching() -> None:
    """Search from now on, but not through what is there already. Doing it again does no harm."""
    gc.freeze()
    gc.enable()
    if _searched not in gc.callbacks:
        gc.callbacks.append(_searched)


def _searched(phase: str, info: dict[str, Any]) -> None:
    global _began
    if phase == "start":
        _began = time.perf_counter()
    elif info["generation"] == 2 and time.perf_counter() - _began > LONG_SECONDS:
        gc.freeze()
