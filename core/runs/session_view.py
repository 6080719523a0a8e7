"""What of a session a person looks at beside a thread: the window that the focused message is about.

Loading reads files and executes calls, so it belongs on a thread of its own, never on the screen's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.datasets.standard import StandardDataset
from core.runs.toolbox import context_for, open_toolbox
from core.thread.scoring import activity_in
from core.thread.turns import block_end, calls_with_results
from core.thread.updates import with_messages
from core.thread.value import Thread, call_arguments, call_name
from core.workspace import Workspace

if TYPE_CHECKING:
    from tools.registry import Tool, ToolContext
    from tools.session import Window

CHANNEL_ARGUMENTS = ("channel_names", "channels", "channel_name", "channel")
"""Names by which tools take channels, ours and other people's."""
DRAWN_SAMPLES = 8192
"""Samples per channel that are kept for drawing; more than any terminal has dots across."""


@dataclass(frozen=True, slots=True)
class SessionView:
    """A window of a session, ready to be drawn."""

    session: str
    window: Window
    """The samples, thinned to their least and greatest where there are more than a screen can show."""
    full: Window
    """The same with every sample."""
    session_start: float
    """Seconds; where the whole session begins."""
    session_end: float
    samples: int
    """Samples per channel before thinning."""
    rate_hz: float | None
    artifact_id: str
    call: str
    """The tool whose call the window is from; empty for the session as it stands."""
    path: Path | None
    """The session's file, to be followed while it grows."""
    stamp: tuple[int, int]
    """Time of change (ns) and size of that file when it was read."""
    truth: str = ""
    """The session's label as the thread has it, for the person at the screen."""
    whole: Window | None = None
    """The whole session on the same channels; None where it is not known."""
    dataset: str = ""
    missing: int = 0
    """How many rows are not there, by the usual time between two."""


def view_at(workspace: Workspace, thread: Thread, index: int) -> SessionView:
    """The window in force at message `index`: that of the last call up to it, on the channels that call names.

    Raises:
        DatasetError: the dataset or the session cannot be read.
    """
    from tools.registry import SESSION, ToolError
    from tools.results import missing_rows

    tools = open_toolbox(workspace)
    past = with_messages(thread, thread.messages[: block_end(thread.messages, index)])
    context = context_for(workspace, past, tools)
    dataset = context.dataset
    path = dataset.path_of(thread.session) if isinstance(dataset, StandardDataset) else None
    stamp = stamp_of(path)
    whole = dataset.load(thread.session)
    call, arguments = _call_at(thread, index)
    artifact, window = SESSION, whole
    try:
        artifact = _artifact(call, arguments, tools, context)
        window = context.window(artifact)
    except ToolError:
        artifact = SESSION
    full = _with_channels(window, arguments)
    return SessionView(
        thread.session,
        thinned(full),
        full,
        whole.start_sec,
        whole.end_sec,
        int(window.time_sec.size),
        next((channel.rate_hz for channel in window.channels if channel.rate_hz), None),
        artifact,
        call,
        path,
        stamp,
        activity_in(thread.metadata),
        _with_channels(whole, arguments),
        thread.dataset,
        int(str(missing_rows(full).get("missing_rows", 0))),
    )


def stamp_of(path: Path | None) -> tuple[int, int]:
    """A file's time of change and size, by which a recording that grows is known; zeros when there is none."""
    try:
        status = path.stat() if path is not None else None
    except OSError:
        status = None
    return (status.st_mtime_ns, status.st_size) if status else (0, 0)


def _call_at(thread: Thread, index: int) -> tuple[str, dict[str, Any]]:
    """Name and arguments of the call that message `index` makes or answers, or of the last one before it."""
    for at in range(min(index, len(thread.messages) - 1), -1, -1):
        if pairs := calls_with_results(thread.messages, at):
            chosen = next((call for call, answer in pairs if answer == index), pairs[0][0])
            return call_name(chosen), _arguments(call_arguments(chosen))
    return "", {}


def _arguments(text: str) -> dict[str, Any]:
    try:
        arguments = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return arguments if isinstance(arguments, dict) else {}


def _artifact(call: str, arguments: Mapping[str, Any], tools: Sequence[Tool], context: ToolContext) -> str:
    """The artifact a call makes, else the one it looks at, else the session."""
    from tools.registry import SESSION
    from tools.registry import call as execute

    if any(tool.name == call and tool.makes_artifact for tool in tools):
        outcome = execute(tools, context, call, json.dumps(arguments))
        if outcome.artifact_id:
            return outcome.artifact_id
    named = arguments.get("artifact_id")
    return named if isinstance(named, str) else SESSION


def _with_channels(window: Window, arguments: Mapping[str, Any]) -> Window:
    """The window on the channels a call names; all of them where it names none that are there."""
    wanted: set[str] = set()
    for key in CHANNEL_ARGUMENTS:
        value = arguments.get(key)
        wanted |= (
            {value} if isinstance(value, str) else {str(name) for name in value} if isinstance(value, list) else set()
        )
    rows = [row for row, name in enumerate(window.names) if name in wanted]
    if not rows or len(rows) == len(window.channels):
        return window
    return replace(window, channels=tuple(window.channels[row] for row in rows), values=window.values[rows])


def thinned(window: Window, samples: int = DRAWN_SAMPLES) -> Window:
    """The window with at most `samples` samples, so that every drawn column still has its least and greatest value."""
    import numpy as np

    count = window.time_sec.size
    if count <= samples:
        return window
    starts = np.linspace(0, count, samples // 2, endpoint=False).astype(np.intp)
    values = np.empty((len(window.channels), 2 * starts.size))
    values[:, 0::2] = np.fmin.reduceat(window.values, starts, axis=1)
    values[:, 1::2] = np.fmax.reduceat(window.values, starts, axis=1)
    time = np.empty(2 * starts.size)
    time[0::2] = window.time_sec[starts]
    time[1::2] = window.time_sec[np.append(starts[1:], count) - 1]
    return replace(window, time_sec=time, values=values)
