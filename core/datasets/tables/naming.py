"""Who was recorded and what was done, as folders, file names and columns tell it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.datasets.tables.channels import sensor_word
from core.datasets.tables.form import TableForm
from core.datasets.tables.intervals import LABEL, Interval, labels_at
from core.datasets.tables.layout import Layout
from core.datasets.tables.recordings import SUBJECT, Recording, Source

NO_LABEL = {"", "nan", "none", "null", "n/a", "unlabelled", "unlabeled", "unknown", "undefined"}
"""What stands where no activity was noted."""
_SUBJECT_WORD = re.compile(
    r"(?<![a-z])(subject|subj|sub|user|participant|person|volunteer|s|p|id)[_\-. ]?(\d+)(?!\d)", re.I
)


def label_column(layouts: Sequence[Layout]) -> str:
    """The column of labels that every file has; empty where there is none."""
    return _common(layouts, LABEL)


def subject_column(layouts: Sequence[Layout]) -> str:
    """The column of subjects that every file has; empty where there is none."""
    return _common(layouts, SUBJECT)


def folder_label(source: Source) -> str:
    """The innermost folder's name that is nobody's; empty at the top."""
    parts = [part for part in source.folder.split("/") if part and not _SUBJECT_WORD.fullmatch(part)]
    return parts[-1] if parts else ""


def file_label(source: Source) -> str:
    """The words of a file's name that are no subject, sensor, date or number."""
    name = _SUBJECT_WORD.sub(" ", source.files[0].name.rpartition("/")[2].rpartition(".")[0].replace("_", " "))
    words = re.findall(r"[^\W\d_]+", name)
    return "_".join(word for word in words if not sensor_word(word))


def subject_in_name(source: Source, *, folder: bool) -> str:
    """The subject that the folder's, or the file's, name holds; empty where it names none."""
    parts = source.folder.split("/") if folder else [source.files[0].name.rpartition("/")[2].rpartition(".")[0]]
    for part in reversed(parts):
        if match := _SUBJECT_WORD.search(part):
            return match[0].strip("_-. ")
    return ""


def person_named(source: Source, form: TableForm) -> str:
    """Who a recording is of, where a person said that folders or files name them: a subject's word and number, else
    the first word of the file's name, or the folder that is not the label's. Empty where that is nobody, or the label.
    """
    in_folder = form.subject == "folder"
    if known := subject_in_name(source, folder=in_folder):
        return known
    label = {"folder": folder_label, "file": file_label}.get(form.label, lambda _: "")(source)
    if in_folder:
        parts = [part for part in source.folder.split("/") if part != label]
        return parts[-1] if parts else ""
    stem = source.files[0].name.rpartition("/")[2].rpartition(".")[0]
    words = [word for word in re.findall(r"[^\W\d_]+", stem) if not sensor_word(word)]
    return "" if form.label == "file" or words[:1] == [label] else next(iter(words), "")


def told(text: object) -> str:
    """A cell as a label or subject: a whole number without its decimals, and no blanks around; empty for none."""
    if isinstance(text, float) and text.is_integer():
        text = int(text)
    plain = str(text).strip()
    return "" if plain.lower() in NO_LABEL else plain


def labels_of(
    recording: Recording, form: TableForm, intervals: Sequence[Interval]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Each row's label as a number, -1 for none, shape (n,), and the names that the numbers stand for."""
    rows = len(recording.time_ns)
    way, _, name = form.label.partition(":")
    if way == "intervals":
        names = tuple(sorted({interval.label for interval in intervals} - {""}))
        return labels_at(intervals, recording.time_ns, {label: at for at, label in enumerate(names)}), names
    if way == "column":
        labels = [told(text) for text in recording.texts.get(name, [""] * rows)]
        names = tuple(sorted({*labels} - {""}))
        number = {label: at for at, label in enumerate(names)} | {"": -1}
        return np.array([number[label] for label in labels], dtype=np.int64), names
    by_name = {"folder": folder_label, "file": file_label}
    label = by_name[way](recording.source) if way in by_name else name
    return np.zeros(rows, dtype=np.int64), (label,)


def people_in(recording: Recording, form: TableForm) -> dict[str, NDArray[np.bool_]]:
    """Who was recorded, each with the rows that are of that person, shape (n,); the empty name is nobody known.

    Where a column names one person alone, every row is of that one.
    """
    way, _, name = form.subject.partition(":")
    rows = len(recording.time_ns)
    named = [told(text) for text in recording.texts.get(name, [""] * rows)] if way == "column" else []
    people = sorted({*named} - {""})
    if len(people) > 1:
        of_rows = np.array(named, dtype=object)
        return {person: of_rows == person for person in sorted({*named})}
    if way in ("folder", "file"):
        subject = person_named(recording.source, form)
    else:
        subject = people[0] if people else name if way == "all" else ""
    return {subject: np.ones(rows, dtype=bool)}


def text_columns(form: TableForm) -> list[str]:
    """The columns that say who was recorded and what was done."""
    return [way.partition(":")[2] for way in (form.label, form.subject) if way.startswith("column:")]


def _common(layouts: Sequence[Layout], pattern: re.Pattern[str]) -> str:
    for name in layouts[0].names if layouts else ():
        if pattern.fullmatch(name) and all(name in layout.names for layout in layouts):
            return name
    return ""
