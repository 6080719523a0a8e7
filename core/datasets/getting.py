"""A dataset that somebody has in the standard form, as a folder or an archive, put into the data folder."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection
from dataclasses import replace as replace_fields
from pathlib import Path

from core.datasets.archive import Raw, RawFile, open_raw
from core.datasets.importing import alone, put_in_place, refuse_taken
from core.datasets.plan import Progress
from core.datasets.standard import LABELS, SESSIONS, StandardDataset, is_safe_name, open_dataset
from core.datasets.whole.recording import RECORDINGS, names_of_recordings
from core.errors import DatasetError, UsageError, system_reason
from core.workspace import Workspace

_ENDING = re.compile(r"(\.(zip|tar|tgz|tbz2?|txz|gz|bz2|xz))+$", re.IGNORECASE)
_OF_THE_FORM = re.compile(rf"[^/.][^/]*|({SESSIONS}|{RECORDINGS})/[^/.][^/]*/[^/.][^/]*")
"""Files beside the sessions, and those of each session and recording."""


def name_to_take(workspace: Workspace, source: str, name: str | None, *, replace: bool) -> str:
    """What a dataset will be called: as told, or as the folder or archive that is called `source`.

    Raises:
        UsageError: that is no name, or it is taken and is not to be replaced.
    """
    name = name or _ENDING.sub("", source)
    if not is_safe_name(name):
        raise UsageError(f"{name!r} cannot be a dataset's name: it is no plain folder name; give another with --name")
    if not replace:
        refuse_taken(workspace, name)
    return name


def get_dataset(
    workspace: Workspace,
    source: Path,
    name: str | None = None,
    *,
    replace: bool = False,
    progress: Progress | None = None,
) -> tuple[StandardDataset, Path | None]:
    """Put a dataset into the data folder, whole or not at all.

    Args:
        workspace: where its data folder is.
        source: a folder or archive that holds it.
        name: what it is called; as the folder or archive unless told.
        replace: put it in the place of a dataset of that name, which is kept, hidden, beside it.
        progress: told how many files are copied.

    Returns:
        The dataset as it was read, and where the one is that stood under its name.

    Raises:
        UsageError: the request cannot be carried out as it is put.
        DatasetError: there is no dataset in it, or nothing can be written; nothing was changed.
    """
    name = name_to_take(workspace, source.name, name, replace=replace)
    final = workspace.data / name
    making = workspace.data / f".{name}.partial"
    try:
        workspace.data.mkdir(parents=True, exist_ok=True)
        with alone(workspace.data, name):
            shutil.rmtree(making, ignore_errors=True)
            try:
                with open_raw(source, making.with_suffix(".unpacked")) as raw:
                    copy_dataset(raw, making / name, progress=progress)
                dataset = _opened(replace_fields(workspace, data=making), name, source)
                os.sync()
                return dataset, put_in_place(making / name, final)
            finally:
                shutil.rmtree(making, ignore_errors=True)
    except OSError as error:
        raise DatasetError(f"cannot write {final}: {system_reason(error)}; nothing was changed") from error


def _opened(workspace: Workspace, name: str, source: Path) -> StandardDataset:
    """The dataset, where it is one. Raises DatasetError."""
    try:
        dataset = open_dataset(workspace, name)
    except DatasetError as error:
        raise DatasetError(str(error).replace(str(workspace.data / name), str(source))) from error
    if not dataset.sessions and not names_of_recordings(dataset.folder):
        raise DatasetError(f"{source} holds no session that {LABELS} labels, and no recording: it is no whole dataset")
    return dataset


def copy_dataset(raw: Raw, folder: Path, names: Collection[str] = (), progress: Progress | None = None) -> None:
    """Copy a dataset out of a folder or archive.

    Args:
        raw: the folder or archive.
        folder: where it goes.
        names: the files that are wanted, by their paths in the dataset; all of the standard form unless told.
        progress: told how many files are copied.

    Raises:
        DatasetError: there is no dataset in it, or a damaged file.
        OSError: it cannot be written.
    """
    files = _files_of_dataset(raw)
    wanted = {name: file for name, file in files.items() if not names or name in names}
    (folder / SESSIONS).mkdir(parents=True)
    for number, (name, file) in enumerate(sorted(wanted.items())):
        if progress:
            progress(number, len(wanted), name)
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        file.copy_to(folder / name)
    if progress:
        progress(len(wanted), len(wanted), "done")


def _files_of_dataset(raw: Raw) -> dict[str, RawFile]:
    """The files of the standard form, by their paths in the dataset: it may lie in a folder of the archive."""
    roots = [file.name.removesuffix(LABELS) for file in raw.files if f"/{file.name}".endswith(f"/{LABELS}")]
    if not roots:
        raise DatasetError(
            f"{raw.path} holds no dataset in the standard form: there is no {LABELS} in it; raw files are imported "
            "with `sensorloom datasets import`"
        )
    root = min(roots, key=len)
    below = {file.name.removeprefix(root): file for file in raw.files if file.name.startswith(root)}
    return {name: file for name, file in below.items() if _OF_THE_FORM.fullmatch(name) and ".." not in name.split("/")}
