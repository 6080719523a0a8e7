"""What was decided about somebody's tables, as it is told, kept beside the dataset, and taken up again."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import msgspec

from core.datasets.tables.paths import fields_in
from core.errors import UsageError, system_reason
from core.files import read_regular_file

FORM_FILE = "import.toml"
"""Beside the manifest: how the tables were read, so that tomorrow's recordings are read the same way."""
LABEL_WAYS = ("folder", "file", "path", "intervals", "column:NAME", "all:LABEL", "none")
SUBJECT_WAYS = ("folder", "file", "path", "column:NAME", "all:NAME", "none")
AXES = re.compile(r"\{(axis|AXIS|(\d+)-(\d+))\}")
"""What stands in a column's name for those of the axes of a sensor."""
NO_PRESET = "none"
"""The preset of those who want none."""


class KnownChannel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of a column, or of the columns of three axes."""

    name: str
    """What the channel is called; `{axis}` stands for x, y or z."""
    unit: str = ""
    about: str = ""
    """What it measures; the axis is put behind it."""
    factor: float = 1.0
    """What its numbers are multiplied with to be in that unit."""


@dataclass(frozen=True, slots=True)
class TableForm:
    """How tables are read. What is empty is decided by looking."""

    preset: str = ""
    """The page of facts that it was taken from; `none` where none is wanted."""
    source: str = ""
    """Where the data come from, and what they may be used for."""
    files: tuple[str, ...] = ()
    """Which files are read, and what their names tell: `core.datasets.tables.paths`. All, where it is empty."""
    intervals: str = ""
    """The file of labelled stretches, likewise."""
    label: str = ""
    """Where labels come from: one of `LABEL_WAYS`."""
    subject: str = ""
    """Where subjects come from: one of `SUBJECT_WAYS`."""
    time: str = ""
    """The column of times."""
    time_unit: str = ""
    """What it counts in: s, ms, us or ns."""
    rate_hz: float = 0.0
    """Rows a second, of files without times; a person who names it, and no column, does not want the column's."""
    position: str = ""
    """Where on the body every sensor is."""
    split: tuple[str, ...] = ()
    """Columns by which one file holds several recordings, such as the device."""
    only: bool = False
    """Whether columns that are not in `channels` are left out."""
    units: dict[str, str] = field(default_factory=dict[str, str])
    """Sensor or channel to unit."""
    drop: tuple[str, ...] = ()
    """Columns that are no channels."""
    length_sec: float = 0.0
    """A window's length in seconds."""
    overlap: float = 0.0
    """Share of a window that the next one repeats."""
    min_purity: float = 0.0
    """Share of a window's rows that its label must have; 0 is all of them."""
    keep_whole: bool = False
    """Whether recordings are kept whole beside their windows, so that they can be marked, and cut anew."""
    labels: dict[str, str] = field(default_factory=dict[str, str])
    """A label as the files have it, such as its number, to what it is called; empty for none."""
    label_table: tuple[str, ...] = ()
    """A file, its column of labels as the recordings have them, and its column of what they are called."""
    channels: dict[str, KnownChannel] = field(default_factory=dict[str, KnownChannel])
    """Column to what is known of it. `{axis}` in a column stands for x, y and z, `{AXIS}` for X, Y and Z, `{4-6}` for
    4, 5 and 6, which are x, y and z. `SENSOR:COLUMN` is a column of the files whose name has that `{sensor}`."""

    def over(self, other: TableForm) -> TableForm:
        """This form, with what it leaves open taken from another."""
        own = {part.name: _over(getattr(self, part.name), getattr(other, part.name)) for part in fields(self)}
        return replace(self, **own)

    def over_earlier(self, earlier: TableForm) -> TableForm:
        """This form, with what it leaves open taken from decisions of an earlier import. Where it names another preset,
        that says how tables are read, and only how windows were cut is taken."""
        if self.preset and self.preset != (earlier.preset or NO_PRESET):
            names = ("length_sec", "overlap", "min_purity", "keep_whole")
            earlier = TableForm(**{name: getattr(earlier, name) for name in names})
        return self.over(earlier)

    def text(self) -> str:
        """As `import.toml` has it. JSON's strings, numbers and lists of strings are TOML's, too."""
        values = {part.name: getattr(self, part.name) for part in fields(self)}
        lines = [f"{name} = {_toml(value)}" for name, value in values.items() if value and not isinstance(value, dict)]
        for name, table in values.items():
            if isinstance(table, dict) and table:
                own: dict[str, Any] = table
                lines += ["", f"[{name}]", *(f"{_toml(key)} = {_toml(value)}" for key, value in own.items())]
        return "\n".join(lines) + "\n"


def _over(own: Any, other: Any) -> Any:
    return {**other, **own} if isinstance(own, dict) else own or other


def _toml(value: Any) -> str:
    if isinstance(value, KnownChannel):
        own = {name: part for name, part in msgspec.structs.asdict(value).items() if part not in ("", 1.0)}
        return "{ " + ", ".join(f"{name} = {_toml(part)}" for name, part in own.items()) + " }"
    return json.dumps(value, ensure_ascii=False)


def checked(form: TableForm) -> TableForm:
    """The form, if it can be carried out. Raises UsageError."""
    for name, value, ways in (("--label", form.label, LABEL_WAYS), ("--subject", form.subject, SUBJECT_WAYS)):
        if value and re.sub(r":.+", ":NAME", value) not in [re.sub(r":.+", ":NAME", way) for way in ways]:
            raise UsageError(f"{name} {value}: there are {', '.join(ways)}")
        if value == "path" and not form.files:
            raise UsageError(f"{name} path: say with --files which part of the path it is, such as '{{subject}}/*.csv'")
    if form.time_unit not in ("", "s", "ms", "us", "ns"):
        raise UsageError(f"--time-unit {form.time_unit}: there are s, ms, us and ns")
    _check_numbers(form)
    _check_channels(form)
    if form.label == "none" and not form.keep_whole:
        raise UsageError("--label none: recordings without labels are kept whole, to be marked: add --keep-whole")
    fields_in((*form.files, *filter(None, [form.intervals])))
    if len(form.label_table) not in (0, 3):
        raise UsageError("label_table: a file, its column of labels, and its column of their names are needed")
    return form


def _check_numbers(form: TableForm) -> None:
    for name, number, unit in (("--rate", form.rate_hz, "rows a second"), ("--length", form.length_sec, "seconds")):
        if not 0 <= number < math.inf:
            raise UsageError(f"{name} {number:g}: {unit}, above 0")
    if not 0 <= form.overlap <= 0.95:
        raise UsageError(f"--overlap {form.overlap:g}: a share from 0 to 0.95 is needed")
    if form.min_purity and not 0.5 < form.min_purity <= 1:
        raise UsageError(f"--min-purity {form.min_purity:g}: a share above 0.5 and up to 1 is needed")


def _check_channels(form: TableForm) -> None:
    for column, fact in form.channels.items():
        if not fact.name.strip() or not math.isfinite(fact.factor) or not fact.factor:
            raise UsageError(f"channels: {column}: a name is needed, and a factor that is a number other than 0")
        if (axes := AXES.search(column)) and axes[2] and int(axes[3]) - int(axes[2]) not in (1, 2):
            raise UsageError(f"channels: {column}: two or three columns are the axes of one sensor, such as {{4-6}}")


def read_form(path: Path) -> TableForm:
    """A form that was kept. Raises UsageError: it cannot be read, or says what no form says."""
    return form_of(read_toml(path), str(path))


def read_toml(path: Path) -> dict[str, Any]:
    """A file of TOML. Raises UsageError: it cannot be read, or is none."""
    try:
        return tomllib.loads(read_regular_file(path).decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path}: {system_reason(error)}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error


def form_of(data: Mapping[str, Any], where: str) -> TableForm:
    """A form as TOML has it. Raises UsageError that begins with `where`: it says what no form says."""
    known = [part.name for part in fields(TableForm)]
    if odd := next((name for name in data if name not in known), None):
        raise UsageError(f"{where}: there is no setting {odd!r}; there are {', '.join(known)}")
    try:
        return checked(msgspec.convert(data, TableForm))
    except msgspec.ValidationError as error:
        raise UsageError(f"{where}: {error}") from error
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error
