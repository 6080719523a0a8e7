"""What labels are called that stand as codes in the recordings, where a file of the dataset says it."""

from __future__ import annotations

import csv
from dataclasses import replace

from core.datasets.archive import Raw
from core.datasets.tables.form import TableForm
from core.datasets.tables.layout import decoded
from core.datasets.tables.words import told
from core.errors import DatasetError


def with_label_names(raw: Raw, form: TableForm) -> TableForm:
    """A form with the names of labels in place of the file that has them. Raises DatasetError: the file is not there,
    or lacks a column."""
    if not form.label_table:
        return form
    name, code, called = form.label_table
    file = next((file for file in raw.files if file.name == name or file.name.endswith(f"/{name}")), None)
    if file is None:
        raise DatasetError(f"{raw.path}: {name} is not in it, which says what its labels are called; put it there")
    rows = list(csv.DictReader(decoded(file.read())[0].splitlines()))
    columns = list(rows[0]) if rows else []
    if missing := next((column for column in (code, called) if column not in columns), ""):
        raise DatasetError(f"{file.name}: it has no column {missing!r}; there are {', '.join(columns)}")
    names = {row[code]: told(row[called] or "") for row in rows if row[code]}
    return replace(form, labels={**names, **form.labels}, label_table=())
