"""Importing a raw dataset into the standard form, so that only a whole one ever stands under its name.

Sessions are written unit by unit (a subject, or a block of rows) into a hidden folder beside the final one.
A unit that is finished is noted there, so an import that was killed goes on where it was; the last step is a
rename. Nothing is synced to disk file by file, which would take minutes for ten thousand small files, but
everything once before the rename.
"""

from __future__ import annotations

import difflib
import importlib
import re
import time
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.datasets.archive import Raw, open_raw, together
from core.datasets.plan import Importer, ImportOptions, ImportStoppedError, Plan, Progress
from core.datasets.staging import Staging
from core.datasets.standard import is_safe_name
from core.datasets.watched import Following
from core.errors import DatasetError, UsageError, system_reason
from core.storage.atomic import exchange, sync_folder
from core.workspace import Workspace

IMPORTERS = {
    "demo": "core.datasets.demo",
    "uci_har": "core.datasets.uci_har",
    "pamap2": "core.datasets.pamap2",
    "mhealth": "core.datasets.mhealth",
    "wisdm": "core.datasets.wisdm",
    "wisdm_v1": "core.datasets.wisdm_v1",
    "hapt": "core.datasets.hapt",
    "table": "core.datasets.tables.importer",
    "planted": "core.datasets.planted",
}
"""Every importer; its module holds an `IMPORTER`."""

FORM = 3
"""Changes whenever the same raw files would be written otherwise, so that no two kinds of sessions are mixed."""

_FLAGS = {"length_sec": "--length", "overlap": "--overlap", "seed": "--seed", "device": "--device"}
"""The fields of `ImportOptions` as a person gives them."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did."""

    dataset: str
    folder: Path
    sessions: int
    subjects: int
    activities: Mapping[str, int]
    """Sessions per label."""
    dropped: Mapping[str, int]
    """What was left out, by reason."""
    resumed: int
    """How many sessions an earlier, interrupted import had finished."""
    seconds: float
    replaced: Path | None = None
    """Where the dataset that stood under the name is now."""
    recordings: tuple[str, ...] = ()
    """Those that are kept whole."""
    told: tuple[str, ...] = ()
    """What was decided by looking at the files, a line each."""


def importer_named(name: str) -> Importer:
    """An importer. Raises UsageError naming the nearest one."""
    if name not in IMPORTERS:
        near = difflib.get_close_matches(name, IMPORTERS, 1)
        hint = f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(IMPORTERS)}"
        raise UsageError(f"there is no importer `{name}`; {hint}")
    return importlib.import_module(IMPORTERS[name]).IMPORTER


def refuse_taken(workspace: Workspace, name: str) -> None:
    """Raise UsageError where there is a dataset of that name."""
    if (workspace.data / name).exists():
        raise UsageError(f"there is a dataset {name} already; add --replace, or choose another name with --name")


def import_dataset(
    workspace: Workspace,
    kind: str,
    path: Path | None = None,
    *more: Path,
    name: str | None = None,
    options: ImportOptions | None = None,
    replace: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Import a raw dataset, or go on with an import that was interrupted.

    Args:
        workspace: where its data folder is.
        kind: the importer's name.
        path: the raw folder or archive.
        more: further ones of one's own recordings.
        name: the dataset's name; the importer's unless told, or of one's own recordings their folder's or file's.
        options: how sessions are cut.
        replace: put it in the place of a dataset of that name, which is kept, hidden, beside it.
        progress: told after each step. Where it raises ImportStoppedError, nothing of the import stays.

    Raises:
        UsageError: the request cannot be carried out as it is put.
        DatasetError: the raw files are wrong or damaged, or nothing can be written; no dataset was made.
    """
    importer, options = importer_named(kind), options or ImportOptions()
    shown = None if path is None else together(path, *more)
    name = name or _name(importer, shown)
    _check_request(importer, path, more, name, options)
    final = workspace.data / name
    if not replace:
        refuse_taken(workspace, name)
    partial = workspace.data / f".{name}.partial"
    began = time.monotonic()
    try:
        workspace.data.mkdir(parents=True, exist_ok=True)
        with alone(workspace.data, name), _raw(path, more, partial) as raw:
            following = Following(raw, progress) if raw and progress else None
            plan = importer.plan(raw, options)
            if following:
                following.in_bytes, progress = plan.in_bytes, following.told
            staging = Staging(partial, _job(importer, raw, plan))
            resumed = staging.sessions
            _carry_out(plan, staging, shown, progress)
            replaced = put_in_place(partial, final)
    except OSError as error:
        reason = system_reason(error)
        raise DatasetError(f"cannot write {partial}: {reason}; import again to go on where it stopped") from error
    return _report(final, staging, plan, resumed, time.monotonic() - began, replaced)


def _report(
    final: Path, staging: Staging, plan: Plan, resumed: int, seconds: float, replaced: Path | None
) -> ImportReport:
    return ImportReport(
        final.name,
        final,
        staging.sessions,
        len({*staging.subjects.values(), *staging.recordings.values()} - {""}),
        dict(sorted(Counter(staging.labels.values()).items())),
        staging.dropped_by_reason(plan),
        resumed,
        seconds,
        replaced,
        tuple(sorted(staging.recordings)),
        plan.told,
    )


def _name(importer: Importer, path: Path | None) -> str:
    own = re.sub(r"\W+", "_", path.stem).strip("_") if importer.name == "table" and path is not None else ""
    return own or importer.name


def _check_request(
    importer: Importer, path: Path | None, more: Sequence[Path], name: str, options: ImportOptions
) -> None:
    if more and importer.name != "table":
        raise UsageError(f"{importer.name} is imported from one folder or archive; leave out {more[0]}")
    if not is_safe_name(name):
        raise UsageError(f"{name!r} cannot be a dataset's name: it is no plain folder name")
    if importer.needs_path and path is None:
        raise UsageError(f"{importer.name} is imported from its raw folder or archive: name it after `{importer.name}`")
    if not importer.needs_path and path is not None:
        raise UsageError(f"{importer.name} is made from a seed and reads no file; leave out {path}")
    for field, flag in _FLAGS.items():
        if getattr(options, field) is not None and field not in importer.options:
            known = ", ".join(_FLAGS[option] for option in importer.options)
            hint = f"it takes {known}" if known else "its windows are fixed by its publishers"
            raise UsageError(f"{importer.name} takes no {flag}: {hint}")


def _raw(path: Path | None, more: Sequence[Path], partial: Path) -> AbstractContextManager[Raw | None]:
    return nullcontext() if path is None else open_raw(path, partial.with_suffix(".unpacked"), *more)


def _carry_out(plan: Plan, staging: Staging, path: Path | None, progress: Progress | None) -> None:
    done = 0
    try:
        for unit in plan.units:
            if progress:
                progress(done, plan.total, unit.name)
            staging.add(unit)
            done += unit.size
        staging.finish(plan, path)
    except (DatasetError, ImportStoppedError):
        staging.discard()
        raise
    if progress:
        progress(plan.total, plan.total, "done")


def _job(importer: Importer, raw: Raw | None, plan: Plan) -> dict[str, Any]:
    """What an interrupted import must agree in to be continued."""
    signature = raw.signature() if raw else None
    return {"form": FORM, "importer": importer.name, "raw": signature, "settings": dict(plan.settings)}


@contextmanager
def alone(data: Path, name: str) -> Generator[None]:
    """One import of a name at a time. Raises UsageError when there is another; DatasetError where the folder cannot be
    written."""
    from filelock import FileLock, Timeout

    lock = FileLock(data / f".{name}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise UsageError(f"{name} is being imported or changed by another program at this moment") from error
    except OSError as error:
        raise DatasetError(f"cannot write into {data}: {system_reason(error)}; nothing was changed") from error
    try:
        yield
    finally:
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def put_in_place(partial: Path, final: Path) -> Path | None:
    """Rename the finished dataset; the one that stood there stays under the hidden name that is returned. Killed at any
    moment, one of them stands under its name."""
    replaced = None
    if final.exists():
        replaced = final.with_name(f".{final.name}.replaced-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}")
        partial.rename(replaced)
        try:
            exchange(replaced, final)
        except OSError:  # a file system that cannot
            replaced.rename(partial)
            final.rename(replaced)
            partial.rename(final)
    else:
        partial.rename(final)
    sync_folder(final.parent)
    return replaced
