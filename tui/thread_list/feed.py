"""The threads folder, brought to the app: what is there, then what changes, from a thread of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from textual.screen import Screen

from core.errors import SensorloomError
from core.listing import index, index_cache
from core.listing.index import Changes
from core.storage.watch import watch_folder
from core.thread.summary import Summary
from core.workspace import Workspace

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FeedListeners:
    """Who is told of the folder; all are called on the screen's loop, with values that never change again."""

    loaded: Callable[[dict[str, Summary]], None]
    """Given what the cache remembers, by stem, which the scan that follows brings up to date."""
    changed: Callable[[Changes, bool], None]
    """Told of files that appeared, changed or went, and whether the whole folder has been looked at by now."""
    failed: Callable[[str], None]
    """Told why the folder cannot be read."""


class FolderFeed:
    """Reads and watches the folder."""

    def __init__(
        self, screen: Screen[None], workspace: Workspace, listeners: FeedListeners, *, polling: bool | None = None
    ) -> None:
        self._screen = screen
        self._workspace = workspace
        self._listeners = listeners
        self._polling = polling
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="folder", daemon=True)

    def start(self) -> None:
        """Begin to read and watch."""
        self._thread.start()

    def close(self) -> None:
        """Stop, and wait for the cache to be written."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        try:
            self._follow()
        except Exception as error:  # a thread that ends unseen would leave a list that is never right again
            _log.exception("the folder is no longer followed")
            what = f"{type(error).__name__}: {error}"
            self._tell(
                self._listeners.failed,
                f"the threads folder is no longer followed ({what}); start again to see changes",
            )

    def _tell(self, listener: Callable[..., None], *arguments: object) -> None:
        self._screen.call_later(listener, *arguments)

    def _follow(self) -> None:
        known, trusted_ns = index_cache.load(self._workspace)
        self._tell(self._listeners.loaded, dict(known))
        started = time.time_ns()
        if self._scan(known, trusted_ns):
            index_cache.save(self._workspace, known, started)
        changed = False
        threads = self._workspace.threads
        for stems in watch_folder(threads, self._stop, polling=self._polling, notice=self._cannot_watch):
            if stems is None:
                changed |= self._scan(known, time.time_ns())
            else:
                changes = index.rescan(self._workspace.threads, known, stems)
                if index.apply(known, changes):
                    changed = True
                    self._tell(self._listeners.changed, changes, True)
        if changed:
            index_cache.save(self._workspace, known, started)

    def _cannot_watch(self, reason: str) -> None:
        self._tell(self._listeners.failed, reason)

    def _scan(self, known: dict[str, Summary], trusted_ns: int) -> bool:
        outdated = False
        try:
            for changes in index.scan(self._workspace.threads, known, trusted_ns):
                if self._stop.is_set():
                    return False
                outdated |= index.apply(known, changes) or changes.read > 0
                self._tell(self._listeners.changed, changes, changes.seen == changes.total)
        except SensorloomError as error:
            self._tell(self._listeners.failed, str(error))
        return outdated
