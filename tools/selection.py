"""Narrowing a window to some channels or to a stretch of time. Each makes a new artifact."""

from __future__ import annotations

from typing import Any

import numpy as np

from tools.registry import SESSION, ToolContext, ToolError, tool
from tools.results import chosen_channels, current, fitting, looked_at, seconds
from tools.session import Window


@tool(makes_artifact=True)
def select_channels(context: ToolContext, channel_names: list[str], artifact_id: str = SESSION) -> dict[str, Any]:
    """Make a new artifact that holds only some channels.

    Args:
        channel_names: the channels to keep; a sensor's name such as "body_acc" stands for its three axes.
        artifact_id: the window to take them from; "session" is the whole session.
    """
    window = current(context, artifact_id)
    selected = chosen_channels(window, channel_names)
    head = looked_at(context.keep(selected), selected)
    return fitting(
        (
            {**head, "from_artifact": artifact_id[:40], "channels": list(selected.names)},
            {**head, "from_artifact": artifact_id[:40], "num_channels": len(selected.names)},
        )
    )


@tool(makes_artifact=True)
def filter_by_time(
    context: ToolContext, start_sec: float, end_sec: float, artifact_id: str = SESSION
) -> dict[str, Any]:
    """Make a new artifact that holds the samples from start_sec to end_sec, both included.

    Args:
        start_sec: the first second to keep, counted from the start of the session.
        end_sec: the last second to keep.
        artifact_id: the window to take them from; "session" is the whole session.
    """
    window = current(context, artifact_id)
    span = [seconds(window.start_sec), seconds(window.end_sec)]
    if not end_sec > start_sec:
        raise ToolError("end_sec must be greater than start_sec", window_sec=span)
    inside = np.flatnonzero((window.time_sec >= start_sec - 1e-9) & (window.time_sec <= end_sec + 1e-9))
    if inside.size < 2:
        raise ToolError(f"only {inside.size} samples lie between {start_sec:g} s and {end_sec:g} s", window_sec=span)
    part = slice(int(inside[0]), int(inside[-1]) + 1)
    cut = Window(window.channels, window.time_sec[part], window.values[:, part])
    return {
        **looked_at(context.keep(cut), cut),
        "from_artifact": artifact_id[:40],
        "num_channels": len(cut.names),
    }
