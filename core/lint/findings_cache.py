"""What the checks found, kept under `.sensorloom/` between runs; it may be deleted at any time.

A database, so that one changed file costs one row, work that is broken off is not lost, and the wordings of a large
folder need not be in memory. What is broken is made anew; where it cannot be written, one that vanishes serves.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from core.errors import WorkspaceError
from core.files import SETTLED_NS
from core.lint.finding import Finding
from core.lint.record import Record
from core.thread.signature import Signature
from core.thread.summary import Summary
from core.workspace import Workspace, names_for_threads, private_folder

VERSION = 5
"""Of what is kept, and of the checks: raised when one of them finds something else in the same file."""

Made = TypeVar("Made")

AT_ONCE = 500
"""Stems in one question."""
BUSY_SECONDS = 20.0
"""How long another program of ours may be writing before one goes on without."""
_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_SCHEMA)
_KEY_BYTES = 16

_NAMES = ("thread", "said", "shared")
_TABLES = """
CREATE TABLE thread (
    stem BLOB PRIMARY KEY, size INTEGER, mtime_ns INTEGER, looked_ns INTEGER, labels TEXT, checks TEXT, findings TEXT
) WITHOUT ROWID;
CREATE TABLE said (stem BLOB PRIMARY KEY, exact BLOB, keys BLOB, sketch BLOB) WITHOUT ROWID;
CREATE TABLE shared (stem BLOB, hash BLOB, PRIMARY KEY (stem, hash)) WITHOUT ROWID;
"""
_CANDIDATES = """
SELECT DISTINCT stem FROM shared WHERE hash IN (SELECT hash FROM shared GROUP BY hash HAVING COUNT(*) > 1)
ORDER BY stem
"""


def with_findings_cache(
    workspace: Workspace,
    work: Callable[[FindingsCache], Made],
    *,
    busy_seconds: float = BUSY_SECONDS,
    at_once: int = AT_ONCE,
) -> Made:
    """Do `work` with what is kept of the workspace's threads. It may be done twice, where the first try fails."""
    path = findings_cache_path(workspace)
    for _ in range(2):
        try:
            private_folder(workspace)
            return _with(str(path), work, busy_seconds, at_once)
        except WorkspaceError:
            break
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _BROKEN:
                break
            for path_of_part in (path, path.with_name(f"{path.name}-journal")):
                with suppress(OSError):
                    path_of_part.unlink(missing_ok=True)
    return _with("", work, busy_seconds, at_once)


def findings_cache_path(workspace: Workspace) -> Path:
    """Where it is kept: apart for each threads folder that the workspace is used with."""
    return workspace.private / f"{'-'.join(names_for_threads(workspace, 'findings'))}.cache"


def _with(path: str, work: Callable[[FindingsCache], Made], busy_seconds: float, at_once: int) -> Made:
    with closing(sqlite3.connect(path, timeout=busy_seconds)) as database:
        database.execute("PRAGMA synchronous = NORMAL")
        if _version(database) != VERSION:
            with database:
                database.execute("BEGIN EXCLUSIVE")
                if _version(database) != VERSION:  # another program may have been faster
                    _make(database)
        return work(FindingsCache(database, lasting=bool(path), at_once=at_once))


def _version(database: sqlite3.Connection) -> int:
    return database.execute("PRAGMA user_version").fetchone()[0]


def _make(database: sqlite3.Connection) -> None:
    for name in _NAMES:
        database.execute(f"DROP TABLE IF EXISTS {name}")
    for statement in _TABLES.split(";"):
        database.execute(statement)
    database.execute(f"PRAGMA user_version = {VERSION}")


class FindingsCache:
    """What was found in the files of one threads folder. Every method may raise sqlite3.Error; see
    `with_findings_cache`."""

    def __init__(self, database: sqlite3.Connection, *, lasting: bool, at_once: int = AT_ONCE) -> None:
        self._database = database
        self._at_once = at_once
        self.lasting = lasting
        """Whether it will be there the next time."""

    def outdated(self, listing: Sequence[Summary], labels: Mapping[str, tuple[str, ...]]) -> list[Summary]:
        """The threads of `listing` that are not known as they are now, with these label sets by dataset."""
        marks = {dataset: _labels(of_dataset) for dataset, of_dataset in labels.items()}
        old: list[Summary] = []
        ask = "stem, size, mtime_ns, looked_ns, labels"
        for block in self._blocks(listing):
            known = {row[0]: row for row in self._rows(ask, "thread", [summary.stem for summary in block])}
            for summary in block:
                _, size, mtime_ns, looked_ns, mark = known.get(_key(summary.stem), ("", -1, 0, 0, ""))
                same = (size, mtime_ns, mark) == (summary.size, summary.mtime_ns, marks[summary.dataset])
                if not same or abs(looked_ns - mtime_ns) <= SETTLED_NS:
                    old.append(summary)
        return old

    def put(self, looked_at: Iterable[str], records: Sequence[Record]) -> None:
        """Keep what was found in these files, in place of what was known of them."""
        spoken = [(_key(record.stem), record.signature) for record in records if record.signature is not None]
        with self._database as database:
            _forget(database, [(_key(stem),) for stem in looked_at])
            database.executemany("INSERT INTO thread VALUES (?, ?, ?, ?, ?, ?, ?)", map(_row, records))
            rows = [(stem, signature.exact, b"".join(signature.keys), signature.sketch) for stem, signature in spoken]
            database.executemany("INSERT INTO said VALUES (?, ?, ?, ?)", rows)
            hashes = [(stem, key) for stem, signature in spoken for key in {signature.exact, *signature.keys}]
            database.executemany("INSERT INTO shared VALUES (?, ?)", hashes)

    def keep_only(self, stems: set[str]) -> None:
        """Forget every file but these."""
        keys = {_key(stem) for stem in stems}
        gone = [row for row in self._database.execute("SELECT stem FROM thread").fetchall() if row[0] not in keys]
        if gone:
            with self._database as database:
                _forget(database, gone)

    def checks(self) -> dict[str, frozenset[str]]:
        """The names of the checks that find something, by stem; threads in which none does are left out."""
        sets: dict[str, frozenset[str]] = {}
        names_by_stem: dict[str, frozenset[str]] = {}
        for stem, names in self._database.execute("SELECT stem, checks FROM thread WHERE checks != ''"):
            if names not in sets:
                sets[names] = frozenset(names.split(" "))
            names_by_stem[_stem(stem)] = sets[names]
        return names_by_stem

    def findings(self, stems: Iterable[str]) -> dict[str, tuple[Finding, ...]]:
        """What was found in each of these files that were looked at."""
        return {
            _stem(stem): tuple(Finding(*row) for row in json.loads(packed)) if packed else ()
            for block in self._blocks(stems)
            for stem, packed in self._rows("stem, findings", "thread", block)
        }

    def alike(self) -> Iterator[tuple[str, Signature]]:
        """Threads that share with another what duplicates share, by stem. Who takes them slowly keeps nobody from
        writing."""
        stems = [_stem(row[0]) for row in self._database.execute(_CANDIDATES).fetchall()]
        for block in self._blocks(stems):
            for stem, exact, keys, sketch in sorted(self._rows("stem, exact, keys, sketch", "said", block)):
                parts = tuple(keys[start : start + _KEY_BYTES] for start in range(0, len(keys), _KEY_BYTES))
                yield _stem(stem), Signature(exact, parts, sketch)

    def sketches(self) -> dict[str, bytes]:
        """The sketch of each thread's wording (`core.thread.signature.Signature`), by stem."""
        return {_stem(stem): sketch for stem, sketch in self._database.execute("SELECT stem, sketch FROM said")}

    def _blocks(self, every: Iterable[Made]) -> Iterator[list[Made]]:
        left = iter(every)
        while block := list(islice(left, self._at_once)):
            yield block

    def _rows(self, columns: str, table: str, stems: Sequence[str]) -> list[Any]:
        marks = ",".join("?" * len(stems))
        question = f"SELECT {columns} FROM {table} WHERE stem IN ({marks})"
        return self._database.execute(question, [_key(stem) for stem in stems]).fetchall()


def _forget(database: sqlite3.Connection, keys: Sequence[tuple[bytes]]) -> None:
    for table in _NAMES:
        database.executemany(f"DELETE FROM {table} WHERE stem = ?", keys)


def _row(record: Record) -> tuple[Any, ...]:
    every = [(each.check, each.message, each.sentence, each.fix, each.fixable) for each in record.findings]
    names = " ".join(sorted({each.check for each in record.findings}))
    packed = json.dumps(every) if every else ""
    return _key(record.stem), record.size, record.mtime_ns, record.looked_ns, _labels(record.labels), names, packed


_key, _stem = os.fsencode, os.fsdecode
"""A file's name may hold bytes that are no text."""


def _labels(labels: Sequence[str]) -> str:
    return json.dumps(labels) if labels else ""
