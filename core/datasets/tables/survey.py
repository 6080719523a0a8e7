"""Which of somebody's files are tables, which hold labels, and which are left out, before any is read as a whole."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from core.datasets.archive import Raw, RawFile
from core.datasets.tables.intervals import is_annotation
from core.datasets.tables.layout import Layout, NoRows
from core.datasets.tables.reading import ENDINGS, layout_of
from core.datasets.tables.recordings import Source, sources_of
from core.errors import DatasetError

_A_TABLE = r"(?si)\A.*(" + "|".join(map(re.escape, ENDINGS)) + ")"
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


def survey_of(raw: Raw) -> Survey:
    """Look what each file is. Raises DatasetError: none is a table."""
    tables: list[tuple[RawFile, Layout]] = []
    annotations: list[RawFile] = []
    left_out: Counter[str] = Counter()
    raw.find(_A_TABLE)
    for file in sorted(raw.files, key=lambda file: file.name):
        if is_annotation(file.name):
            annotations.append(file)
        elif not file.name.lower().endswith(ENDINGS):
            left_out["files that are no tables"] += 1
        else:
            try:
                tables.append((file, layout_of(file)))
            except NoRows as error:
                left_out[f"file without rows of numbers ({str(error).partition(':')[0]})"] += 1
    if not tables:
        kinds = ", ".join(ENDINGS)
        raise DatasetError(f"{raw.path}: no file in it holds rows of numbers under names and times ({kinds})")
    sources = sources_of([file for file, _ in tables], raw.scratch)
    return Survey(tuple(sources), tuple(layout for _, layout in tables), tuple(annotations), left_out)
