"""A thread's history on its way into a pack."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from core.errors import SensorloomError, system_reason
from core.files import SETTLED_NS, read_regular_file
from core.storage import pack_file
from core.storage.history_files import LINES, Line, files_of, is_there
from core.storage.locks import thread_locked
from core.storage.pack_index import Packed
from core.storage.thread_files import stamp_of
from core.thread.json_form import MAX_BYTES
from core.workspace import Workspace

BLOCK_BYTES = 1 << 16
"""Lines in a block, about. The newest histories are read first, which lie anywhere: one is read in a quarter of the
time that blocks of threads take, and a pack is a tenth larger, since compressed states share little."""


def packed(workspace: Workspace, stem: str) -> Packed | None:
    """The two files of a thread's history as a pack keeps them: their size together, and the time of the log. None
    where there is no log.

    Raises:
        SensorloomError: they cannot be read, or would not come back byte for byte.
    """
    log_file, states_file = files_of(workspace, stem)
    stamp = stamp_of(str(log_file))
    if stamp is None:
        return None
    try:
        log, states = read_regular_file(log_file), None
        with suppress(FileNotFoundError):
            states = read_regular_file(states_file)  # after the log: it has all states that the log names
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SensorloomError(f"the history of {stem} cannot be read: {system_reason(error)}") from error
    line = _line_of(stem, log, states)
    if line is None:
        raise SensorloomError(f"{stem}: its history stays files, since a pack could not give it back byte for byte")
    return pack_file.as_line(stem, line, len(log) + len(states or b""), stamp[1])


def is_as_packed(workspace: Workspace, stem: str, member: Packed, started_ns: int) -> bool:
    """Whether the files still are what was packed since a time (ns). To be called under the thread's lock."""
    log, states = (stamp_of(str(path)) for path in files_of(workspace, stem))
    if log is None or log[1] != member.mtime_ns or log[0] + (states or (0, 0))[0] != member.size:
        return False
    if max(log[1], (states or (0, 0))[1]) < started_ns - SETTLED_NS:
        return True
    with suppress(SensorloomError):  # changed again within one tick of its clock it would have the same time
        again = packed(workspace, stem)
        return again is not None and again.digest == member.digest
    return False


def remove_files(workspace: Workspace, stem: str) -> None:
    """Remove the files of a history that is in a pack. To be called under the thread's lock. Raises OSError."""
    log, states = files_of(workspace, stem)
    log.unlink(missing_ok=True)  # first: while it is there, the states are looked for beside it
    states.unlink(missing_ok=True)


def remove_left(workspace: Workspace, stem: str) -> None:
    """Remove the states of a packed history that a kill left without their log. Raises SensorloomError."""
    log, states = files_of(workspace, stem)
    if states.exists() and not log.exists():
        with thread_locked(workspace.threads, stem):
            if not log.exists() and is_there(workspace, stem):
                states.unlink(missing_ok=True)


def _line_of(stem: str, log: bytes, states: bytes | None) -> bytes | None:
    """The line of a history; None where that would not give the same back: a log that a damaged disk left as no text,
    a name that is none, or more than is read of a pack."""
    try:
        line = msgspec.json.encode(Line(stem, log.decode(), states))
        again = LINES.decode(line)
    except (UnicodeError, msgspec.MsgspecError):
        return None
    same = (again.id, again.log.encode(), again.states) == (stem, log, states)
    return line if same and len(line) <= MAX_BYTES else None
