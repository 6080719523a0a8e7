"""The threads folder, brought to the app: what is there, then what changes, from a thread of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from textual.message import Message

from core.errors import SensorloomError
from core.listing import index, index_cache
from core.listing.index import Changes
from core.storage.watch import watch_folder
from core.thread.summary import Summary
from core.workspace import Workspace

_log = logging.getLogger(__name__)


class FolderFeed:
    """Reads and watches the folder. What it posts it never changes again."""

    @dataclass
    class Loaded(Message):
        """What the cache remembers, which the scan that follows brings up to date."""

        summaries: tuple[Summary, ...]

    @dataclass
    class Changed(Message):
        """Files that appeared, changed or went."""

        changes: Changes
        scanned: bool
        """Whether the whole folder has been looked at by now."""

    @dataclass
    class Failed(Message):
        """The folder cannot be read."""

        reason: str

    def __init__(self, workspace: Workspace, post: Callable[[Message], object], *, polling: bool | None = None):
        self._workspace = workspace
        self._post = post
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
            self._post(self.Failed(f"the threads folder is no longer followed ({what}); start again to see changes"))

    def _follow(self) -> None:
        known, trusted_ns = index_cache.load(self._workspace)
        self._post(self.Loaded(tuple(known.values())))
        started = time.time_ns()
        if self._scan(known, trusted_ns):
            index_cache.save(self._workspace, known, started)
        changed = False
        threads = self._workspace.threads
        for stems in watch_folder(threads, self._stop, polling=self._polling, notice=self._cannot_watch):
            if stems is None:
                changed |= self._scan(known, time.time_ns())
            else:
                found = index.rescan(self._workspace.threads, known, stems)
                if index.apply(known, found):
                    changed = True
                    self._post(self.Changed(found, True))
        if changed:
            index_cache.save(self._workspace, known, started)

    def _cannot_watch(self, reason: str) -> None:
        self._post(self.Failed(reason))

    def _scan(self, known: dict[str, Summary], trusted_ns: int) -> bool:
        outdated = False
        try:
            for changes in index.scan(self._workspace.threads, known, trusted_ns):
                if self._stop.is_set():
                    return False
                outdated |= index.apply(known, changes) or changes.read > 0
                self._post(self.Changed(changes, changes.seen == changes.total))
        except SensorloomError as error:
            self._post(self.Failed(str(error)))
        return outdated
