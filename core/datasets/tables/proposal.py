"""How somebody's tables would be imported: what was seen, what was decided by looking, and how it is told."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from core.datasets.archive import Raw, RawFile
from core.datasets.plan import Progress
from core.datasets.tables import naming
from core.datasets.tables.assigning import intervals_of
from core.datasets.tables.channels import SHORT, UNNAMED
from core.datasets.tables.form import NO_PRESET, SUBJECT_WAYS, TableForm, checked
from core.datasets.tables.intervals import Interval
from core.datasets.tables.joining import usual_rate
from core.datasets.tables.label_names import with_label_names
from core.datasets.tables.layout import Layout
from core.datasets.tables.paths import fields_in
from core.datasets.tables.recordings import Source, read_recording
from core.datasets.tables.survey import Survey, survey_of
from core.datasets.tables.words import rows_each
from core.errors import DatasetError
from core.text import counted, reason_counted
from tools.motion import GRAVITY
from tools.sensors import sensors_of
from tools.session import Channel

WHOLE_UP_TO_SEC = 15.0
"""Recordings that all are at most this long, and of one label each, are sessions as they stand."""
LONG_SEC = 600.0
"""Of recordings so long it is said that they can be kept whole."""
_NOBODY = "not known, so that nothing keeps people apart in splits and comparisons; --subject says where they are named"


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen of one recording."""

    source: Source
    seconds: float
    rate_hz: float
    channels: tuple[Channel, ...]
    subject: str
    part: str
    """The device, where one file holds the recordings of several; else empty."""
    label_seconds: Mapping[str, float]
    """How long each label lasts in it; the empty one is what has none."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """How the tables of a folder would be imported."""

    form: TableForm
    recordings: tuple[Looked, ...]
    notes: tuple[str, ...]
    """What was decided by looking, a sentence each."""
    left_out: Counter[str]
    """Files that are left out, by reason."""
    intervals: Mapping[str, tuple[Interval, ...]]
    """Labelled stretches of each recording, where labels come from a file of their own."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """The files of each recording. One file can hold recordings of several people."""
        return tuple({looked.source.name: looked.source for looked in self.recordings}.values())

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label, sorted."""
        return tuple(sorted({label for looked in self.recordings for label in looked.label_seconds if label}))

    @property
    def whole(self) -> bool:
        """Whether recordings are sessions as they stand."""
        return all(len(looked.label_seconds) == 1 and looked.seconds <= WHOLE_UP_TO_SEC for looked in self.recordings)

    def lines(self) -> list[str]:
        """The proposal as a person reads it."""
        left_out = [f"left out: {reason_counted(count, reason)}" for reason, count in self.left_out.items() if count]
        return [*self.decisions(), *left_out]

    def decisions(self) -> list[str]:
        """What was seen and decided, a line each."""
        files = sum(len(source.files) for source in self.sources)
        seconds: Counter[str] = Counter()
        for looked in self.recordings:
            seconds.update(looked.label_seconds)
        subjects = sorted({looked.subject for looked in self.recordings} - {""})
        channels = {c.name: c for looked in self.recordings for c in looked.channels}.values()
        lasting = ", ".join(f"{label} {seconds[label]:.0f} s" for label in self.labels)
        rest = f"; without a label {seconds['']:.0f} s" if seconds[""] else ""
        preset = self.form.preset
        read_as = f"read as the preset {preset} says (--preset none reads without it): {self.form.source}"
        return [
            *([read_as] if preset not in ("", NO_PRESET) else []),
            f"{counted(files, 'file')}, {counted(len(self.recordings), 'recording')}",
            "channels: " + ", ".join(f"{c.name} [{c.unit or '?'}, {c.rate_hz:.4g} Hz]" for c in channels),
            f"labels from {self.form.label}: {lasting}{rest}".replace(": ; ", ": "),
            f"subjects from {self.form.subject}: {', '.join(subjects) or _NOBODY}",
            *self.notes,
            *self._about_length(),
        ]

    def _about_length(self) -> list[str]:
        """What is said of keeping recordings whole."""
        longest = max(looked.seconds for looked in self.recordings)
        if self.form.keep_whole:
            return ["recordings are kept whole, too: `datasets mark` marks them, `datasets cut` cuts windows anew"]
        told = f"recordings last up to {longest / 60:.0f} min: --keep-whole keeps them, to be marked and cut anew"
        return [told] if longest >= LONG_SEC else []


def look_at_tables(
    raw: Raw, form: TableForm, survey: Survey | None = None, progress: Progress | None = None
) -> Proposal:
    """Look at every table, and decide what the form leaves open.

    Args:
        raw: the files.
        form: what a person decided.
        survey: which of the files are tables, where that is known already.
        progress: told before each recording; what it raises ends the look.

    Raises:
        DatasetError: there is no table, or nothing says what was done, or a file cannot be read.
    """
    survey = survey or survey_of(raw, form)
    form = with_label_names(raw, checked(form))
    sources, layouts, annotations = survey.sources, survey.layouts, survey.annotations
    form = _decided(form, raw, sources, layouts, annotations)
    intervals = intervals_of(sources, annotations, raw) if form.label == "intervals" else {}
    notes: list[str] = []
    looked: list[Looked] = []
    sizes = [0, *accumulate(source.size for source in sources)]
    for done, source in zip(sizes, sources, strict=False):
        if progress:
            progress(done, sizes[-1], source.name)
        recording = read_recording(source, form, naming.text_columns(form), Counter(), with_samples=False)
        labels, names = naming.labels_of(recording, form, intervals.get(source.name, ()))
        for subject, part, rows in naming.parts_in(recording, form):
            rate_hz = recording.rate_of(rows) if part else recording.rate_hz
            per_row = 1 / (rate_hz or 1)
            rated = tuple(replace(channel, rate_hz=usual_rate(rate_hz)) for channel in recording.channels)
            each = rows_each(labels if rows is None else labels[rows], names)
            seconds = {label: count * per_row for label, count in each.items()}
            looked.append(Looked(source, sum(each.values()) * per_row, rate_hz, rated, subject, part, seconds))
        notes += recording.notes
    _refuse_unknown(form, raw, layouts, looked)
    if settled := _units_of_others(looked, notes, form.units):
        of_all = look_at_tables(raw, replace(form, units={**form.units, **settled}), survey, progress)
        named = {"acc" if name in (SHORT, UNNAMED) else name: unit for name, unit in settled.items()}
        own = tuple(note for note in of_all.notes if note.partition(":")[0] not in named)
        return replace(
            of_all, notes=(*own, *(f"{name}: {unit}, as other recordings show" for name, unit in named.items()))
        )
    once = {
        re.sub(", (a usual size|turns at) .*", "", note): note for note in reversed(notes)
    }  # not each file's figure
    proposal = Proposal(form, tuple(looked), tuple(reversed(once.values())), Counter(survey.left_out), intervals)
    if not proposal.labels and not form.keep_whole:
        raise DatasetError(
            f"{raw.path}: no row of it has a label; say where labels are: --label, or mark them yourself: --keep-whole"
        )
    return proposal


def _units_of_others(looked: Sequence[Looked], notes: Sequence[str], told: Mapping[str, str]) -> dict[str, str]:
    """The units of sensors that some recordings show and some, in which nobody rests, do not; without
    an own name an accelerometer is one where others are. None where the numbers of some are converted."""
    units: dict[str, set[str]] = {}
    for sensor in (sensor for each in looked for sensor in sensors_of(each.channels)):
        units.setdefault(sensor.name, set()).add(sensor.unit)
    converted = {note.partition(":")[0] for note in notes if note.endswith("is converted")}
    settled = {
        name: max(known) for name, known in units.items() if len(known) == 2 and "" in known and name not in converted
    }
    own = [{sensor.name for sensor in sensors_of(each.channels)} for each in looked]
    bare = [name for name in (SHORT, UNNAMED) if any(name in names for names in own)]
    unit = max(units.get("acc", {""}))
    apart = not any({"acc", *bare} <= names for names in own)
    if len(bare) == 1 and apart and unit in tuple(GRAVITY) and not {*bare, "acc"} & converted:
        settled[bare[0]] = unit
    return {name: unit for name, unit in settled.items() if name not in told}


def _refuse_unknown(form: TableForm, raw: Raw, layouts: Sequence[Layout], looked: Sequence[Looked]) -> None:
    """Raise DatasetError for a unit or a column to drop of something that is in no file, and for people who are not
    named where they were said to be."""
    columns = list(dict.fromkeys(name for layout in layouts for name in layout.names))
    sensors = list(dict.fromkeys(sensor.name for each in looked for sensor in sensors_of(each.channels)))
    channels = {channel.name for each in looked for channel in each.channels}
    if odd := next((name for name in form.drop if name not in columns), ""):
        raise DatasetError(f"{raw.path}: no file has a column {odd!r} to drop; there are {', '.join(columns)}")
    if odd := next((name for name in form.units if name not in (*sensors, *channels, UNNAMED, SHORT)), ""):
        raise DatasetError(f"{raw.path}: there is no sensor {odd!r} to have a unit; there are {', '.join(sensors)}")
    if form.subject in ("folder", "file", "path") and (
        odd := next((each.source.name for each in looked if not each.subject), "")
    ):
        label = ", as it is read as the label (--label says otherwise)" if form.label == form.subject else ""
        raise DatasetError(
            f"{raw.path}: the {form.subject} of {odd} names nobody{label}; a name such as s01 would, or another "
            f"--subject: {', '.join(SUBJECT_WAYS)}"
        )


def _decided(
    form: TableForm, raw: Raw, sources: Sequence[Source], layouts: Sequence[Layout], annotations: Sequence[RawFile]
) -> TableForm:
    told = fields_in(form.files)
    label, subject = (
        way or ("path" if name in told else "") for name, way in (("label", form.label), ("subject", form.subject))
    )
    if not label:
        label = _label_way(raw, sources, layouts, annotations, form.keep_whole)
    if not subject:
        if column := naming.subject_column(layouts):
            subject = f"column:{column}"
        elif all(naming.subject_in_name(source, folder=True) for source in sources):
            subject = "folder"
        else:
            subject = "file" if all(naming.subject_in_name(source, folder=False) for source in sources) else "none"
    for way in (label, subject):
        column = way.partition(":")[2] if way.startswith("column:") else ""
        if column and not any(column in layout.names for layout in layouts):
            raise DatasetError(f"{raw.path}: no file has a column {column!r}; there are {', '.join(layouts[0].names)}")
    return replace(form, label=label, subject=subject)


def _label_way(
    raw: Raw, sources: Sequence[Source], layouts: Sequence[Layout], annotations: Sequence[RawFile], keep_whole: bool
) -> str:
    if column := naming.label_column(layouts):
        return f"column:{column}"
    if annotations:
        return "intervals"
    for way, label in (("folder", naming.folder_label), ("file", naming.file_label)):
        labels = {label(source) for source in sources}
        if len(labels) > 1 and "" not in labels:
            return way
    if keep_whole:
        return "none"
    names = dict.fromkeys(
        name for layout in layouts for name, kind in zip(layout.names, layout.kinds, strict=True) if kind == "text"
    )
    texts = f" (of text: {', '.join(names)})" if names else ""
    raise DatasetError(
        f"{raw.path}: nothing says what was done: no column, no file of labels, no folders or file names that differ; "
        f"say it with --label column:NAME{texts}, folder, file, intervals or all:LABEL, or mark it yourself: "
        "--keep-whole"
    )
