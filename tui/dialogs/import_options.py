"""What can be decided about recordings of one's own, the choices that their files leave, and the form they make."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from core.datasets.plan import ImportOptions
from core.datasets.presets.pages import Preset
from core.datasets.tables.choices import label_ways, subject_ways, time_columns, units_of
from core.datasets.tables.clock import FACTORS
from core.datasets.tables.form import NO_PRESET, TableForm, checked
from core.datasets.tables.importer import LENGTH_SEC
from core.datasets.tables.preview import Preview
from core.errors import UsageError
from core.text import counted
from tools.sensors import sensors_of
from tui.dialogs.asking_option import names_in
from tui.dialogs.option_rows import Option

UNIT = "unit "
"""What the options of sensors' units begin with; the sensor's name follows."""
_CALLED = {
    "label": "labels from", "subject": "subjects from", "time": "times from", "time-unit": "times count in",
    "rate": "rows a second", "drop": "left out", "keep-whole": "recordings", "min-purity": "of one label",
    "length": "windows of", "overlap": "overlap", "preset": "preset", "name": "name", "form": "decided as",
}  # fmt: skip
"""Options of the command, and what their rows are called."""
_LENGTHS, _OVERLAPS, _PURITIES = ("1", "2", "2.5", "5", "10", "30"), ("0.25", "0.5", "0.75"), ("0.9", "0.75")


@dataclass(frozen=True, slots=True)
class Known:
    """What the options depend on beside the files."""

    datasets: Collection[str]
    """Names that datasets have already."""
    forms: Mapping[str, TableForm] = field(default_factory=dict[str, TableForm])
    """The decisions that were kept with datasets, by the dataset's name."""
    presets: Sequence[Preset] = ()
    """Every page of facts."""

    def presets_for(self, options: ImportOptions, chosen: Mapping[str, str]) -> Sequence[Preset]:
        """Those that are looked for: none where it is decided as earlier, unless that was by one."""
        return self.presets if not chosen.get("form") or (options.table and options.table.preset) else ()


def options_for(preview: Preview | None, chosen: Mapping[str, str], known: Known) -> tuple[Option, ...]:
    """Everything there is to decide, in the order of the dialog."""
    options = [_name(chosen, known)]
    if known.forms:
        earlier = (("", "looking at the files"), *((name, f"{name} was") for name in known.forms))
        about = "files written like earlier ones are read as those were decided; beside another preset, only cut so"
        options.append(Option("form", "decided as", about, earlier))
    if preview is None:
        return tuple(options)
    options += [*_of_rows(preview, chosen), *_of_units(preview, chosen), *_of_windows(preview, chosen)]
    return (*options, *([_preset(preview, chosen, known)] if known.presets else []))


def _name(chosen: Mapping[str, str], known: Known) -> Option:
    there = chosen.get("name", "") in known.datasets
    about = "the dataset's name" + ("; one of that name is there, and is kept hidden" if there else "")
    return Option("name", "name" if not there else "name, replaced", about, asks="the dataset's name")


def _preset(preview: Preview, chosen: Mapping[str, str], known: Known) -> Option:
    decided = preview.proposal.form.preset if preview.proposal and not chosen.get("preset") else ""
    others = [(each.name, f"{each.name}: {each.page.title}") for each in known.presets if each.name != decided]
    looked = decided if decided not in ("", NO_PRESET) else "as found" if chosen.get("preset") else "none fits"
    about = "what is known of how apps, devices and public sets write their files"
    return Option("preset", "preset", about, (("", looked), *others, (NO_PRESET, "none, whatever fits")))


def _of_rows(preview: Preview, chosen: Mapping[str, str]) -> list[Option]:
    """Labels, subjects, times, and what is left out."""
    survey, proposal = preview.survey, preview.proposal
    decided = proposal.form if proposal else TableForm()
    labels = label_ways(survey, keep_whole=bool(chosen.get("whole")) or decided.keep_whole)
    subjects = subject_ways(survey, chosen.get("label") or decided.label)
    looked = "" if chosen.get("time") else preview.time
    times = [name for name in time_columns(survey) if f"column {name}," not in f"{looked},"]
    dropped = [(columns, ", ".join(names_in(columns))) for columns in filter(None, (chosen.get("drop"),))]
    return [
        Option(
            "label", "labels from", "where it stands what was done",
            _values(chosen.get("label"), decided.label, labels),
            asks="one label for all, or column:NAME", empty="not known",
        ),
        Option(
            "subject", "subjects from", "where it stands who was recorded; nobody is on two sides of a split",
            _values(chosen.get("subject"), decided.subject, subjects),
            asks="one name for all, or column:NAME",
        ),
        Option(
            "time", "times from", "the column of times",
            (("", looked or "as found"), *((name, f"column {name}") for name in times)),
        ),
        Option("time_unit", "times count in", "what the column of times counts in",
               (("", "what its size, name or step says"), *((unit, unit) for unit in FACTORS))),
        Option("rate", "rows a second", "of files without times, or whatever their times say",
               (("", "as the times say"),), asks="rows a second, in Hz"),
        Option("drop", "left out", "columns that are no channels",
               (("", "nothing beside what is named"), *dropped), screen=True),
    ]  # fmt: skip


def _of_units(preview: Preview, chosen: Mapping[str, str]) -> list[Option]:
    sensors = sensors_of(preview.beginning.channels) if preview.beginning else ()
    options: list[Option] = []
    for sensor in sensors:
        own = "" if chosen.get(UNIT + sensor.name) else sensor.unit or "not known"
        units = [unit for unit in units_of(sensor) if unit != own]
        options.append(
            Option(
                UNIT + sensor.name, f"{sensor.name} in", f"the unit of {sensor.name}; numbers stay as they are",
                (("", own or "as found"), *((unit, unit) for unit in units)), asks=f"the unit of {sensor.name}",
            )
        )  # fmt: skip
    return options


def _of_windows(preview: Preview, chosen: Mapping[str, str]) -> list[Option]:
    whole = preview.proposal is not None and preview.length_sec is None
    usual = preview.length_sec if not chosen.get("length") and preview.length_sec else LENGTH_SEC
    long = "whole recordings" if whole else f"{usual:g} s"
    lengths = ((text, f"{text} s") for text in _LENGTHS if text != f"{usual:g}" or whole)
    over = f"{preview.overlap:g}" if preview.overlap and not chosen.get("overlap") else "none"
    return [
        Option("length", "windows of", "recordings are cut into windows of one label", (("", long), *lengths),
               asks="a window's length in seconds"),
        Option("overlap", "overlap", "share of a window that the next one repeats",
               (("", over), *((text, text) for text in _OVERLAPS)), asks="a share from 0 to 0.95"),
        Option("purity", "of one label", "share of a window's rows that its label must have",
               (("", "all rows"), *((text, f"{text} of the rows") for text in _PURITIES)),
               asks="a share above 0.5 and up to 1"),
        Option("whole", "recordings", "those that stay can be marked by hand, and windows be cut anew",
               (("", "not kept"), ("yes", "kept whole, too"))),
    ]  # fmt: skip


def _values(chosen: str | None, decided: str, ways: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The ways with what they are called; at first the one that was decided by looking, where that is known."""
    looked = way_told(decided) if decided and not chosen else "as found" if decided else ""
    typed = [chosen] if chosen and chosen not in ways else []
    others = [way for way in (*ways, *typed) if chosen or way != decided]
    return (("", looked), *((way, way_told(way)) for way in others))


def way_told(way: str) -> str:
    """A way to labels or subjects as a person reads it."""
    kind, _, name = way.partition(":")
    return {
        "intervals": "a file of labelled stretches", "folder": "the folders' names", "file": "the files' names",
        "path": "the files' paths", "none": "nowhere: not known", "column": f"column {name}", "all": f"all are {name}",
    }.get(kind, way)  # fmt: skip


def in_the_dialogs_words(sentence: str) -> str:
    """A sentence that names options of the command, with what they are called here."""

    def called(option: re.Match[str]) -> str:
        return f"`{_CALLED[option[1]]}`" if option[1] in _CALLED else option[0]

    return re.sub(r"--([a-z]+(?:-[a-z]+)?)", called, sentence)


def typed_way(text: str) -> str:
    """What was typed for labels or subjects: one for all, unless it is a way as commands have them."""
    known = text in ("", "folder", "file", "path", "intervals", "none") or text.startswith(("column:", "all:"))
    return text if known else f"all:{text}"


def import_options(chosen: Mapping[str, str], known: Known) -> ImportOptions:
    """How it is imported as these choices say. Raises UsageError for one that cannot be."""
    length, overlap = _number("windows of", chosen, "length"), _number("overlap", chosen, "overlap")
    form = TableForm(
        label=chosen.get("label", ""),
        subject=chosen.get("subject", ""),
        time=chosen.get("time", ""),
        time_unit=chosen.get("time_unit", ""),
        rate_hz=_number("rows a second", chosen, "rate") or 0.0,
        units={name.removeprefix(UNIT): unit for name, unit in chosen.items() if name.startswith(UNIT) and unit},
        drop=names_in(chosen.get("drop", "")),
        preset=chosen.get("preset", ""),
        min_purity=_number("of one label", chosen, "purity") or 0.0,
        keep_whole=bool(chosen.get("whole")),
    )
    earlier = known.forms.get(chosen.get("form", ""), TableForm())
    return ImportOptions(length, overlap, table=checked(form.over_earlier(earlier)))


def _number(label: str, chosen: Mapping[str, str], name: str) -> float | None:
    text = chosen.get(name, "")
    if not text:
        return None
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number >= 0 and (number or name == "overlap")):
        raise UsageError(f"{label}: `{text}` is no number above 0")
    return number


def summary(preview: Preview) -> str:
    """What an import would make, on a line."""
    proposal = preview.proposal
    if proposal is None:
        return f"{counted(len(preview.survey.sources), 'recording')}, looking …"
    people = {looked.subject for looked in proposal.recordings} - {""}
    cut = "whole recordings" if preview.length_sec is None else f"windows of {preview.length_sec:g} s"
    of_people = counted(len(people), "subject") if people else "unknown subjects"
    return (
        f"up to {counted(preview.sessions, 'session')} of {of_people}: {cut}, {counted(len(proposal.labels), 'label')}"
    )
