"""Who was recorded and what was done, as folders, file names and columns tell it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from core.datasets.tables.channels import sensor_word
from core.datasets.tables.form import TableForm
from core.datasets.tables.intervals import LABEL, Interval, labels_at
from core.datasets.tables.joining import Recording, Source
from core.datasets.tables.layout import Layout
from core.datasets.tables.paths import path_facts
from core.datasets.tables.recordings import SUBJECT

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


def labels_of(
    recording: Recording, form: TableForm, intervals: Sequence[Interval]
) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Each row's label as a number, -1 for none, shape (n,), and the names that the numbers stand for."""
    rows = len(recording.time_ns)
    way, _, name = form.label.partition(":")
    if way == "intervals":
        intervals = [replace(each, label=form.labels.get(each.label, each.label)) for each in intervals]
        names = tuple(sorted({interval.label for interval in intervals} - {""}))
        return labels_at(intervals, recording.time_ns, {label: at for at, label in enumerate(names)}), names
    if way == "column":
        words = recording.texts.get(name)
        words = words.called(form.labels) if words and form.labels else words
        return (words.numbers, words.names) if words else (np.full(rows, -1, dtype=np.int32), ())
    if way == "none":
        return np.full(rows, -1, dtype=np.int32), ()
    by_name = {"folder": folder_label, "file": file_label, "path": partial(_in_path, form, "label")}
    label = by_name[way](recording.source) if way in by_name else name
    label = " ".join(form.labels.get(label, label).split())  # a folder's name may hold the end of a line
    return np.full(rows, 0 if label else -1, dtype=np.int32), (label,)


def people_in(recording: Recording, form: TableForm) -> dict[str, NDArray[np.bool_] | None]:
    """Who was recorded, each with the rows that are of that person, shape (n,), or None for all of them; the empty name
    is nobody known. Where a column names one person alone, every row is of that one.
    """
    way, _, name = form.subject.partition(":")
    words = recording.texts.get(name) if way == "column" else None
    people = words.names if words else ()
    if words and len(people) > 1:
        nobody: dict[str, NDArray[np.bool_] | None] = {"": words.numbers < 0} if (words.numbers < 0).any() else {}
        return nobody | {person: words.numbers == at for at, person in enumerate(people)}
    if way == "path":
        subject = _in_path(form, "subject", recording.source)
    elif way in ("folder", "file"):
        subject = person_named(recording.source, form)
    else:
        subject = people[0] if people else name if way == "all" else ""
    return {" ".join(subject.split()): None}


def parts_in(recording: Recording, form: TableForm) -> list[tuple[str, str, NDArray[np.bool_] | None]]:
    """Who was recorded, and by which device where one file holds several, each with the rows that are of that, shape
    (n,), or None for all of them."""
    parts = [(person, "", rows) for person, rows in people_in(recording, form).items()]
    for words in (recording.texts[name] for name in form.split if name in recording.texts):
        devices = [(name, words.numbers == at) for at, name in enumerate(words.names)]
        devices += [("", words.numbers < 0)] if (words.numbers < 0).any() or not devices else []
        parts = [
            (person, f"{part} {device}".strip(), own)
            for person, part, rows in parts
            for device, of_device in devices
            if (own := of_device if rows is None else rows & of_device).any()
        ]
    return parts


def text_columns(form: TableForm) -> list[str]:
    """The columns that say who was recorded, what was done, and by which device."""
    named = [way.partition(":")[2] for way in (form.label, form.subject) if way.startswith("column:")]
    return [*dict.fromkeys([*named, *form.split])]


def _in_path(form: TableForm, field: str, source: Source) -> str:
    facts = path_facts(source.files[0].name, form.files)
    return str(getattr(facts, field)) if facts else ""


def _common(layouts: Sequence[Layout], pattern: re.Pattern[str]) -> str:
    for name in layouts[0].names if layouts else ():
        if pattern.fullmatch(name) and all(name in layout.names for layout in layouts):
            return name
    return ""
