"""The threads folder, brought to the app: what is there, then what changes, from a thread of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from textual.screen import Screen

from core.errors import SensorloomError
from core.listing import index, index_cache
from core.listing.index import Changes
from core.listing.summaries import Summaries
from core.storage.watch import watch_folder
from core.workspace import Workspace

_PATIENCE_SEC = 4.0, 1.0
"""How long the end of the program waits for the list's index to be written, and then for that to be given up. Who tells
a program to end often kills it after five seconds."""
_LOOKS_AGAIN_SEC = 0.02
"""Between two looks at whether what was told has been taken."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FeedListeners:
    """Who is told of the folder; all are called on the screen's loop, with values that never change again."""

    loaded: Callable[[Summaries], None]
    """Given what the cache remembers. Who is told of changes brings it up to date; here it is only read."""
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
        self._is_over = threading.Event()
        self._untaken: deque[Changes] = deque()
        """What was told and is on its way to the summaries."""
        self._thread = threading.Thread(target=self._run, name="folder", daemon=True)

    def start(self) -> None:
        """Begin to read and watch."""
        self._thread.start()

    def close(self) -> None:
        """Stop, and wait a little for the cache to be written."""
        for event, seconds in zip((self._stop, self._is_over), _PATIENCE_SEC, strict=True):
            event.set()
            if self._thread.is_alive():
                self._thread.join(seconds)

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
        self._tell(self._listeners.loaded, known)
        started = time.time_ns()
        outdated, whole = self._scan(known, trusted_ns)
        if not whole and trusted_ns:
            started = trusted_ns  # what has not been looked at is known from then
        if outdated:
            self._save(known, started)
        changed = False
        threads = self._workspace.threads
        for stems in watch_folder(threads, self._stop, polling=self._polling, notice=self._cannot_watch):
            self._wait_until_taken()
            if stems is None:
                changed |= self._scan(known, time.time_ns())[0]
            else:
                changes = index.rescan(threads, known, stems)
                if changes.changed or changes.gone:
                    changed = True
                    self._report(changes, True)
        if changed:
            self._save(known, started)

    def _report(self, changes: Changes, whole: bool) -> None:
        self._untaken.append(changes)
        self._tell(self._deliver, changes, whole)

    def _deliver(self, changes: Changes, whole: bool) -> None:
        self._listeners.changed(changes, whole)
        self._untaken.popleft()

    def _wait_until_taken(self) -> None:
        while self._untaken and not self._stop.wait(_LOOKS_AGAIN_SEC):
            pass

    def _save(self, known: Summaries, started: int) -> None:
        self._wait_until_taken()
        for changes in list(self._untaken):  # the screen, which is closing, takes no more
            index.apply(known, changes)
        index_cache.save(self._workspace, known, started, self._is_over.is_set)

    def _cannot_watch(self, reason: str) -> None:
        self._tell(self._listeners.failed, reason)

    def _scan(self, known: Summaries, trusted_ns: int) -> tuple[bool, bool]:
        """Whether anything had to be read, and whether the whole folder has been looked at: not where the program ends
        meanwhile."""
        outdated, whole = False, False
        try:
            for changes in index.scan(self._workspace.threads, known, trusted_ns):
                outdated |= bool(changes.changed or changes.gone or changes.read)
                whole = changes.seen == changes.total
                self._report(changes, whole)
                if self._stop.is_set():
                    break
        except SensorloomError as error:
            self._tell(self._listeners.failed, str(error))
        return outdated, whole
