"""What other programs do to the threads folder, as it happens.

An atomic replace is reported as `added`, so added and modified are one thing here. Whether a change was
our own save is for the reader to tell, by the content's hash.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from core.storage.thread_files import listed_as
from core.workspace import PACKS

if TYPE_CHECKING:
    from watchfiles import Change

STEP_MS = 50
"""How long a quiet moment ends a group of changes."""
DEBOUNCE_MS = 400
"""How long changes are grouped at most, while they keep coming."""
TIMEOUT_MS = 2_000
"""How often the folder itself is looked at: it may appear, vanish or be replaced."""
POLL_MS = 1_000
"""Between two looks at a folder whose file system reports nothing."""

_NETWORK = ("nfs", "cifs", "smb", "9p", "fuse.sshfs", "fuse.rclone", "afs", "ceph", "glusterfs", "lustre")


def watch_folder(
    folder: Path,
    stop: threading.Event,
    *,
    polling: bool | None = None,
    notice: Callable[[str], object] = lambda _: None,
) -> Iterator[set[str] | None]:
    """Yield the stems of thread files that changed, until `stop` is set. Blocks between.

    Yields None when everything may have changed: when watching has begun, when the folder or that of its packs
    appeared, vanished or was replaced by another one, and when packs came or went.

    Args:
        folder: the threads folder; it need not exist.
        stop: ends the watch within a moment.
        polling: look again and again rather than be told; found out from the file system unless told.
        notice: told, in one sentence, when the system has no watch left for the folder, which is then polled.
    """
    refused = False
    while not stop.is_set():
        identity = _identity(folder)
        watched = folder if identity else _nearest(folder)
        packs_changed = partial(_of_packs, packs=str(folder / PACKS))
        by_looking = refused or (_is_network(watched) if polling is None else polling)
        began = False
        try:
            for changes in _changes_in(watched, folder / PACKS, stop, by_looking):
                if not began:
                    began = True
                    yield None
                if _identity(folder) != identity or _came_or_went(changes, str(folder / PACKS)):
                    yield None
                    break
                paths = [path for _, path in changes]
                if any(map(packs_changed, paths)):
                    yield None
                elif changed := _stems(folder, paths):
                    yield changed
        except (OSError, RuntimeError) as error:  # watchfiles says a lack of inotify instances with an error of its own
            if by_looking or _identity(folder) != identity:  # the folder went while the watch was set up
                stop.wait(TIMEOUT_MS / 1000)
            else:
                refused = True
                notice(
                    f"{folder} is looked at every {POLL_MS // 1000} s, because the system does not watch it: {error}"
                )


def _changes_in(
    watched: Path, packs: Path, stop: threading.Event, by_looking: bool
) -> Iterator[set[tuple[Change, str]]]:
    """What changes in a folder, and nothing now and then. Raises OSError and RuntimeError when it cannot be watched."""
    from watchfiles import watch

    # the parent tells at once that the folder was replaced; polling it could mean a large home folder
    with_parent = not by_looking and os.access(watched.parent, os.R_OK)
    yield from watch(
        *({watched, watched.parent} if with_parent else {watched}),
        *({packs} if packs.is_dir() else ()),
        watch_filter=None,
        step=STEP_MS,
        debounce=DEBOUNCE_MS,
        stop_event=stop,
        rust_timeout=TIMEOUT_MS,
        yield_on_timeout=True,
        recursive=False,
        force_polling=by_looking or None,
        poll_delay_ms=POLL_MS,
        raise_interrupt=False,
        ignore_permission_denied=by_looking,  # without polling it would ignore that no watch is left, too
    )


def _stems(folder: Path, paths: Iterable[str]) -> set[str]:
    parent = str(folder)
    return {stem for path in paths if (stem := listed_as(os.path.basename(path))) and _under(path, parent)}  # noqa: PTH119 - called for every change


def _under(path: str, parent: str) -> bool:
    return os.path.dirname(path) == parent  # noqa: PTH120 - called for every change


def _of_packs(path: str, packs: str) -> bool:
    """Whether a path is a pack or what is known of them, not one that is still being written."""
    return _under(path, packs) and not os.path.basename(path).startswith(".")  # noqa: PTH119 - called for every change


def _came_or_went(changes: Iterable[tuple[Change, str]], packs: str) -> bool:
    """Whether the folder of packs did: one that comes right after may have the number that the one before had."""
    from watchfiles import Change

    return any(path == packs and change is not Change.modified for change, path in changes)


def _identity(folder: Path) -> tuple[int, ...]:
    """By which a folder and that of its packs are known to be others than before; empty when it is not there."""
    try:
        status = folder.stat()
    except OSError:
        return ()
    try:
        return status.st_dev, status.st_ino, (folder / PACKS).stat().st_ino
    except OSError:
        return status.st_dev, status.st_ino


def _nearest(folder: Path) -> Path:
    """The nearest folder above that exists."""
    return next((parent for parent in folder.parents if parent.is_dir()), Path("/"))


def _is_network(folder: Path) -> bool:
    """Whether the folder is on a file system that does not report what other machines write (Linux only)."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    best, kind = "", ""
    for line in mounts:
        _, mounted, file_system, *_ = line.split(" ")
        mounted = mounted.replace("\\040", " ")
        if len(mounted) >= len(best) and (folder == Path(mounted) or folder.is_relative_to(mounted)):
            best, kind = mounted, file_system
    return kind.startswith(_NETWORK)
