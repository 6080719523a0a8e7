"""Which of somebody's files are tables, which hold labels, and which are left out, before any is read as a whole."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.datasets.archive import Raw, RawFile
from core.datasets.tables.devices import DEVICE_ENDINGS, with_device_tables
from core.datasets.tables.form import TableForm
from core.datasets.tables.intervals import is_annotation
from core.datasets.tables.joining import Source
from core.datasets.tables.layout import Layout, NoRows, Unreadable
from core.datasets.tables.paths import path_facts
from core.datasets.tables.reading import ENDINGS, layout_of
from core.datasets.tables.sources import sources_of
from core.errors import DatasetError

_A_TABLE = r"(?si)\A.*(" + "|".join(map(re.escape, (*ENDINGS, *DEVICE_ENDINGS))) + ")"
"""The whole path: files of one name in two folders are two recordings. Looked for, so that zips in a zip are opened,
and one that holds a file twice, or would not fit on the disk, is refused."""


@dataclass(frozen=True, slots=True)
class Survey:
    """The files of a folder, by what they are."""

    sources: tuple[Source, ...]
    """The files of each recording."""
    layouts: tuple[Layout, ...]
    """How each table is written."""
    annotations: tuple[RawFile, ...]
    """Files of labelled stretches."""
    left_out: Mapping[str, int]
    """Files that are left out, by reason."""

    @property
    def columns(self) -> dict[str, str]:
        """Every column, in the order of the files, and what it holds: see `Layout.kinds`."""
        every: dict[str, str] = {}
        for layout in self.layouts:
            for name, kind in zip(layout.names, layout.kinds, strict=True):
                every.setdefault(name, kind)
        return every


def table_files(raw: Raw) -> list[RawFile]:
    """The files of a folder or archive, by name; those of devices as tables. Zips in an archive that holds no table are
    opened for them. Raises DatasetError: a device's file cannot be read."""
    raw.find(_A_TABLE)
    with_device_tables(raw)
    return sorted(raw.files, key=lambda file: file.name)


def survey_of(raw: Raw, form: TableForm | None = None) -> Survey:
    """Look what each file is; a form may say which are read. Raises DatasetError: none is a table."""
    templates, labels = (form.files, form.intervals) if form else ((), "")
    tables: list[tuple[RawFile, Layout]] = []
    annotations: list[RawFile] = []
    left_out: Counter[str] = Counter()
    unreadable: list[str] = []
    files = table_files(raw)
    if labels and not any(path_facts(file.name, (labels,)) is not None for file in files):
        labels = ""  # a preset's file of labels is not in it, but one under another usual name may be
    for file in files:
        wanted = path_facts(file.name, templates) is not None
        if len(files) > 1 and not wanted and f"/{file.name}".count("/."):
            left_out["hidden files"] += 1  # such as the copies in .ipynb_checkpoints
        elif path_facts(file.name, (labels,)) if labels else not wanted and is_annotation(file):
            annotations.append(file)
        elif templates and not wanted:
            left_out["files that are not asked for"] += 1
        elif layout := _layout(file, left_out, unreadable):
            tables.append((file, layout))
    if not tables:
        raise DatasetError(f"{raw.path}: {_no_table(templates, unreadable)}")
    sources = sources_of([file for file, _ in tables], templates, raw.scratch)
    return Survey(tuple(sources), tuple(layout for _, layout in tables), tuple(annotations), left_out)


def _layout(file: RawFile, left_out: Counter[str], unreadable: list[str]) -> Layout | None:
    """How a file's rows are written; None where it has none, which is counted."""
    if not file.name.lower().endswith(ENDINGS):
        left_out["files that are no tables"] += 1
        return None
    try:
        return layout_of(file)
    except Unreadable as error:
        unreadable.append(str(error))
        left_out[f"file that cannot be read, damaged or no table ({file.name})"] += 1
    except NoRows as error:
        left_out[f"file without rows of numbers ({str(error).partition(':')[0]})"] += 1
    return None


def _no_table(templates: Sequence[str], unreadable: Sequence[str]) -> str:
    if unreadable:
        return f"no file in it holds rows of numbers; {unreadable[0]}"
    if templates:
        return f"no file in it is called {' or '.join(templates)} and holds rows of numbers"
    return f"no file in it holds rows of numbers under names and times ({', '.join(ENDINGS)})"
