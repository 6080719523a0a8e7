"""What was decided about somebody's tables, as it is told, kept beside the dataset, and taken up again."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import msgspec

from core.errors import UsageError, system_reason

FORM_FILE = "import.toml"
"""Beside the manifest: how the tables were read, so that tomorrow's recordings are read the same way."""
LABEL_WAYS = ("folder", "file", "intervals", "column:NAME", "all:LABEL", "none")
SUBJECT_WAYS = ("folder", "file", "column:NAME", "all:NAME", "none")


@dataclass(frozen=True, slots=True)
class TableForm:
    """How tables are read. What is empty is decided by looking."""

    label: str = ""
    """Where labels come from: one of `LABEL_WAYS`."""
    subject: str = ""
    """Where subjects come from: one of `SUBJECT_WAYS`."""
    time: str = ""
    """The column of times."""
    time_unit: str = ""
    """What it counts in: s, ms, us or ns."""
    rate_hz: float = 0.0
    """Rows a second of files without times."""
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

    def over(self, other: TableForm) -> TableForm:
        """This form, with what it leaves open taken from another."""
        own = {part.name: getattr(self, part.name) or getattr(other, part.name) for part in fields(self)}
        return msgspec.convert(own | {"units": {**other.units, **self.units}}, TableForm)

    def text(self) -> str:
        """As `import.toml` has it. JSON's strings, numbers and lists of strings are TOML's, too."""
        plain = {part.name: getattr(self, part.name) for part in fields(self) if part.name != "units"}
        lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in plain.items() if value]
        units = [f"{json.dumps(name)} = {json.dumps(unit, ensure_ascii=False)}" for name, unit in self.units.items()]
        return "\n".join([*lines, *(["", "[units]", *units] if units else [])]) + "\n"


def checked(form: TableForm) -> TableForm:
    """The form, if it can be carried out. Raises UsageError."""
    for name, value, ways in (("--label", form.label, LABEL_WAYS), ("--subject", form.subject, SUBJECT_WAYS)):
        if value and re.sub(r":.+", ":NAME", value) not in [re.sub(r":.+", ":NAME", way) for way in ways]:
            raise UsageError(f"{name} {value}: there are {', '.join(ways)}")
    if form.time_unit not in ("", "s", "ms", "us", "ns"):
        raise UsageError(f"--time-unit {form.time_unit}: there are s, ms, us and ns")
    if form.rate_hz < 0:
        raise UsageError(f"--rate {form.rate_hz:g}: rows a second, above 0")
    if form.length_sec < 0:
        raise UsageError(f"--length {form.length_sec:g}: seconds, above 0")
    if form.min_purity and not 0.5 < form.min_purity <= 1:
        raise UsageError(f"--min-purity {form.min_purity:g}: a share above 0.5 and up to 1 is needed")
    if form.label == "none" and not form.keep_whole:
        raise UsageError("--label none: recordings without labels are kept whole, to be marked: add --keep-whole")
    return form


def read_form(path: Path) -> TableForm:
    """A form that was kept. Raises UsageError: it cannot be read, or says what no form says."""
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: {system_reason(error)}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error
    known = [part.name for part in fields(TableForm)]
    if odd := next((name for name in data if name not in known), None):
        raise UsageError(f"{path}: there is no setting {odd!r}; there are {', '.join(known)}")
    try:
        return checked(msgspec.convert(data, TableForm))
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: {error}") from error
